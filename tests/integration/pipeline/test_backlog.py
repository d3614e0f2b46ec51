"""Many groups behind a paused channel are told in one catch-up message, few of them each by itself."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace

from redis.asyncio import Redis

from monitor.grouping.backlog import FOLD_ABOVE
from monitor.simulator.slack_text import lines_of
from monitor.store.replay import Again, Replays
from monitor.store.switch import Switch
from monitor.store.totals import Totals
from tests.installation import SECRET
from tests.integration.pipeline.backlogged import Channel, channel

MANY = FOLD_ABOVE + 5
WEBHOOK = 'webhook_url: "WEBHOOK"'


async def behind(here: Channel, count: int = MANY) -> list[str]:
    """So many groups wait behind a pause of ten minutes that has just ended; the ids of their events."""
    before = here.texts()
    ids = await here.opened(count)
    await here.paused()
    assert here.texts() == before
    await here.over(minutes=10)
    return ids


def named(here: Channel) -> list[str]:
    """The jobs that the messages in the channel begin with, where each is about one."""
    return [text.partition("Job ")[2].partition(":")[0] for text in here.texts()]


async def test_two_hundred_groups_behind_a_pause_are_one_message(redis: Redis, store_url: str) -> None:
    """A20: how late and why, the worst by name, the rest in numbers; no single beside it, nothing waits."""
    async with channel(store_url) as here:
        ids = await behind(here, 200)
        await here.deliver()
        assert here.texts() == ["🟠 Catch-up: 200 open, 200 events of 200 groups, up to 10 minutes late"]
        lines = lines_of(here.slack.messages[0].payload)
        assert "behind by 10 minutes: it asked for a pause" in lines[1]
        assert [line.split()[3] for line in lines[2:12]] == [str(number) for number in range(10)]
        assert lines[12] == "More is open: 190 × devrev.job.failed"
        assert await here.pending() == 0
        told = await here.deliveries()
        assert {one.event for one in told} == set(ids)
        assert {one.status for one in told} == {"delivered"}
        (reason,) = {one.reason for one in told}
        assert reason.startswith("catch-up message cat_")
        assert reason.endswith(" of 200 groups")
        assert here.slack.rejected == {}
        await here.pass_(minutes=30)
        assert len(here.texts()) == 1


async def test_a_webhook_beside_it_gets_every_event_by_itself(redis: Redis, store_url: str) -> None:
    """In the order they happened, whatever becomes of the channel."""
    async with channel(store_url) as here:
        ids = await behind(here)
        await here.deliver()
        assert len(here.texts()) == 1
        await here.deliver("hook")
        assert sorted(one.id for one in here.hook.deliveries) == sorted(ids)
        assert await here.pending("hook") == 0


async def test_few_groups_are_told_each_by_itself_and_in_order(redis: Redis, store_url: str) -> None:
    """As many as the threshold says: the order is that in which they became due, and each says how late it is."""
    async with channel(store_url, chat="token: xoxb-1, channel: C1, concurrency: 1") as here:
        await here.in_order(await here.opened(FOLD_ABOVE))
        await here.over(minutes=10)
        await here.deliver()
        assert named(here) == [str(number) for number in range(FOLD_ABOVE)]


async def test_many_groups_that_are_not_late_are_told_each_by_itself(redis: Redis, store_url: str) -> None:
    """A busy second is no backlog."""
    async with channel(store_url) as here:
        await here.opened(MANY)
        await here.deliver()
        assert sorted(named(here), key=int) == [str(number) for number in range(MANY)]


async def test_a_refused_catch_up_message_comes_again_as_a_whole(redis: Redis, store_url: str) -> None:
    """What joined meanwhile is in it; every delivery has both attempts, and none is left over."""
    async with channel(store_url) as here:
        await behind(here)
        here.slack.script([500])
        await here.deliver()
        assert (here.texts(), await here.pending()) == ([], MANY)
        await here.opened(3, first=100)
        await here.over(minutes=1)
        await here.deliver()
        (text,) = here.texts()
        assert text == f"🟠 Catch-up: {MANY + 3} open, {MANY + 3} events of {MANY + 3} groups, up to 11 minutes late"
        assert (
            "it could not be reached. The last attempt said: Slack says" in lines_of(here.slack.messages[0].payload)[1]
        )
        assert await here.pending() == 0
        assert {len(one.attempts) for one in await here.deliveries()} <= {1, 2, 3}
        await here.pass_(minutes=30)
        assert len(here.texts()) == 1


async def test_a_pause_that_meets_the_catch_up_message_loses_and_doubles_nothing(redis: Redis, store_url: str) -> None:
    """A20: no request while the pause lasts; after it the message comes once."""
    async with channel(store_url) as here:
        await behind(here)
        await here.paused()
        await here.wait(minutes=1)
        assert await here.deliver() == 0
        assert here.texts() == []
        await here.over(minutes=10)
        await here.deliver()
        assert len(here.texts()) == 1
        assert await here.pending() == 0


async def test_after_an_outage_the_first_probe_is_one_group_and_the_rest_one_message(
    redis: Redis, store_url: str
) -> None:
    """While the circuit is open a single group finds out whether Slack is back."""
    async with channel(store_url) as here:
        await here.opened(MANY)
        await here.slack.stop()
        await here.deliver()
        assert await here.pending() == MANY
        await here.slack.start()
        await here.over(minutes=10)
        db = here.services.store.db
        assert await db.run("HEXISTS", db.keys.target("chat"), "open_at")
        await db.run("HSET", db.keys.target("chat"), "probe_at", 1)
        await here.deliver()
        probe, catch_up = here.texts()
        assert "Job" in probe
        assert f"{MANY - 1} events of {MANY - 1} groups" in catch_up
        assert "it could not be reached. The last attempt said:" in lines_of(here.slack.messages[1].payload)[1]
        assert await here.pending() == 0


async def test_one_that_is_refused_for_good_leaves_each_group_to_itself(redis: Redis, store_url: str) -> None:
    """Slack takes neither its blocks nor its text: nothing is given up for that, the groups come one by one."""
    async with channel(store_url) as here:
        await behind(here)
        refusal = {"status": 200, "body": '{"ok": false, "error": "invalid_blocks"}'}
        here.slack.script([refusal, refusal])
        await here.deliver()
        assert sorted(named(here), key=int) == [str(number) for number in range(MANY)]
        assert await here.pending() == 0
        assert {one.status for one in await here.deliveries()} == {"delivered"}
        assert [one.type for one in await here.services.store.log.after("0-0", 1000) if "exhausted" in one.type] == []


async def test_a_target_that_is_stopped_by_it_keeps_what_waits(redis: Redis, store_url: str) -> None:
    """Its channel is gone: once an operator has enabled it again, all of it is told."""
    async with channel(store_url) as here:
        await behind(here)
        here.slack.channels = set()
        await here.deliver()
        assert (here.texts(), await here.pending()) == ([], MANY)
        here.slack.channels = None
        await Switch(here.services.store.db).on("chat")
        await here.deliver()
        (text,) = here.texts()
        assert f"{MANY} events of {MANY} groups" in text


async def test_given_up_as_a_whole_it_is_told_as_one(redis: Redis, store_url: str) -> None:
    """Every attempt of the schedule is made, then the deliveries have failed, and `exhausted` says so once."""
    async with channel(store_url) as here:
        await here.opened(MANY)
        await here.over(minutes=10)
        here.slack.script([], then=500)
        for _ in range(8):
            await here.deliver()
            await here.over(minutes=1)
        assert {one.status for one in await here.deliveries()} == {"failed"}
        assert await here.pending() == 0
        news = Counter(one.type for one in await here.services.store.log.after("0-0", 1000))
        assert news["jobwire.target.exhausted"] == 1
        db = here.services.store.db
        assert await db.run("HGET", db.keys.target("chat"), "failed") == b"%d" % MANY


async def test_an_escalation_is_never_folded(redis: Redis, store_url: str) -> None:
    """What nobody saw to in time comes as a message of its own, with the mention, beside the catch-up message."""
    routes = (
        "routes: [{match: {type: '*.*.stuck'}, to: [hook], escalate: {after: 5m, to: [chat]}},"
        " {to: [chat], group_by: [...], group_wait: 0s}]"
    )
    async with channel(store_url, chat="token: xoxb-1, channel: C1, mention: '<!here>'", routes=routes) as here:
        await here.tell("stuck", "late")
        await behind(here)
        await here.deliver()
        catch_up, escalated = sorted(here.slack.messages[:2], key=lambda one: "Catch-up" not in one.text)
        assert f"{MANY} events of {MANY} groups" in catch_up.text
        assert "Job late" in escalated.text
        assert any("<!here>" in one.text for one in here.slack.messages if one is not catch_up)


async def test_a_group_that_stands_in_the_channel_is_edited_where_it_stands(redis: Redis, store_url: str) -> None:
    """Its end is shown in its own message and told in its thread; the others are told along."""
    async with channel(store_url) as here:
        await here.opened(2, first=500)
        await here.deliver()
        posted = {one.ts for one in here.slack.messages}
        await here.tell("queued", "500")
        await behind(here)
        await here.deliver()
        parents = [one for one in here.slack.messages if one.thread_ts is None]
        assert len(parents) == 3
        (catch_up,) = [one for one in parents if one.ts not in posted]
        assert f"{MANY} events of {MANY} groups" in catch_up.text
        assert "Resolved: Job 500" in next(one.text for one in parents if "Job 500" in one.text)


async def test_what_was_only_told_along_ends_with_a_message_of_its_own(redis: Redis, store_url: str) -> None:
    """The first one about that group: what it was and how long it lasted; the others stay quiet."""
    async with channel(store_url) as here:
        await behind(here)
        await here.deliver()
        await here.tell("queued", "3")
        await here.tell("failed", "4")
        await here.pass_(minutes=2)
        ended, worse = sorted(here.parents()[1:], key=lambda one: "Job 4" in one.text)
        assert ended.text.startswith("🟢 Resolved: Job 3")
        assert "Over after" in lines_of(ended.payload)[1]
        assert worse.text.startswith("🟠 Open: Job 4")
        await here.tell("queued", "4")
        await here.pass_(minutes=2)
        assert "Resolved: Job 4" in next(one.text for one in here.slack.messages if one.ts == worse.ts)


async def test_a_click_on_a_group_that_was_told_along_shows_it(redis: Redis, store_url: str) -> None:
    """Acknowledged from the page: its own message says who has it."""
    async with channel(store_url) as here:
        await behind(here)
        await here.deliver()
        await here.services.attention.acknowledge("tax/job/7", by="ann")
        await here.pass_(minutes=2)
        assert here.texts()[1:] == [here.texts()[-1]]
        assert here.texts()[-1].startswith("🟡 Acknowledged: Job 7")


async def test_what_opened_and_ended_behind_the_pause_is_not_told(redis: Redis, store_url: str) -> None:
    """As in every message; its deliveries say so."""
    async with channel(store_url) as here:
        await here.opened(MANY)
        await here.paused()
        for number in (1, 2):
            await here.tell("queued", str(number))
        await here.services.consumer.relay.relay()
        await here.over(minutes=10)
        await here.deliver()
        (text,) = here.texts()
        assert text.startswith(f"🟠 Catch-up: {MANY - 2} open, ")
        assert await here.pending() == 0


async def test_a_channel_by_webhook_hears_of_ends_in_it_too(redis: Redis, store_url: str) -> None:
    """Nothing can be edited there: what was told open and is over now is counted, behind what is open."""
    async with channel(store_url, chat=WEBHOOK) as here:
        await here.opened(4, first=500)
        await here.deliver()
        before = len(here.texts())
        for number in range(500, 504):
            await here.tell("queued", str(number))
        await behind_more(here)
        (text,) = here.texts()[before:]
        assert text.startswith(f"🟠 Catch-up: {MANY} open, {MANY + 4} events of {MANY + 4} groups")
        lines = lines_of(here.slack.messages[before].payload)
        assert f"More is open: {MANY - 10} × devrev.job.failed" in lines
        assert "More is over: 4 × devrev.job.failed" in lines
        await here.pass_(minutes=30)
        assert len(here.texts()) == before + 1


async def behind_more(here: Channel) -> None:
    """Many further groups, late without any pause; they are told."""
    await here.opened(MANY)
    await here.over(minutes=10)
    await here.deliver()


async def test_a_template_target_catches_up_in_its_own_shape(redis: Redis, store_url: str) -> None:
    """One request with the words and numbers; Teams, Discord and the like are told as Slack is."""
    body = 'body: {content: "{{ title }}", groups: "{{ catch_up.groups }}"}'
    shape = f'type: template, url: "HOOK", secret: "{SECRET}", {body}'
    routes = "routes: [{to: [chat], group_by: [...], group_wait: 0s}]"
    async with channel(store_url, chat=shape, routes=routes) as here:
        await here.opened(MANY)
        await here.over(minutes=10)
        await here.deliver()
        (sent,) = here.hook.deliveries
        assert json.loads(sent.body) == {
            "content": f"Catch-up: {MANY} open, {MANY} events of {MANY} groups, up to 10 minutes late",
            "groups": str(MANY),
        }
        assert await here.pending() == 0


async def test_two_workers_at_once_tell_it_once(redis: Redis, store_url: str) -> None:
    """One has the lane that stands for the backlog, the others are given nothing meanwhile."""
    async with channel(store_url) as here:
        await behind(here, 60)
        deliverer = here.services.consumer.deliverer
        chat = here.services.targets["chat"]
        await asyncio.gather(*(deliverer.deliver(chat) for _ in range(4)))
        await here.deliver()
        assert len(here.texts()) == 1
        assert await here.pending() == 0


async def test_more_groups_than_one_message_tells_come_in_several(redis: Redis, store_url: str) -> None:
    """Each says how many are still to come; what is left at last is told group by group."""
    async with channel(store_url) as here:
        deliverer = here.services.consumer.deliverer
        deliverer.catching_up = replace(deliverer.catching_up, at_most=50)
        await behind(here, 50 + 50 + 7)
        await here.deliver()
        first, second, *singles = here.slack.messages
        assert "50 events of 50 groups" in first.text
        assert "57 groups more to follow" in lines_of(first.payload)[-1]
        assert "50 events of 50 groups" in second.text
        assert len(singles) == 7
        assert await here.pending() == 0


async def test_a_group_that_cannot_be_read_holds_up_nobody(redis: Redis, store_url: str) -> None:
    """The others are told without it."""
    async with channel(store_url) as here:
        await behind(here)
        db = here.services.store.db
        broken = min(await db.run("ZRANGE", db.keys.lanes("chat"), 0, -1)).decode()
        await db.run("HSET", db.keys.group("chat", broken), "book", "{")
        deliverer = here.services.consumer.deliverer
        claim = here.services.store.lanes.claim("chat", lease_ms=60_000, limit=1, take=1, grouped=True, fold_above=1)
        (lane,) = await claim
        made = await deliverer.catching_up.take(here.services.targets["chat"], lane)
        assert made.settled.verdict == "delivered"
        (text,) = here.texts()
        assert f"{MANY - 1} events of {MANY - 1} groups" in text
        assert await here.pending() == 1


async def test_figures_count_one_attempt_and_every_group(redis: Redis, store_url: str) -> None:
    """One message was sent; the deliveries that it brought are counted each."""
    async with channel(store_url) as here:
        await here.opened(MANY)
        await here.over(minutes=10)
        await here.deliver()
        db = here.services.store.db
        (totals,) = await Totals(db).attempts(["chat"])
        assert (totals.made, totals.caught_up, totals.folded) == ({("delivered", "2xx"): 1}, 1, MANY)
        assert totals.after.count == MANY
        assert await db.run("HGET", db.keys.target("chat"), "delivered") == b"%d" % MANY


async def test_a_message_that_somebody_asked_for_comes_by_itself(redis: Redis, store_url: str) -> None:
    """What is replayed while the channel is behind is not lost among the others."""
    async with channel(store_url, chat=WEBHOOK) as here:
        await here.opened(1, first=900)
        await here.deliver()
        (delivery,) = await here.deliveries()
        await here.opened(MANY)
        await Replays(here.services.store.db).replay("chat", [Again(delivery.id)])
        await here.over(minutes=10)
        await here.deliver()
        assert ["Catch-up" in text for text in here.texts()] == [False, True, False]
        assert "Job 900" in here.texts()[2]
        assert f"{MANY} events of {MANY} groups" in here.texts()[1]
