"""pagerduty: conditions as alerts that are triggered, acknowledged and resolved; occurrences as change events.

https://developer.pagerduty.com/docs/events-api-v2-overview
https://developer.pagerduty.com/docs/send-alert-event https://developer.pagerduty.com/docs/send-change-event
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from pydantic import Field

from monitor import __version__
from monitor.conditions import Status
from monitor.exchange import Exchange, Request, Response, ask
from monitor.grouping.message import Member, News, Reason
from monitor.plugin import Plugin
from monitor.targets.address import HiddenUrl, TargetUrl, below, secrets_in, shown
from monitor.targets.answers import asked_wait, excerpt, named
from monitor.targets.base import GroupedOptions, Message, Outcome, Target, Verdict
from monitor.targets.beside import occurrences
from monitor.targets.telling import Facts, plain_text, read, tell
from monitor.values import Secret

TEST = "jobwire.test"
_ALERTS, _CHANGES = "/v2/enqueue", "/v2/change/enqueue"
_SEVERITIES = {"critical": "critical", "warning": "warning", "info": "info"}
# https://developer.pagerduty.com/docs/send-alert-event: summary 1024 characters, an event 512 KB, dedup_key 255.
_SUMMARY, _SENTENCE, _VALUE = 1024, 2_000, 500
_FIELDS = 20


class PagerdutyOptions(GroupedOptions):
    """Options of a pagerduty target."""

    url: TargetUrl = Field(
        default="https://events.pagerduty.com",
        description="root of the Events API; https://events.eu.pagerduty.com for accounts in the EU",
    )
    routing_key: Secret = Field(description="integration key of the service or of an event orchestration")

    def destinations(self) -> Mapping[str, str]:
        """The one host."""
        return {"url": self.url}


class Pagerduty:
    """One PagerDuty service: the same condition has the same dedup_key for ever, so repetitions do no harm."""

    grouped = True
    attends = True

    def __init__(self, options: PagerdutyOptions) -> None:
        root = options.url.removesuffix("/").removesuffix(_ALERTS)
        self._alerts, self._changes = HiddenUrl(below(root, _ALERTS)), HiddenUrl(below(root, _CHANGES))
        self._key = options.routing_key.get_secret_value()
        self._hidden = (self._key, *secrets_in(options.url, options.further))
        self._headers = {**options.further, "content-type": "application/json", "user-agent": f"jobwire/{__version__}"}

    def address(self) -> str:
        """Where alerts go; the key is in no URL."""
        return shown(self._alerts)

    def send(self, message: Message) -> Exchange[Outcome]:
        """One request for each condition that has news and for each occurrence; the first that fails ends the attempt.

        What went before it is sent again with the next attempt, and PagerDuty knows it by its key.
        """
        outcome = Outcome(Verdict.DELIVERED, 202, response="nothing that PagerDuty does not know already")
        for url, event in self._events(message):
            body = msgspec.json.encode({"routing_key": self._key, **event})
            request = Request("POST", url, headers=self._headers, body=body, authorise=False, idempotent=False)
            response = yield from ask(request)
            outcome = self._judge(response, asked_wait(response, message.sent_at))
            if outcome.verdict is not Verdict.DELIVERED:
                return outcome
        return outcome

    def _events(self, message: Message) -> Iterator[tuple[str, dict[str, Any]]]:
        group = message.group
        for member in group.members if group else ():
            if member.news is not News.SAME or (group and group.reason is Reason.REPEAT):
                labels = {"route": group.route, **group.labels} if group else {}
                yield self._alerts, _of_condition(member, labels)
        for body in occurrences(message):
            facts = read(body)
            if facts.type == TEST:
                yield from self._drill(facts)
            else:
                yield self._changes, _change(facts)

    def _drill(self, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
        """A test must show that alerts get through, and must leave nothing open."""
        key = f"jobwire:{facts.id}"
        yield self._alerts, {"event_action": "trigger", "dedup_key": key, **_payload(facts, "info", facts.time, {})}
        yield self._alerts, {"event_action": "resolve", "dedup_key": key}

    def _judge(self, response: Response, wait: float | None) -> Outcome:
        """202 is taken. 400 is final; where it is about the routing key, nothing will ever be taken."""
        status, said = response.status, excerpt(response.body, self._hidden)
        key_refused = status in {401, 403} or (status == 400 and b"routing" in response.body.lower())
        final = status in {400, 410, 413} or key_refused
        verdict = Verdict.DELIVERED if status == 202 else Verdict.FAILED if final else Verdict.RETRY
        error = f"PagerDuty answered {named(status)}" + (": it does not know routing_key" if key_refused else "")
        return Outcome(
            verdict,
            status,
            None if verdict is Verdict.DELIVERED else error,
            retry_after=wait,
            hold=status in {429, 503},
            disable=key_refused or status == 410,
            address=response.address,
            response=said,
        )


def _of_condition(member: Member, labels: Mapping[str, str]) -> dict[str, Any]:
    condition = member.condition
    key = {"dedup_key": f"jobwire:{condition.id}"}
    if member.over:
        return {"event_action": "resolve", **key}
    if member.status is Status.ACKNOWLEDGED:
        return {"event_action": "acknowledge", **key}
    facts = read(condition.event_bytes)
    times = {"times": f"{member.times} within 2 h"} if member.times > 1 else {}
    return {"event_action": "trigger", **key, **_payload(facts, member.severity, facts.time, {**labels, **times})}


def _payload(facts: Facts, severity: str, at: str, further: Mapping[str, str]) -> dict[str, Any]:
    said = tell(facts)
    return {
        "payload": {
            "summary": f"{facts.title}: {said.move}"[:_SUMMARY],
            "source": facts.source[:_VALUE] or "jobwire",
            "severity": _SEVERITIES.get(severity, "warning"),
            "timestamp": at,
            "component": facts.key[:_VALUE],
            "group": facts.provider or "jobwire",
            "class": facts.type,
            "custom_details": {**_details(facts), **{name: value[:_VALUE] for name, value in further.items()}},
        },
        "client": "jobwire",
        **_links(facts),
    }


def _change(facts: Facts) -> dict[str, Any]:
    payload = {
        "summary": f"{facts.title}: {tell(facts).move}"[:_SUMMARY],
        "timestamp": facts.time,
        "source": facts.source[:_VALUE] or "jobwire",
        "custom_details": _details(facts),
    }
    return {"payload": payload, **_links(facts)}


def _details(facts: Facts) -> dict[str, str]:
    fields = {name: str(value)[:_VALUE] for name, value in list(facts.fields.items())[:_FIELDS] if value is not None}
    return {"what": plain_text(tell(facts).sentence)[:_SENTENCE], "event_id": facts.id, "type": facts.type, **fields}


def _links(facts: Facts) -> dict[str, Any]:
    if facts.url is None or not facts.url.startswith(("https://", "http://")):
        return {}
    return {"links": [{"href": facts.url, "text": facts.title[:_VALUE]}]}


def build(_: str, options: PagerdutyOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Pagerduty(options)


PLUGIN: Plugin[PagerdutyOptions, Target] = Plugin(PagerdutyOptions, build)
