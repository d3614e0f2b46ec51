"""alertmanager: conditions as alerts of Prometheus' Alertmanager, occurrences as alerts that end by themselves.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (POST /api/v2/alerts)
https://prometheus.io/docs/alerting/latest/clients/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from pydantic import Field

from monitor import __version__
from monitor.exchange import Exchange, Request, Response, ask
from monitor.grouping.message import Member, Reason
from monitor.moments import parse_instant, stamp
from monitor.plugin import Plugin
from monitor.routing import default_severity
from monitor.targets.address import HiddenUrl, TargetUrl, below, secrets_in, shown, web_link
from monitor.targets.answers import asked_wait, excerpt, named
from monitor.targets.base import GroupedOptions, Message, Outcome, Target, Verdict
from monitor.targets.beside import apart
from monitor.targets.standing import facts_of
from monitor.targets.telling import Facts, headline, plain_text, read, tell
from monitor.values import Duration

_LIVES = 4
"""An open alert ends by itself after so many refreshes that did not come, as Prometheus has it."""

_SUMMARY, _DESCRIPTION = 200, 400
"""Characters; a hundred alerts go out at once."""

_LABEL = re.compile(r"[^a-zA-Z0-9_]")


class AlertmanagerOptions(GroupedOptions):
    """Options of an alertmanager target."""

    # What an Alertmanager held is gone when it comes back: it must hear of it sooner than others are tried again.
    retry: list[Duration] = Field(
        default=[5.0, 30.0, *[60.0] * 8, *[300.0] * 12],
        max_length=64,
        description="delays between attempts; what is open is told again after the last of them, too",
    )
    url: TargetUrl = Field(description="root of the Alertmanager; a path prefix is kept")
    refresh: Duration = Field(
        default=60.0, ge=10.0, le=3600.0, description="how often what is open is told again; forgotten after four times"
    )
    occurrence_for: Duration = Field(
        default=300.0, ge=60.0, description="how long an occurrence, which nothing ends, stands as an alert"
    )

    def destinations(self) -> Mapping[str, str]:
        """The one URL."""
        return {"url": self.url}


class Alertmanager:
    """One Alertmanager: it holds what is open, and forgets what is not told again."""

    grouped = True

    def __init__(self, name: str, options: AlertmanagerOptions) -> None:
        self._name = name
        self.refresh = options.refresh
        self._url = HiddenUrl(below(options.url, "/api/v2/alerts"))
        self._occurrence = timedelta(seconds=options.occurrence_for)
        self._hidden = secrets_in(options.url, options.further)
        self._headers = {**options.further, "content-type": "application/json", "user-agent": f"jobwire/{__version__}"}

    def address(self) -> str:
        """The URL without user, password and query."""
        return shown(self._url)

    def send(self, message: Message) -> Exchange[Outcome]:
        """All conditions of the group as they are now, and what else happened, in one POST; repetitions do no harm."""
        alerts = list(self._alerts(message))
        if not alerts:
            return Outcome(Verdict.DELIVERED, response="nothing that is not told by another group")
        body = msgspec.json.encode(alerts)
        request = Request("POST", self._url, headers=self._headers, body=body, authorise=False, idempotent=False)
        response = yield from ask(request)
        return self._judge(response, message.sent_at)

    def _alerts(self, message: Message) -> Iterator[dict[str, Any]]:
        labels = _labels(message.group.labels) if message.group else {}
        for member in message.group.members if message.group else ():
            yield from self._of_condition(member, labels, message)
        # What ended a condition is told by the end of its alert.
        ended = {member.condition.ended_event for member in message.group.members} if message.group else set()
        for one in apart(message):
            if one.id in ended:
                continue
            facts = read(one.body)
            own = {**labels, **_about(facts, facts.type, one.severity), "event": facts.id}
            # Counted from now, however late it comes: what ended in the past nobody would hear of.
            begins = min(parse_instant(facts.time) or message.sent_at, message.sent_at)
            yield _alert(own, facts, begins, message.sent_at + self._occurrence)

    def _of_condition(self, member: Member, labels: Mapping[str, str], message: Message) -> Iterator[dict[str, Any]]:
        """The alert of a condition; what it was called before it changed is ended with it."""
        condition, now = member.condition, message.sent_at
        facts = facts_of(member, message.group.reason if message.group else Reason.FIRST)
        began = condition.opened_at
        ends = condition.ended_at or now if member.over else now + timedelta(seconds=self.refresh * _LIVES)
        if not self._goes_on_elsewhere(member):
            yield _alert({**labels, **_about(facts, condition.type, member.severity)}, facts, began, ends)
        for former in condition.former:
            # By its route's word or by its own, whichever that was: to end what never began does no harm.
            for severity in dict.fromkeys((member.severity, default_severity(former))):
                yield _alert({**labels, **_about(facts, former, severity)}, facts, began, condition.changed_at)

    def _goes_on_elsewhere(self, member: Member) -> bool:
        """Whether it is over for this group alone, and another of this target tells it, maybe by the same labels."""
        places = member.condition.places
        moved = member.over and not member.condition.ended
        return moved and any(place.target == self._name and not place.left for place in places)

    def _judge(self, response: Response, now: datetime) -> Outcome:
        """200 is taken; 400 is a batch that it refuses for good; all else may pass, so it is tried again."""
        status = response.status
        said = excerpt(response.body, self._hidden)
        fate = {200: Verdict.DELIVERED, 400: Verdict.FAILED, 410: Verdict.FAILED, 422: Verdict.FAILED}
        verdict = fate.get(status, Verdict.RETRY)
        return Outcome(
            verdict,
            status,
            None if verdict is Verdict.DELIVERED else f"Alertmanager answered {named(status)}",
            retry_after=asked_wait(response, now),
            hold=status in {429, 503},
            disable=status == 410,
            address=response.address,
            response=said,
        )


def _about(facts: Facts, type_: str, severity: str) -> dict[str, str]:
    """The labels that name an alert; they stay the same for as long as it is the same.

    They are data, so what hides in a provider's id is not cleaned away as in annotations: two keys that look the
    same would become one, and the end of one thing would end the other's alert.
    """
    named_by = {
        "alertname": type_,
        "source": facts.source,
        "provider": facts.provider,
        "kind": facts.kind,
        "resource": facts.key,
        "severity": severity,
    }
    return {name: value for name, value in named_by.items() if value}


def _labels(given: Mapping[str, str]) -> dict[str, str]:
    """A route's labels with names that Prometheus takes (https://prometheus.io/docs/concepts/data_model/)."""
    names = {name: _LABEL.sub("_", name) for name in given}
    return {f"_{name}" if name[:1].isdigit() else name: given[raw] for raw, name in names.items() if given[raw]}


def _alert(labels: Mapping[str, str], facts: Facts, begins: datetime, ends: datetime) -> dict[str, Any]:
    alert: dict[str, Any] = {
        "labels": labels,
        "annotations": {
            "summary": headline(facts, _SUMMARY),
            "description": plain_text(tell(facts).sentence, _DESCRIPTION),
            "event_id": facts.id,
        },
        "startsAt": stamp(begins),
        # An alert that ends when it begins is refused, and the whole batch with it.
        "endsAt": stamp(max(ends, begins + timedelta(seconds=1))),
    }
    link = web_link(facts.url)
    if link:
        alert["generatorURL"] = link
    return alert


def build(name: str, options: AlertmanagerOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Alertmanager(name, options)


PLUGIN: Plugin[AlertmanagerOptions, Target] = Plugin(AlertmanagerOptions, build)
