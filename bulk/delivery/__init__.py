"""The delivery of one recipient to its outcome, and of many at once.

workers        many deliveries at once; the only owner of tasks
delivery       one recipient: every call announced, every reply kept
announcements  before each try: whether it may still be made, and noted in the ledger
call_runner    one call made, as often as it takes
marks          a call's mark, by which its contact can be found again
enquiry        questions to the service, each at the pace of its operation
ports          what a call needs of others: its queue, its transport
attempts       the tries of a call, counted
traffic        what goes over the wire, counted by windows of time
breaker        when do so many rows fail that the rest would too?
"""
