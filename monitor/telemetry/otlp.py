"""Spans in the words of OpenTelemetry's own library, sent by OTLP over HTTP: the extra `otel`.

Besides the address everything is set as the library's users know it: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE, _CLIENT_KEY, _CLIENT_CERTIFICATE, _COMPRESSION, _TIMEOUT, OTEL_SDK_DISABLED.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor import __version__
from monitor.telemetry.export import Exporter
from monitor.telemetry.spans import Span

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource

    from monitor.telemetry.translate import Translator

MISSING = (
    "OpenTelemetry's library is not installed: pip install -r requirements-extras.lock, in the .venv of the checkout"
)
_TRACES = "/v1/traces"
_SAID = 300


def installed() -> bool:
    """Whether the library of the extra is there."""
    try:
        return all(
            find_spec(name) is not None
            for name in ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter")
        )
    except (ImportError, ValueError):
        return False


def endpoint(url: str) -> str:
    """A collector's address in, the address of its traces out: `/v1/traces` is added unless it ends so already."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(_TRACES) else path + _TRACES).geturl()


def open_exporter(url: str | None, headers: Mapping[str, str], installation: str, worker: str) -> Exporter | None:
    """A collector's address, further headers and who sends in, what takes spans for it out; whoever asks closes it.

    None without an address, and where OTEL_SDK_DISABLED says so. Nothing is connected yet.
    """
    if url is None or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    facts = {
        "service.name": "jobwire",
        "service.version": __version__,
        "service.namespace": installation,
        "service.instance.id": worker,
    }
    return Exporter(_Library(endpoint(url), headers, facts))


class _Heard(logging.Handler):
    """Keeps the first thing that the library says about a batch, instead of a line in the log for each."""

    def __init__(self, path: str) -> None:
        super().__init__(logging.WARNING)
        self._said: list[str] = []
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's text, without the path of the address, which may be a secret."""
        if not self._said:
            self._said.append(record.getMessage().replace(self._path, "...")[:_SAID])

    def taken(self) -> str | None:
        """What was said since the last time."""
        said, self._said = self._said, []
        return said[0] if said else None


class _Library:
    """The library, used through its public face alone: spans are begun and ended at times and under ids of ours.

    It is loaded with the first batch, in the thread that sends: commands that make no span do not wait for it.
    """

    def __init__(self, url: str, headers: Mapping[str, str], facts: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self.place = parts.netloc.rpartition("@")[2]
        self._url, self._headers, self._facts = url, dict(headers), facts
        self._heard = _Heard(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        self._opened: tuple[Translator, OTLPSpanExporter] | None = None
        self._log = logging.getLogger("opentelemetry.exporter")

    def send(self, spans: Sequence[Span]) -> str | None:
        """One batch, tried again for as long as OTEL_EXPORTER_OTLP_TIMEOUT says (ten seconds)."""
        if self._opened is None:
            self._opened = self._open()
        translate, exporter = self._opened
        took = exporter.export(translate(spans)).name == "SUCCESS"
        said = self._heard.taken()
        return None if took else said or "it did not take them"

    def stop(self) -> None:
        """No further try, and no further connection."""
        if self._opened is not None:
            self._opened[1].shutdown()  # type: ignore[no-untyped-call]  # the library leaves it untyped
            self._log.removeHandler(self._heard)

    def _open(self) -> tuple[Translator, OTLPSpanExporter]:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra

        from monitor.telemetry.translate import Translator  # noqa: PLC0415 - needs the extra

        self._log.addHandler(self._heard)
        self._log.propagate = False
        if not any(isinstance(one, logging.NullHandler) for one in self._log.handlers):
            self._log.addHandler(logging.NullHandler())  # else what it says after `stop` would go to standard error
        return Translator(_resource(self._facts)), OTLPSpanExporter(endpoint=self._url, headers=self._headers)


def _resource(facts: Mapping[str, str]) -> Resource:
    """Who sends: what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, ours where they say nothing."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - an extra

    given = OTELResourceDetector().detect().attributes
    return Resource.create({}).merge(Resource({name: value for name, value in facts.items() if name not in given}))
