"""pagerduty: conditions as alerts that are triggered, acknowledged and resolved; occurrences as change events.

https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from pydantic import Field

from monitor import __version__
from monitor.errors import TransportError
from monitor.events import id_in
from monitor.exchange import Exchange, Request, Response, ask
from monitor.plugin import Plugin
from monitor.targets.address import HiddenUrl, TargetUrl, below, secrets_in, shown
from monitor.targets.answers import EXCERPT, asked_wait, excerpt, named
from monitor.targets.base import GroupedOptions, Message, Outcome, Target, Verdict
from monitor.targets.beside import occurrences
from monitor.targets.pagerduty_events import Json, bare, change, drill, of_condition, speaks
from monitor.targets.telling import read
from monitor.values import Secret

TEST = "jobwire.test"
_ALERTS, _CHANGES = "/v2/enqueue", "/v2/change/enqueue"


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
    attends = one_alert = True

    def __init__(self, name: str, options: PagerdutyOptions) -> None:
        self._name = name
        root = options.url.removesuffix("/").removesuffix(_ALERTS)
        self._alerts, self._changes = HiddenUrl(below(root, _ALERTS)), HiddenUrl(below(root, _CHANGES))
        self._key = options.routing_key.get_secret_value()
        self._hidden = (self._key, *secrets_in(options.url, options.further))
        self._headers = {**options.further, "content-type": "application/json", "user-agent": f"jobwire/{__version__}"}

    def address(self) -> str:
        """Where alerts go; the key is in no URL."""
        return shown(self._alerts)

    def send(self, message: Message) -> Exchange[Outcome]:
        """One request for each condition that has news and for each occurrence.

        What was taken is remembered until all of it is, so that the next attempt goes on where this one ended: a
        hundred conditions may be more than one attempt has time for, or than PagerDuty takes in a minute. An event that
        is refused keeps the others from nothing; it is sent once more with the least that can be said.
        """
        events = list(self._events(message))
        memory = message.group.memory if message.group else {}
        taken = [one.mark for one in events if one.mark in memory.get("taken", ())]
        before, refused = len(taken), list[Outcome]()
        outcome = Outcome(Verdict.DELIVERED, 202, response="nothing that PagerDuty does not know already")
        for one in events:
            if one.mark in taken:
                continue
            try:
                outcome = yield from self._asked(one, message.sent_at)
            except TransportError as error:
                if len(taken) == before:
                    raise
                outcome = Outcome(Verdict.RETRY, error=f"{error.reason}: {error}", address=error.address, taken=True)
            if outcome.verdict is Verdict.RETRY or outcome.disable:
                return replace(outcome, remember={"taken": taken}, taken=True if taken else outcome.taken)
            if outcome.verdict is Verdict.FAILED:
                refused.append(outcome)
            else:
                taken.append(one.mark)
        if refused:
            many = f"; {len(refused)} of {len(events)} events refused"
            said = f"{refused[0].error}{many}"
            return replace(refused[0], error=said, remember={"taken": taken}, taken=True if taken else None)
        return replace(outcome, remember={})

    def _asked(self, one: _Event, now: datetime) -> Exchange[Outcome]:
        """One event, once more in short where it is refused as it is."""
        response = yield from self._post(one.url, one.event)
        outcome = self._judge(response, asked_wait(response, now))
        if outcome.verdict is not Verdict.FAILED or outcome.disable or "payload" not in one.event:
            return outcome
        response = yield from self._post(one.url, bare(one.event))
        again = self._judge(response, asked_wait(response, now))
        return replace(again, response=f"in short, because it was refused at length: {outcome.response}"[:EXCERPT])

    def _post(self, url: HiddenUrl, event: Json) -> Exchange[Response]:
        body = msgspec.json.encode({"routing_key": self._key, **event})
        request = Request("POST", url, headers=self._headers, body=body, authorise=False, idempotent=False)
        return (yield from ask(request))

    def _events(self, message: Message) -> Iterator[_Event]:
        group, now = message.group, message.sent_at
        came = frozenset(id_in(body) for body in message.events)
        for member in group.members if group else ():
            if group and speaks(member, group, came):
                event = of_condition(member, group, self._name, now)
                if event is not None:
                    # An end reads the same each time, so the revision tells one end from the next.
                    yield _Event(self._alerts, event, _mark(event, member.condition.revision))
        for body in occurrences(message):
            facts = read(body)
            if facts.type == TEST:
                yield from (_Event(self._alerts, event, _mark(event)) for event in drill(facts, now))
            else:
                event = change(facts, now)
                yield _Event(self._changes, event, _mark(event))

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


@dataclass(frozen=True, slots=True)
class _Event:
    """What one request says, and where; `mark` is that in short."""

    url: HiddenUrl
    event: Json
    mark: str


def _mark(event: Json, revision: int = 0) -> str:
    return hashlib.blake2b(msgspec.json.encode((event, revision)), digest_size=4).hexdigest()


def build(name: str, options: PagerdutyOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Pagerduty(name, options)


PLUGIN: Plugin[PagerdutyOptions, Target] = Plugin(PagerdutyOptions, build)
