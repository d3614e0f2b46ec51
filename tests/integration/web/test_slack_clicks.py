"""A condition in Slack from its opening to its end, with clicks on its buttons, against the look-alike."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, web
from redis.asyncio import Redis
from slack_sdk.signature import SignatureVerifier

from monitor.clock import utc_now
from monitor.errors import StoreUnavailable
from monitor.simulator import SlackLookalike
from monitor.simulator.slack_clicks import click, sign
from monitor.simulator.slack_messages import SlackMessage
from monitor.targets.slack_actions import ACKNOWLEDGE, SNOOZE, TOMORROW
from monitor.targets.slack_signature import genuine
from monitor.web import listening
from tests.installation import Hands, Installation, Listing, installed, listing
from tests.servers import served

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
OLD = "0123456789abcdef0123456789abcdef"
BOT = "xoxb-canary"


@dataclass
class Office:
    """An installation that watches one list, and the Slack channel it tells."""

    watch: Installation
    slack: SlackLookalike
    jobs: Listing
    url: str
    http: ClientSession

    async def claim(self, status: str) -> None:
        """The job gets another state, and is scanned."""
        self.jobs.body = job(status)
        await self.watch.scan("dev")

    async def message(self, sign: str) -> SlackMessage:
        """The group's message, once it reads so."""
        found = await self.slack.wait_for(
            lambda found: any(one.thread_ts is None and sign in one.text for one in found), timeout=60
        )
        return next(one for one in found if one.thread_ts is None and sign in one.text)

    async def press(self, body: bytes, headers: dict[str, str]) -> int:
        """Slack's request for a click; the status of our answer."""
        async with self.http.post(f"{self.url}/slack/interactions", data=body, headers=headers) as answer:
            return answer.status

    async def open(self) -> list[dict[str, Any]]:
        """The conditions as the API shows them."""
        async with self.http.get(f"{self.url}/api/v1/conditions") as answer:
            found: list[dict[str, Any]] = (await answer.json())["items"]
            return found

    async def becomes(self, state: str) -> dict[str, Any]:
        """The only condition, once it is so: Slack's answer does not wait for a slow store."""
        while True:
            (condition,) = await self.open()
            if condition["state"] == state:
                return condition
            await asyncio.sleep(0.01)


def job(state: str) -> dict[str, Any]:
    """A page of DevRev jobs with one in this state."""
    one = {"id": "don:core:job/1", "state": state, "title": "Import of users", "created_date": "2026-01-05T09:00:00Z"}
    return {"jobs": [one], "next_cursor": None}


@asynccontextmanager
async def office(store_url: str, users: str = "", attention: Any = None, grouped: str = "") -> AsyncIterator[Office]:
    """A DevRev source whose job has failed, told in Slack; `attention` takes the place of the web's own."""
    async with (
        SlackLookalike(token=BOT) as slack,
        listing(job("in_progress")) as (provider, one),
        ClientSession() as http,
    ):
        slack.enforce_rate = False
        config = f"""
web: {{listen: "127.0.0.1:0"}}
egress: {{allow: [127.0.0.0/8]}}
sources:
  dev: {{provider: devrev, base_url: "{provider}", token: provider-token-1, every: 1h}}
targets:
  chat: {{type: slack, token: {BOT}, channel: C0123, api_url: "{slack.api_url}", rate: 50,
         signing_secrets: [{SECRET}, {OLD}], mention: "<!here>"{users}}}
routes:
  - {{match: {{type: "**.failed"}}, to: [chat], group_wait: 0s, group_interval: 100ms, repeat_interval: 4h{grouped}}}
"""
        async with (
            installed(store_url, config, Hands(utc_now())) as watch,
            listening(replace(watch.services, attention=attention) if attention else watch.services) as url,
        ):
            running = asyncio.create_task(watch.services.consumer.run())
            try:
                await watch.scan("dev")
                here = Office(watch, slack, one, url, http)
                await here.claim("failed")
                yield here
            finally:
                watch.services.stopping.set()
                await running


async def test_a_condition_is_acknowledged_with_a_click(redis: Redis, store_url: str) -> None:
    """A24: the message says who has it; a second click is harmless, and so is the same request again."""
    async with office(store_url) as here, asyncio.timeout(120):
        shown = await here.message("Open")
        body, headers = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()), user="U0DANA")
        again, signed = click(shown, ACKNOWLEDGE, secret=OLD, timestamp=int(time.time()), user="U0ELI")
        assert SignatureVerifier(SECRET).is_valid_request(body, headers)
        assert await here.press(body, headers) == 200
        taken = await here.message("Acknowledged")
        assert taken.ts == shown.ts
        assert "u0dana" in str(taken.blocks)
        assert await here.press(body, headers) == 200
        assert await here.press(again, signed) == 200
        (condition,) = await here.open()
        assert condition["state"] == "acknowledged"

        await here.claim("completed")
        ended = await here.message("Resolved")
        assert ended.ts == shown.ts
        assert "acknowledged by u0dana" in str(ended.blocks)
        thread = await here.slack.wait_for(
            lambda found: sum(one.thread_ts is not None for one in found) == 2, timeout=60
        )
        replies = [str(one.payload) for one in thread if one.thread_ts == shown.ts]
        assert ["Acknowledged by u0dana" in one for one in replies] == [True, False]
        assert ". Over after" in replies[1]


