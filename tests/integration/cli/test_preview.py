"""`jobwire preview`: what would be sent, for people and for programs."""

from __future__ import annotations

from redis.asyncio import Redis

from tests.integration.cli.commands import Jobwire
from tests.unit.targets.events import EXPIRING

CONFIG = """
sources:
  uk-drivers: {provider: driver_jobs, base_url: "http://127.0.0.1:1", token: "canary-source-token"}
targets:
  chat: {type: slack, webhook_url: "https://hooks.slack.com/services/T0/B0/canary-hook-path"}
  pager: {type: pagerduty, routing_key: canary-routing-key}
  hook: {type: webhook, url: "https://x.example/y", secret: "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeQ=="}
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
