"""Our spans in, those of OpenTelemetry's library out. Imported only where the extra `otel` is installed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from monitor.telemetry.spans import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {
    "internal": trace.SpanKind.INTERNAL,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
}


class _Given(IdGenerator):
    """Gives the ids that were decided where the work was done."""

    def __init__(self) -> None:
        self.trace = self.span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Taken(SpanProcessor):
    """Keeps what has ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep one."""
        self.spans.append(span)


class Translator:
    """Translates for one resource, in one thread. What to keep of traces is the collector's business: all are kept."""

    def __init__(self, resource: Resource) -> None:
        self._ids, self._taken = _Given(), _Taken()
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, id_generator=self._ids)
        provider.add_span_processor(self._taken)
        self._tracer = provider.get_tracer("jobwire")

    def __call__(self, spans: Sequence[Span]) -> Sequence[ReadableSpan]:
        """Spans in, the library's out."""
        self._taken.spans = []
        for span in spans:
            self._one(span)
        return self._taken.spans

    def _one(self, span: Span) -> None:
        self._ids.trace, self._ids.span = int(span.trace, 16), int(span.id, 16)
        above = Context()
        if span.parent is not None:
            above = trace.set_span_in_context(trace.NonRecordingSpan(_context(span.trace, span.parent)), above)
        begun = self._tracer.start_span(
            span.name,
            context=above,
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            links=[trace.Link(_context(*link)) for link in span.links],
            start_time=_nanoseconds(span.begun),
        )
        if span.error is not None:
            begun.set_status(trace.StatusCode.ERROR, span.error)
        # A clock that was set back must not make a span end before it began.
        begun.end(max(_nanoseconds(span.begun), _nanoseconds(span.ended)))


def _context(trace_id: str, span_id: str) -> trace.SpanContext:
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    return trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=sampled)


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
