"""Who would get an event, what exactly, and a message marked as a test."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from monitor.bootstrap import services
from monitor.moments import parse_instant
from monitor.simulator import Receiver
from monitor.web.asking import Asking
from monitor.web.problems import Problem
from tests.installation import SECRET
from tests.integration.web.serving import Served, jobs, served
from tests.unit.targets.events import EXPIRING

TARGETS = """
  chat: {type: slack, webhook_url: "https://hooks.slack.com/services/T0/B0/canary", digest: {at: "09:00", days: 7}}
  am: {type: alertmanager, url: "http://127.0.0.1:9"}
  pager: {type: pagerduty, routing_key: canary-routing-key}
"""


async def post(at: Served, path: str, body: Any) -> tuple[int, Any]:
    """A POST with a JSON body; status and JSON of the answer."""
    async with at.http.post(f"{at.url}/api/v1/{path}", json=body) as answer:
        return answer.status, await answer.json()


async def test_the_tree_is_that_of_the_command_line(redis: Redis, store_url: str) -> None:
    """With timers as they work."""
    async with served(store_url) as at:
        (route,) = (await at.get("/api/v1/routes"))["items"]

        assert (route["path"], route["to"], route["continue"], route["group_wait"]) == ("routes[0]", ["ops"], False, 10)


async def test_who_would_get_an_event_is_said(redis: Redis, store_url: str) -> None:
    """Of a type, or of a whole event; what fits nothing is 400 with words."""
    async with served(store_url) as at:
        status, found = await post(at, "routes/test", {"type": "worklayer.job.claimed", "source": "tax"})
        assert (status, found["targets"], found["decisions"][0]["route"]) == (200, ["ops"], "routes[0]")
        event = msgspec.json.decode(EXPIRING)
        assert (await post(at, "routes/test", {"event": event}))[1]["targets"] == ["ops"]
        own = {"type": "jobwire.target.failing", "subject": "target/ops", "data": {"resource": None}}
        assert (await post(at, "routes/test", {"event": own}))[1] == {"targets": [], "decisions": []}
        for wrong in ({}, {"event": event, "type": "a.b.c"}, {"type": "claimed"}, {"event": {"type": "x"}}):
            status, problem = await post(at, "routes/test", wrong)
            assert (status, problem["title"]) == (400, "Bad Request")
        status, problem = await post(at, "routes/test", {"type": "devrev.job.completed", "source": "tax"})
        assert (status, "speaks worklayer" in problem["detail"]) == (400, True)


async def test_the_exact_message_is_shown_without_secrets(redis: Redis, store_url: str) -> None:
    """About a stored event, about one that is brought along, and the digest."""
    async with served(store_url, targets=TARGETS, to="ops, chat") as at:
        assert (await at.ask("GET", "/api/v1/targets/chat/digest")).status == 409
        await at.watch.scan()
        at.listing.body = jobs("a", "b", "c", status="CLAIMED")
        soon = at.watch.hands.now() + timedelta(days=2)
        at.listing.body["data"][0]["deadline_time"] = soon.isoformat()
        await at.watch.scan()
        await at.watch.services.consumer.relay.relay()
        event = (await at.get("/api/v1/events"))["items"][-1]
        hook = await at.get(f"/api/v1/events/{event['id']}/preview?target=ops")
        assert (hook["method"], hook["address"], hook["body"]) == ("POST", "http://127.0.0.1:9/x", event)
        status, pager = await post(at, "targets/pager/preview", {"event": msgspec.json.decode(EXPIRING)})
        assert (status, pager["body"]["event_action"], pager["body"]["routing_key"]) == (200, "trigger", "***")
        digest = await at.get("/api/v1/targets/chat/digest")
        assert "canary" not in str([hook, pager, digest])
        assert digest["body"]["blocks"]


async def test_what_is_open_is_shown_since_it_opened(redis: Redis, store_url: str) -> None:
    """Whenever the preview is asked for: as the store has it."""
    async with served(store_url, targets=TARGETS) as at:
        at.listing.status = 401
        await at.watch.scan()
        await at.watch.services.consumer.relay.relay()
        (known,) = (await at.get("/api/v1/conditions"))["items"]
        at.watch.hands.pass_(hours=1)
        shown = await at.get(f"/api/v1/events/{known['event_id']}/preview?target=am")
        assert parse_instant(shown["body"][0]["startsAt"]) == parse_instant(known["opened_at"])


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("events/evt_no/preview?target=ops", 404, "no event"),
        ("events/evt_no/preview", 400, "target: say"),
        ("events/evt_no/preview?target=nobody", 400, "target: there is no such one"),
        ("targets/ops/digest", 409, "gets no digest"),
        ("targets/nobody/digest", 404, "no target"),
    ],
)
async def test_what_cannot_be_shown_is_said(redis: Redis, store_url: str, path: str, status: int, said: str) -> None:
    """By a problem each."""
    async with served(store_url) as at, at.http.get(f"{at.url}/api/v1/{path}") as answer:
        assert (answer.status, said in (await answer.json())["detail"]) == (status, True)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({}, 400),
        ({"type": "a.b.c", "data": {"resource": 7}}, 400),
        ({"type": "driver_jobs.contract.expiring", "data": {"deadline": 7, "resource": {"fields": []}}}, 400),
        ({"type": "a.b.c", "data": {}}, 200),
    ],
)
async def test_an_event_that_is_none_of_ours_is_refused(
    redis: Redis, store_url: str, event: dict[str, Any], status: int
) -> None:
    """400 in words where it cannot be told, never an error of ours."""
    async with served(store_url, targets=TARGETS) as at:
        found, said = await post(at, "targets/chat/preview", {"event": event})
        assert (found, "event" in str(said)) == (status, True)


async def test_a_target_is_sent_a_test(redis: Redis, store_url: str) -> None:
    """Signed, past its queue; where nobody answers the answer says so, and is no problem of the call."""
    async with Receiver(secrets=[SECRET]) as receiver:
        more = f'\n  live: {{type: webhook, url: "{receiver.url}", secret: "{SECRET}"}}'
        async with served(store_url, targets=more) as at:
            _, taken = await post(at, "targets/live/test", None)
            _, refused = await post(at, "targets/ops/test", None)

        assert (taken["delivered"], taken["status"], taken["target"]) == (True, 204, "live")
        assert [one.type for one in receiver.deliveries] == ["jobwire.test"]
        assert (refused["delivered"], refused["status"]) == (False, None)
        assert refused["error"]


async def test_a_test_is_signed_as_the_workers_sign(redis: Redis, store_url: str) -> None:
    """By the secret that another process has rotated to since this one began."""
    more = f'store: {{key: "{base64.b64encode(bytes(range(32))).decode()}"}}'
    async with Receiver(secrets=[SECRET]) as receiver:
        live = f'  live: {{type: webhook, url: "{receiver.url}", secret: "{SECRET}"}}'
        async with (
            served(store_url, targets=live, more=more) as at,
            services(at.watch.services.settings, store_url) as worker,
        ):
            made = await worker.rotation.rotate("live", 0.0, None)
            receiver.secrets[:] = [made.secret]
            _, taken = await post(at, "targets/live/test", None)

        assert (taken["delivered"], [one.verified for one in receiver.deliveries]) == (True, [True])


async def test_a_dry_run_that_takes_too_long_is_given_up(redis: Redis, store_url: str) -> None:
    """504 that says what to do instead; the next one may begin."""
    async with served(store_url) as at:
        asking = Asking(at.watch.services, 0.0)
        for _ in range(2):
            with pytest.raises(Problem, match="jobwire poll --dry-run") as caught:
                await asking._dry("tax")
            assert caught.value.status == 504


async def test_a_dry_run_shows_what_a_scan_would_make(redis: Redis, store_url: str) -> None:
    """The objects of `poll --dry-run --json`; nothing is stored, one at a time, a failure is told in the report."""
    async with served(store_url) as at:
        await at.watch.scan()
        at.listing.body = jobs("a", "b", "c", "d")
        before = await at.watch.services.store.log.end()
        _, found = await post(at, "sources/tax/poll?dry_run=true", None)
        assert (found["source"], found["scan"]["complete"], found["scan"]["events"]) == ("tax", True, 1)
        assert [one["type"] for one in found["events"]] == ["worklayer.job.created"]
        assert await at.watch.services.store.log.end() == before
        at.listing.status = 404
        assert (await post(at, "sources/tax/poll?dry_run=true", None))[1]["scan"]["reason"] == "not_found"
        both = await asyncio.gather(*(post(at, "sources/tax/poll?dry_run=true", None) for _ in range(4)))
        assert {200, 503} >= {status for status, _ in both} >= {200}
        assert (await post(at, "sources/tax/poll?dry_run=perhaps", None))[0] == 400
