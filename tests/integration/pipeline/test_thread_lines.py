"""What people do about a condition leaves one line in its Slack thread, whatever becomes of tries and workers."""

from __future__ import annotations

from redis.asyncio import Redis

from monitor.silences import parse_matcher
from monitor.simulator import Reply
from tests.integration.pipeline.room import Room, room
from tests.integration.pipeline.test_owed import channel, waiting


def replies(here: Room) -> list[str]:
    """What stands in the threads of the channel."""
    return [one.text for one in here.slack.messages if one.thread_ts]


async def failed(here: Room) -> None:
    """A job has failed, and the channel was told."""
    await here.tell("failed")
    await here.turn()
    assert [one.thread_ts for one in here.slack.messages] == [None]


async def test_each_word_leaves_a_line_and_nothing_in_the_channel(redis: Redis, store_url: str) -> None:
    """Acknowledged, taken back, put off, over: a line each, never broadcast, and the message above says what is so."""
    async with channel(store_url) as here:
        attention = here.services.attention
        await failed(here)
        await attention.acknowledge("tax/job/1", by="ann", comment="on it")
        await here.turn()
        assert "Acknowledged" in here.slack.messages[0].text
        await attention.reopen("tax/job/1", by="bob")
        await here.turn()
        await attention.snooze("tax/job/1", until=None, by="cid")
        await here.pass_(seconds=1)
        end = here.hands.now().replace(microsecond=0)
        await attention.snooze("tax/job/1", until=end.replace(hour=end.hour + 1), by="cid")
        await here.turn()
        await here.pass_(hours=1, seconds=1)
        told = [text.partition(": ")[2] for text in replies(here)]
        assert [text.split(" at ")[0].split(" until ")[0] for text in told] == [
            "Acknowledged by ann",
            "Taken back by bob",
            "Snoozed by cid",
            "Snoozed by cid",
            "The snooze by cid is over, still open.",
        ]
        assert told[0].endswith("until it gets worse: on it")
        assert not [one for one in here.slack.messages if one.payload.get("reply_broadcast")]


async def test_a_silence_says_who_and_its_end_what_is_still_open(redis: Redis, store_url: str) -> None:
    """Both are in the thread; a silence that concerns nothing here is not."""
    async with channel(store_url) as here:
        attention, now = here.services.attention, here.hands.now()
        await failed(here)
        ends = now.replace(hour=now.hour + 1)
        for source in ("tax", "other"):
            matchers = [parse_matcher(f"source={source}")]
            made = await attention.silence(matchers, starts_at=now, ends_at=ends, by="eve", comment="moving")
            await here.turn()
            if source == "tax":
                await here.pass_(seconds=61)
                (line,) = replies(here)
                assert "Silenced by eve until" in line
                await attention.unsilence(made.id)
                await here.turn()
        assert [text.partition(": ")[2].split(" until ")[0] for text in replies(here)] == [
            "Silenced by eve",
            "It is not kept quiet any more, still open.",
        ]


async def test_a_line_that_is_refused_comes_with_the_next_try_once(redis: Redis, store_url: str) -> None:
    """Whether the edit is refused or the line; a worker that takes over says it no second time."""
    async with channel(store_url) as here:
        await failed(here)
        refusals: list[list[Reply | int]] = [[500], [Reply(), 500]]
        for refused in refusals:
            here.slack.script(refused)
            await here.services.attention.acknowledge("tax/job/1", by="ann")
            await here.turn()
            assert await waiting(here) == 1
            told = len(replies(here))
            await here.pass_(seconds=10)
            assert (len(replies(here)) - told, await waiting(here)) == (1, 0)
            await here.services.attention.reopen("tax/job/1", by="ann")
            await here.pass_(seconds=1)
        assert len(replies(here)) == 4
        hands, written = here.hands, here.written
    async with channel(store_url, hands) as there:
        there.written = written
        await there.pass_(seconds=61)
        assert there.slack.messages == []


async def test_a_webhook_hears_of_none_of_it(redis: Redis, store_url: str) -> None:
    """A message that cannot be edited would say everything once more."""
    async with room(store_url, "routes: [{to: [chat], group_wait: 0s, group_interval: 60s}]") as here:
        await failed(here)
        attention, now = here.services.attention, here.hands.now()
        await attention.acknowledge("tax/job/1", by="ann")
        await here.turn()
        await attention.snooze("tax/job/1", until=None, by="ann")
        await here.turn()
        matchers = [parse_matcher("source=tax")]
        await attention.silence(matchers, starts_at=now, ends_at=now.replace(hour=23), by="eve", comment="moving")
        await here.pass_(seconds=61)
        assert len(here.slack.messages) == 1
