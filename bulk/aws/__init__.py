"""Everything that talks to AWS: the client, its credentials, its connections, and its errors.

connect               the only module that makes calls of Amazon Connect
session               the SDK's session: every client verified, whoever opens it
http_session          the connection below the SDK, on which one call is one request
certificates          certificates, plain HTTP, proxies
credentials           got and renewed before a call and outside of any row
credential_providers  where the SDK looks for them, with bounds
failures              what the SDK raised → ours: what happened, whose error it is, what helps
inquiry               questions to the services of an account, each at its own pace
templates             what a message template wants
lookups               what AWS keeps that a run reads before it sends: lists in S3, opt-outs, quotas
objects               objects in S3 of which no version is replaced unseen
"""
