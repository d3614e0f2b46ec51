"""Traces for a collector, where `telemetry.otlp` asks for them: what was done, as OpenTelemetry wants to hear it.

Module by module:

    spans     what a unit of work that has ended is, and who takes it
    export    a bounded queue and a thread: work is never held up, what cannot be sent is counted and dropped
    otlp      batches sent by OpenTelemetry's own library, the extra `otel`, by OTLP over HTTP
    translate spans in its words; imported only with the extra
"""

from __future__ import annotations

from monitor.telemetry.export import Counts, Exporter
from monitor.telemetry.otlp import MISSING, installed, open_exporter
from monitor.telemetry.spans import Kind, Recorder, Span, Value

__all__ = ["MISSING", "Counts", "Exporter", "Kind", "Recorder", "Span", "Value", "installed", "open_exporter"]
