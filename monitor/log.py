"""Logs for people and machines on standard error, with every secret blotted out.

Call `configure` once at the start of a process; modules log by `structlog.get_logger()` and keys, as in
`log.info("delivery.attempted", event_id=..., status=...)`. Nothing happens when this module is imported.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONEncoder
from typing import Any, TextIO

import msgspec
import structlog
from pydantic import SecretBytes, SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"

_UNHEARD = frozenset({"apprise", "oauthlib", "paho", "requests", "requests_oauthlib", "slixmpp", "urllib3"})
"""Libraries whose logs are dropped: they write whole addresses, with tokens and passwords, and whole messages."""

# One encoder for all lines: structlog's renderer makes a new one for each. Lines of plain values, which is nearly all
# of them, take a faster one, that would show what an object hides in its repr.
_json = JSONEncoder(ensure_ascii=False, default=repr)
_plain_json = msgspec.json.Encoder()
_PLAIN = frozenset({str, int, float, bool, type(None)})

_SECRET_KEY = re.compile(
    r"token|secret|passw|authorization|cookie|credential|signature|signing|(api|private|routing)[_-]?key",
    re.IGNORECASE,
)
# What names a secret without being one: when a token expires is for everyone to know.
_HARMLESS_KEY = re.compile(r"(_at|_in|_count|_name|_url|_type)$", re.IGNORECASE)
_SECRETS_IN_TEXT = (
    (re.compile(r"(\w://)[^/\s\"'@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(hooks\.slack[\w-]*\.com/\w+)/[^\s\"'\\<>]+"), rf"\1/{HIDDEN}"),
    (re.compile(r"\b(xox[a-z]|xapp)-[\w-]+"), rf"\1-{HIDDEN}"),
    (re.compile(r"\b(whsec|whsk)_[A-Za-z0-9+/=_-]+"), rf"\1_{HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*"), HIDDEN),
)
# What the patterns begin with: nearly every line has none of these, and looking for them costs next to nothing.
_SIGNS_OF_SECRETS = ("://", "hooks.slack", "xox", "xapp-", "whsec_", "whsk_", "Bearer ", "Basic ", "eyJ")


def configure(json: bool | None = None, level: str = "info", stream: TextIO | None = None) -> None:
    """Send the logs of structlog and of the standard library to `stream` (standard error).

    One JSON object a line, or lines for people; None picks JSON where the stream is no terminal.
    `level` is debug, info, warning or error, and ValueError lists these for any other.
    """
    out = sys.stderr if stream is None else stream
    as_json = not out.isatty() if json is None else json
    threshold = _threshold(level)
    render: list[Processor] = [
        structlog.processors.format_exc_info if as_json else _keep,
        _as_json
        if as_json
        # The plain formatter: the others print local variables, and with them secrets.
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=28
        ),
        scrub_line,
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_common(), *render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _configure_standard_library(out, threshold, render)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """structlog processor: values under keys that name a secret become `***`, at any depth."""
    for key, value in event.items():
        if value.__class__ not in _PLAIN or (value and value.__class__ is str and _names_a_secret(key)):
            return {name: _hide(name, one) for name, one in event.items()}
    return event


def scrub(text: str) -> str:
    """Text in, the same text out without passwords in URLs, Slack webhook paths, tokens and signing secrets."""
    if any(sign in text for sign in _SIGNS_OF_SECRETS):
        for pattern, shown in _SECRETS_IN_TEXT:
            text = pattern.sub(shown, text)
    return text


def scrub_line(_: WrappedLogger, __: str, line: str | bytes | EventDict) -> str:
    """structlog processor, the last one: the finished line, tracebacks and all, without secrets in its text."""
    return scrub(line if isinstance(line, str) else str(line))


def _common() -> list[Processor]:
    return [structlog.stdlib.add_log_level, redact, _add_time]


def _add_time(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = datetime.now(UTC).isoformat()[:-6] + "Z"
    return event


def _keep(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return event


def _hide(key: str, value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str | bytes):
        return HIDDEN if value and _names_a_secret(key) else value
    if isinstance(value, SecretStr | SecretBytes):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(inner): _hide(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hide(key, item) for item in value]
    return value


@lru_cache(maxsize=1024)
def _names_a_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None and _HARMLESS_KEY.search(key) is None


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    if _PLAIN.issuperset(map(type, event.values())):
        with suppress(ValueError, OverflowError):  # half a character, a number beyond 64 bits
            return _plain_json.encode(event).decode()
    return _json.encode(event)


def _threshold(level: str) -> int:
    known = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    try:
        return known[level.lower()]
    except KeyError:
        raise ValueError(f"{level!r} is not a log level: write {', '.join(known)}") from None


def _configure_standard_library(out: TextIO, threshold: int, render: list[Processor]) -> None:
    """Libraries that log the standard way come out in the same shape."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_common()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    handler.addFilter(lambda record: record.name.partition(".")[0] not in _UNHEARD)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    # ARQ tells of every job it starts and ends; our own lines say what came of it.
    logging.getLogger("arq").setLevel(max(threshold, logging.WARNING) if threshold > logging.DEBUG else threshold)