async def test_a_snooze_lasts_as_chosen(redis: Redis, store_url: str) -> None:
    """One hour, from the menu."""
    async with office(store_url) as here, asyncio.timeout(120):
        shown = await here.message("Open")
        chosen = chosen_from(shown, "1h")
        body, headers = click(chosen, SNOOZE, secret=SECRET, timestamp=int(time.time()))
        assert await here.press(body, headers) == 200
        await here.message("Snoozed")
        (condition,) = await here.open()
        assert condition["state"] == "snoozed"
        assert condition["snoozed_until"] is not None


def chosen_from(message: SlackMessage, choice: str) -> SlackMessage:
    """The message as Slack sends it when something was chosen from the menu."""
    for block in message.payload["blocks"]:
        for element in block.get("elements", []):
            if element.get("action_id") == SNOOZE:
                element["selected_option"] = next(
                    one for one in element["options"] if one["value"].startswith(f"{choice} ")
                )
    return message


async def test_what_slack_did_not_sign_changes_nothing(redis: Redis, store_url: str) -> None:
    """A24: another secret, an old timestamp, no timestamp, another body, nothing at all: 401, and it stays open."""
    async with office(store_url) as here, asyncio.timeout(120):
        shown, now = await here.message("Open"), int(time.time())
        body, good = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=now)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        for headers in (
            click(shown, ACKNOWLEDGE, secret="somebody else's", timestamp=now)[1],
            click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=now - 400)[1],
            good | {"X-Slack-Request-Timestamp": "soon"},
            good | {"X-Slack-Request-Timestamp": ""},
            kind | {"X-Slack-Signature": good["X-Slack-Signature"]},
            kind,
        ):
            assert await here.press(body, headers) == 401
        assert await here.press(body + b"&x=1", good) == 401
        (condition,) = await here.open()
        assert condition["state"] == "open"


async def test_what_slack_signs_and_is_no_click_of_ours_is_fine(redis: Redis, store_url: str) -> None:
    """Link buttons, modals and whatever else: 200, and nothing happens."""
    async with office(store_url) as here, asyncio.timeout(120):
        await here.message("Open")
        for body in (b"", b"payload=x", b"payload=%5B%5D", b'payload={"type":"block_actions","actions":[1]}', b"\xff"):
            assert await here.press(body, sign(body, SECRET, int(time.time()))) == 200
        (condition,) = await here.open()
        assert condition["state"] == "open"


async def test_unknown_users_are_refused(redis: Redis, store_url: str) -> None:
    """A24: who is not in `users` changes nothing, and Slack still gets its 200."""
    async with office(store_url, users=", users: [U0DANA]") as here, asyncio.timeout(120):
        shown = await here.message("Open")
        body, headers = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()), user="U0STRANGER")
        assert await here.press(body, headers) == 200
        (condition,) = await here.open()
        assert condition["state"] == "open"
        body, headers = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()), user="U0DANA")
        assert await here.press(body, headers) == 200
        await here.message("Acknowledged")


async def test_members_of_a_group_may_click(redis: Redis, store_url: str) -> None:
    """A24: who belongs to it is asked of Slack and kept for a minute; nobody does while Slack does not say."""
    async with office(store_url, users=", users: [U0DANA, S0ONCALL]") as here, asyncio.timeout(120):
        shown = await here.message("Open")
        pressed = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()), user="U0ELI")
        assert await here.press(*pressed) == 200
        while here.slack.rejected != {"no_such_subteam": 1}:
            await asyncio.sleep(0.01)
        here.slack.usergroups["S0ONCALL"] = ["U0ELI"]
        for user, state in (("U0STRANGER", "open"), ("U0ELI", "acknowledged")):
            at = int(time.time()) - (user == "U0ELI")  # another second than before, so another signature
            assert await here.press(*click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=at, user=user)) == 200
            await here.becomes(state)


async def test_a_click_in_an_unknown_channel_must_be_allowed_by_all_who_share_the_secret(
    redis: Redis, store_url: str
) -> None:
    """A24: Slack names private channels otherwise than people do, and that opens no way round an allow-list."""
    open_one = "}\n  else: {type: slack, token: xoxb-other-1, channel: C0ELSE, signing_secret: " + SECRET
    async with office(store_url, users=f", users: [U0DANA]{open_one}") as here, asyncio.timeout(120):
        shown = await here.message("Open")
        for channel, state in (("G0PRIVATE", "open"), ("C0ELSE", "acknowledged")):
            moved = replace(shown, channel=channel)
            pressed = click(moved, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()), user="U0ELI")
            assert await here.press(*pressed) == 200
            await here.becomes(state)


