"""Runs exchanges over real HTTP, so that timeouts, limits, retries, rates and error mapping exist once.

`Caller` serves providers: it insists within reason. `Sender` serves targets: one attempt, guarded and
recorded, because retries of a delivery belong to the store, where they survive a crash.

    caller  sender     the two runners
    paced              a sender that keeps the rates of receivers
    drive              how a generator is run
    authorise          headers and tokens
    wire               one request on a pooled connection, for the sender
    governor  pace     whose turn it is: the protocol, and the one for a process alone
    blocking           calls of libraries that speak for themselves, in threads
    connect            the border to aiohttp: sessions, egress guard, errors in our own words
"""

from __future__ import annotations

from monitor.http.caller import Caller, Limits, Stats
from monitor.http.connect import source_session, target_session
from monitor.http.sender import Sender

__all__ = ["Caller", "Limits", "Sender", "Stats", "source_session", "target_session"]
