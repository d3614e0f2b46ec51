"""An installation in, its desk out. What a store needs is imported only where a store is asked, and so for a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from monitor.cli.desk.asked import Desk, EventsWanted, Line
from monitor.cli.options import Where


@asynccontextmanager
async def desk(where: Where) -> AsyncIterator[Desk]:
    """The desk of an installation, for the time of the block."""
    url = where.url()
    if url is not None:
        from monitor.cli.desk.remoteacts import served  # noqa: PLC0415 - only for servers

        async with served(where, url) as remote:
            yield remote
        return
    from monitor.cli.desk.acting import stored  # noqa: PLC0415 - only for stores

    async with stored(where.file()) as here:
        yield here


async def diagnosis(where: Where) -> Sequence[Line]:
    """What is wrong around an installation: seen from here by a config file, or from where a server is."""
    url = where.url()
    if url is not None:
        from monitor.cli.desk.remoteacts import served  # noqa: PLC0415 - only for servers

        async with served(where, url) as remote:
            return await remote.found_there()
    from monitor.cli.desk.diagnosing import found_here  # noqa: PLC0415 - only for stores

    return await found_here(where.file())


async def follow(
    where: Where, place: str, wanted: EventsWanted, show: Callable[[Line], None], flush: Callable[[], None]
) -> None:
    """Show events after a place as they happen, through restarts of whoever answers, until cancelled.

    `flush` is called when those of one moment are shown.
    """
    url = where.url()
    if url is not None:
        from monitor.cli.desk.following import follow_served  # noqa: PLC0415 - only for servers

        await follow_served(where, url, place, wanted, show, flush)
        return
    from monitor.cli.desk.stored import follow_stored  # noqa: PLC0415 - only for stores

    await follow_stored(where.file(), place, wanted, show, flush)
