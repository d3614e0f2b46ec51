"""Who decides when a request of a credential may go out: a protocol, so that many workers can share one."""

from __future__ import annotations

from typing import Protocol

from monitor.budget import Outcome, Quota


class Governor(Protocol):
    """The budget of one credential. `monitor.http.pace.Pace` keeps it for one process alone.

    `monitor.store.governor` keeps it in the store, for every worker and every source with that credential.
    """

    async def acquire(self) -> None:
        """Return when the next request may go out; each is followed by one `observe`.

        Raises ProviderThrottled, which ends the scan, when that is more than a minute away because the
        provider asked for it.
        """
        ...

    def observe(self, outcome: Outcome, quota: Quota | None = None) -> None:
        """A request has ended: what its answer says of the load, and of what is left."""
        ...

    async def pause(self, seconds: float) -> None:
        """The provider asked to be left alone: nobody sends for so long. A longer pause already there stays."""
        ...
