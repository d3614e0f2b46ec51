"""The embedded store and commands: with nothing running, together, and beside `up`."""

from __future__ import annotations

import asyncio

from monitor.embedded import EmbeddedStore, running_url
from tests.integration.cli.commands import Jobwire


async def test_commands_bring_the_store_along_when_nothing_runs(jobwire: Jobwire) -> None:
    """Several at once share the server that one of them started, and none is left behind."""
    polled = await jobwire("poll", "tax")
    together = await asyncio.gather(
        jobwire("events", "--json"), jobwire("resources", "--json", "--source", "tax"), jobwire("sources")
    )

    assert (polled.code, polled.err) == (0, "")
    assert [(one.code, one.err) for one in together] == [(0, "")] * 3
    assert [one["type"] for one in together[0].json] == ["jobwire.source.baselined"]
    assert len(together[1].json) == 12
    assert running_url(jobwire.home / "var") is None


async def test_commands_join_the_store_that_runs(jobwire: Jobwire) -> None:
    """And leave it running."""
    async with EmbeddedStore(jobwire.home / "var") as store:
        done = await jobwire("events")

        assert (done.code, done.out, done.err) == (0, "", "")
        assert running_url(jobwire.home / "var") == store.url


async def test_up_refuses_a_directory_that_another_one_runs(jobwire: Jobwire) -> None:
    """Exit code 1 and who has it."""
    async with EmbeddedStore(jobwire.home / "var"):
        done = await jobwire("up")

    assert done.code == 1
    assert "runs the embedded store in" in done.err
    assert "store.data_dir" in done.err
