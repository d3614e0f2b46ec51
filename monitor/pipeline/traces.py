"""What scans, events and attempts are to a trace: ids that join them, and attributes without a secret.

An event is a trace: the event itself, from when it was stored until it was in lanes, and below it each attempt, with
the span that `traceparent` told the receiver. A scan is a trace of its own, linked with the events that it made.
Names of attributes: https://opentelemetry.io/docs/specs/semconv/http/http-spans/ (`url.full` is left out, because the
path of a webhook is a secret), and ours under `jobwire.`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from monitor.health import Ending
from monitor.moments import from_millis
from monitor.pipeline.source import Source
from monitor.pipeline.tally import Tally
from monitor.pipeline.target import TargetRuntime
from monitor.store.eventlog import Stored
from monitor.targets.base import Message, Outcome, Verdict
from monitor.targets.trace import attempt_span, event_span, scan_ids, trace_id
from monitor.telemetry.spans import Recorder, Span, Value

LINKS = 128
"""The most links of a span: what OpenTelemetry's library keeps."""

_PORTS = {"http": 80, "https": 443}
_WORD = re.compile(r"[a-z][a-z_ ]{0,39}(?=:)")


@dataclass(frozen=True, slots=True)
class Traces:
    """Tells a recorder what was done; without one, nothing is made of it."""

    recorder: Recorder | None = None

    def scanned(self, source: Source, ending: Ending, tally: Tally, events: Sequence[str]) -> None:
        """A scan has ended, and made these events (the first of them, by id)."""
        if self.recorder is None:
            return
        trace, span = scan_ids(source.name, ending.epoch, ending.started)
        counts = ("pages", "items", "changed", "events", "requests", "not_modified")
        attributes: dict[str, Value] = {
            "jobwire.source": source.name,
            "jobwire.provider": source.provider.vocabulary.provider,
            "jobwire.scan.epoch": ending.epoch,
            "jobwire.scan.outcome": ending.reason or "complete",
            **{f"jobwire.scan.{name}": getattr(tally, name) for name in counts},
        }
        if ending.reason is not None:
            attributes["error.type"] = ending.reason
        self.recorder.record(
            Span(
                trace,
                span,
                f"scan {source.name}",
                ending.started,
                ending.ended,
                links=[(trace_id(id), event_span(id)) for id in events[:LINKS]],
                attributes=attributes,
                error=ending.reason,
            )
        )

    def relayed(self, events: Sequence[tuple[Stored, Mapping[str, Any]]], now: datetime) -> None:
        """These events are in the lanes of their targets now."""
        if self.recorder is None:
            return
        for stored, event in events:
            id, source = str(event["id"]), event["data"].get("source")
            self.recorder.record(
                Span(
                    trace_id(id),
                    event_span(id),
                    f"event {event['type']}",
                    from_millis(stored.at_ms),
                    now,
                    kind="producer",
                    attributes={
                        "jobwire.event.id": id,
                        "jobwire.event.type": str(event["type"]),
                        **({"jobwire.source": source} if source else {}),
                    },
                )
            )

    def attempted(
        self,
        runtime: TargetRuntime,
        message: Message,
        outcome: Outcome,
        verdict: str,
        others: Sequence[str],
        ended: datetime,
    ) -> None:
        """A message was sent, or not: `verdict` is what becomes of it, `others` the events beside the first."""
        if self.recorder is None:
            return
        place, well = runtime.target.address(), outcome.verdict is Verdict.DELIVERED
        self.recorder.record(
            Span(
                trace_id(message.id),
                attempt_span(message.id, place, message.attempt, message.sent_at),
                f"deliver {runtime.name}",
                message.sent_at,
                ended,
                kind="client",
                parent=event_span(message.id),
                links=[(trace_id(id), event_span(id)) for id in others[:LINKS]],
                attributes={
                    "jobwire.target": runtime.name,
                    "jobwire.event.id": message.id,
                    "jobwire.attempt": message.attempt,
                    "jobwire.outcome": verdict,
                    "jobwire.events": len(message.events),
                    **_http(place, outcome),
                    **({} if well else {"error.type": _error_type(outcome)}),
                },
                error=None if well else _error_type(outcome),
            )
        )


def _http(place: str, outcome: Outcome) -> dict[str, Value]:
    """Where a target is and what was answered, as far as it is HTTP; of its address the host alone."""
    found: dict[str, Value] = {}
    if "://" in place:
        parts = urlsplit(place)
        found["http.request.method"] = "POST"
        if parts.hostname:
            found["server.address"] = parts.hostname
            found["server.port"] = parts.port or _PORTS.get(parts.scheme, 0)
    if outcome.status is not None:
        found["http.response.status_code"] = outcome.status
    if outcome.address is not None:
        found["network.peer.address"] = outcome.address
    return found


def _error_type(outcome: Outcome) -> str:
    """A status that is an error, else the word that the error begins with; `_OTHER`, as is the custom, without one."""
    if outcome.status is not None and outcome.status >= 400:
        return str(outcome.status)
    word = _WORD.match(outcome.error or "")
    return word[0] if word else "_OTHER"
