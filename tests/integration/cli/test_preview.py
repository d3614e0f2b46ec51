"""`jobwire preview`: what would be sent, for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from redis.asyncio import Redis

from monitor.answers.preview import preview_of
from monitor.conditions import Condition
from monitor.conditions.families import family_of
from monitor.conditions.life import Told, opened
from monitor.settings import load
from monitor.targets import TARGETS
from tests.integration.cli.commands import Jobwire
from tests.unit.targets.events import EXPIRING

CONFIG = """
sources:
  uk-drivers: {provider: driver_jobs, base_url: "http://127.0.0.1:1", token: "canary-source-token"}
targets:
  chat: {type: slack, webhook_url: "https://hooks.slack.com/services/T0/B0/canary-hook-path"}
  pager: {type: pagerduty, routing_key: canary-routing-key}
  hook: {type: webhook, url: "https://x.example/y", secret: "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeQ=="}
  am: {type: alertmanager, url: "https://x.example/am"}
  own: {type: template, url: "https://x.example/z", body: {since: "{{ conditions[0].since }}"}}
  people: {type: apprise, urls: ["ntfys://canary-user:canary-word@ntfy.example/canary-topic"]}
routes:
  - {name: ends, match: {type: "*.contract.*"}, to: [chat, pager], severity: critical}
"""


async def test_a_message_is_shown_as_it_reads_and_as_it_is(bare: Jobwire) -> None:
    """Words first, then the JSON; with the severity of the route; no secret in either."""
    bare.configure(CONFIG)
    (bare.home / "event.json").write_bytes(EXPIRING)

    people = await bare("preview", "event.json", "--target", "chat")
    program = await bare("preview", "event.json", "--target", "chat", "--json")
    pager = await bare("preview", "event.json", "--target", "pager", "--json")
    hook = await bare("preview", "event.json", "--target", "hook")

    assert people.code == 0, people.err
    assert "🔴 Critical, Open: Contract of Tony Stark at ACME: ends in 14 days" in people.out
    assert "route ends" in people.out
    assert program.json[0]["body"]["blocks"]
    assert pager.json[0]["body"]["event_action"] == "trigger"
    assert pager.json[0]["body"]["routing_key"] == "***"
    assert '"driver_jobs.contract.expiring"' in hook.out
    assert not [one for one in (people, program, pager, hook) if "canary" in one.out + one.err]


async def test_since_is_when_it_happened_and_not_when_it_is_shown(bare: Jobwire) -> None:
    """For every type of target: an event previewed later is the message that was sent then."""
    bare.configure(CONFIG)
    (bare.home / "event.json").write_bytes(EXPIRING)

    shown = {
        one: await bare("preview", "event.json", "--target", one, "--json") for one in ("chat", "pager", "am", "own")
    }
    sent = {name: one.json[0]["body"] for name, one in shown.items()}

    assert "since 5 Jan 09:30 UTC" in sent["chat"]["text"]
    assert sent["am"][0]["startsAt"] == "2026-01-05T09:30:02.114Z"
    assert sent["pager"]["payload"]["timestamp"] == "2026-01-05T09:30:02.114Z"
    assert sent["own"]["since"] == "2026-01-05T09:30:02.114Z"


async def test_since_is_when_its_condition_really_opened(bare: Jobwire) -> None:
    """Where the store knows of it: an event that moved what was open long before, but none of an earlier life."""
    bare.configure(CONFIG)
    settings = load(bare.config, {})
    target = TARGETS["alertmanager"].build("am", settings.targets["am"].options)
    event = msgspec.json.decode(EXPIRING)
    family = family_of(event["type"])
    assert family is not None
    at, day = datetime(2026, 1, 5, 9, 30, 2, 114000, UTC), timedelta(days=1)

    def begins(known: Condition) -> str:
        (alert,) = preview_of(settings, target, "am", EXPIRING, at + 9 * day, known).body
        return str(alert["startsAt"])

    def since(opened_at: datetime, **changes: Any) -> Condition:
        known = opened(None, family, Told("1-0", EXPIRING, event), opened_at)
        return msgspec.structs.replace(known, **changes)

    assert begins(since(at - 3 * day, event="evt_later")) == "2026-01-02T09:30:02.114Z"
    assert begins(since(at + timedelta(seconds=2))) == "2026-01-05T09:30:04.114Z"
    assert begins(since(at - 3 * day, event="evt_older", ended_at=at - day)) == "2026-01-05T09:30:02.114Z"
    assert begins(since(at + day, event="evt_later")) == "2026-01-05T09:30:02.114Z"


async def test_what_a_library_would_send_is_shown_too(bare: Jobwire) -> None:
    """Title and text; of the services only the kind."""
    bare.configure(CONFIG)
    (bare.home / "event.json").write_bytes(EXPIRING)
    shown = await bare("preview", "event.json", "--target", "people", "--json")
    assert shown.code == 0, shown.err
    assert shown.json[0]["body"]["title"] == "Contract of Tony Stark at ACME: ends in 14 days"
    assert "canary" not in shown.out + shown.err


async def test_a_target_without_a_digest_has_none_to_show(shared: Jobwire, redis: Redis) -> None:
    """And the answer says what to write."""
    shown = await shared("preview", "digest", "--target", "hook")
    assert shown.code == 2
    assert "gets no digest" in shown.err


async def test_what_is_not_there_is_said(shared: Jobwire, redis: Redis) -> None:
    """An event that nobody has stored, a target that is none."""
    event = await shared("preview", "evt_none", "--target", "hook")
    target = await shared("preview", "evt_none", "--target", "hok")

    assert (event.code, target.code) == (2, 2)
    assert "jobwire events" in event.err
    assert "did you mean hook" in target.err