@dataclass
class Slow:
    """Recording what people do takes until the gate opens, and fails then."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def acknowledge(self, id: str, **said: object) -> None:
        await self.gate.wait()
        raise StoreUnavailable("the store went away")


async def test_slack_is_answered_in_time_and_a_click_that_fails_later_is_owned_up_to(
    redis: Redis, store_url: str
) -> None:
    """A24: 200 although the store is slow; who clicked is told that nothing has changed."""
    told: list[dict[str, Any]] = []

    async def hear(request: web.Request) -> web.Response:
        told.append(await request.json())
        return web.Response()

    slow = Slow()
    async with office(store_url, attention=slow) as here, served(hear) as answers, asyncio.timeout(120):
        shown = await here.message("Open")
        pressed = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()))
        assert await here.press(*answered_at(f"{answers}/slack", pressed)) == 200
        assert told == []
        slow.gate.set()
        while not told:
            await asyncio.sleep(0.01)
        assert "could not be recorded" in told[0]["text"]
        (condition,) = await here.open()
        assert condition["state"] == "open"


def answered_at(url: str, pressed: tuple[bytes, dict[str, str]]) -> tuple[bytes, dict[str, str]]:
    """The same click with another address for answers, signed by whoever knows the secret."""
    payload = json.loads(parse_qs(pressed[0].decode())["payload"][0])
    body = urlencode({"payload": json.dumps(payload | {"response_url": url})}).encode()
    return body, pressed[1] | sign(body, SECRET, int(time.time()))


async def test_a_refusal_is_told_to_whoever_clicked_and_only_where_slack_listens(redis: Redis, store_url: str) -> None:
    """A24: politely, for their eyes alone; a click that names another host for the answer makes us call nobody."""
    told: list[tuple[str, dict[str, Any]]] = []

    async def hear(request: web.Request) -> web.Response:
        told.append((request.path, await request.json()))
        return web.Response()

    async with (
        office(store_url, users=", users: [U0DANA]") as here,
        served(hear) as answers,
        asyncio.timeout(120),
    ):
        shown = await here.message("Open")
        pressed = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()), user="U0STRANGER")
        elsewhere = answers.replace("127.0.0.1", "localhost")
        assert await here.press(*answered_at(f"{elsewhere}/elsewhere", pressed)) == 200
        assert await here.press(*answered_at(f"{answers}/slack", pressed)) == 200
        while not told:
            await asyncio.sleep(0.01)
        ((path, body),) = told
        assert (path, body["response_type"], body["replace_original"]) == ("/slack", "ephemeral", False)
        assert "You may not acknowledge" in body["text"]


async def test_the_same_request_again_does_nothing_even_when_the_first_was_taken_back(
    redis: Redis, store_url: str
) -> None:
    """A24: whoever recorded a click cannot acknowledge with it once more."""
    async with office(store_url) as here, asyncio.timeout(120):
        shown = await here.message("Open")
        body, headers = click(shown, ACKNOWLEDGE, secret=SECRET, timestamp=int(time.time()))
        assert await here.press(body, headers) == 200
        condition = await here.becomes("acknowledged")
        await here.watch.services.attention.reopen(condition["id"])
        assert await here.press(body, headers) == 200
        (condition,) = await here.open()
        assert condition["state"] == "open"


async def test_tomorrow_is_the_morning_of_the_targets_zone(redis: Redis, store_url: str) -> None:
    """Nine o'clock where the readers are, on their next day."""
    zone = ZoneInfo("Asia/Tokyo")
    async with office(store_url, users=", timezone: Asia/Tokyo") as here, asyncio.timeout(120):
        chosen = chosen_from(await here.message("Open"), TOMORROW)
        days = {utc_now().astimezone(zone).date() + timedelta(days=1)}
        body, headers = click(chosen, SNOOZE, secret=SECRET, timestamp=int(time.time()))
        assert await here.press(body, headers) == 200
        condition = await here.becomes("snoozed")
        days.add(utc_now().astimezone(zone).date() + timedelta(days=1))
        until = datetime.fromisoformat(condition["snoozed_until"]).astimezone(zone)
        assert (until.date() in days, until.hour, until.minute) == (True, 9, 0)


async def test_a_deleted_message_is_posted_anew(redis: Redis, store_url: str) -> None:
    """Somebody cleaned up the channel; the next news is a message again, with what is so now."""
    async with office(store_url) as here, asyncio.timeout(120):
        shown = await here.message("Open")
        shown.deleted = True
        await here.claim("completed")
        ended = await here.message("Resolved")
        assert ended.ts != shown.ts


def test_a_signature_is_judged_as_slack_does() -> None:
    """By the sample of Slack's own page, which is years old, and by its freshness."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
        b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    assert genuine(headers, body, [OLD, SECRET], 1531420618 + 299)
    assert not genuine(headers, body, [OLD, SECRET], 1531420618 + 301)
    assert not genuine(headers, body, [SECRET[:-1]], 1531420618)
    assert not genuine(headers, body, [], 1531420618)
