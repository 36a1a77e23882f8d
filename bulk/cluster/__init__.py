"""Calls made by the workers of a cluster; the driver keeps the list, rules, ledger, and rate.

engine     what an engine is: it lists workers, and carries bytes to one of them and back
processes  an engine: local processes over pipes
dask       an engine: a Dask cluster; the one module that imports `distributed`
address    what `--cluster` names
message    what travels, as bytes
lease      a worker's share of a rate, and until when it holds
shares     how a rate is divided among workers, of which some are lost or late
rate       the rate of an operation, as the driver keeps it
lot        calls on their way to a worker
lots       the driver's side of an operation: calls join lots, lots go to workers
answers    what workers report, fed to the limiter in the order in which it happened
queue      what stands on the driver for a queue and a client
members    the workers of a run: greeted, watched, stopped
session    the worker's side of a run: a client, and a queue for each operation
worker     the worker: bytes in, bytes out, and never an exception
pipe       a worker as a process of its own
frames     messages over a pipe
"""
