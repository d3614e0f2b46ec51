"""Templates of the page: provider text is text, times are elements that a reader's browser can put into its zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from monitor.moments import from_millis, parse_instant, stamp
from monitor.targets.telling import field_name, plain_text, read, tell
from monitor.targets.telling.cleaning import line
from monitor.values import elapsed

_GOOD = frozenset({"ok", "delivered", "closed", "resolved", "complete"})
_BAD = frozenset(
    {"failing", "failed", "stale", "credentials_rejected", "open", "critical", "exhausted", "late", "not watched"}
)
_LONGEST = 300
_SECOND, _MINUTE = 1000, 60_000


def environment() -> Environment:
    """The templates, compiled once; what a template names and nobody gave is an error."""
    made = Environment(
        loader=PackageLoader("monitor.web.pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        {"tone": tone, "said": said, "short": short, "shown": shown, "pretty": pretty, "field": field_name}
    )
    made.globals.update({"moment": moment, "dated": dated, "millis": millis, "took": took})
    return made


def page(templates: Environment, name: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    """A template and what it shows in, the answer out."""
    html = templates.get_template(name).render(values)
    return web.Response(text=html, status=status, content_type="text/html", charset="utf-8")


def moment(text: str | None, now: datetime, past: bool = False) -> Markup:
    """RFC 3339 text in, `5m ago` or `in 3d` with the exact time beside it out; a dash for none.

    What is `past` has happened, whatever the clock of whoever saw it says: it is never `in 3s`.
    """
    at = parse_instant(text)
    if at is None:
        return Markup("–")
    left = min(at - now, timedelta()) if past else at - now
    ahead = left > timedelta()
    words = "now" if abs(left) < timedelta(seconds=1) else f"in {elapsed(left)}" if ahead else f"{elapsed(-left)} ago"
    exact = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{0}" title="{0}" data-counts="{2}">{1}</time>').format(
        exact, words, "past" if past or not ahead else "on"
    )


def dated(value: Any, now: datetime) -> Markup | str:
    """What a provider says of a date in, an instant as `in 3d` with the exact one beside it, all else as it is, out."""
    return moment(value, now) if isinstance(value, str) and parse_instant(value) is not None else shown(value)


def millis(at_ms: int) -> str:
    """Milliseconds since 1970 in, RFC 3339 out."""
    return stamp(from_millis(at_ms))


def took(ms: int) -> str:
    """Milliseconds in, `12 ms`, `3.4 s` or `2m 10s` out, in one piece."""
    if ms >= _MINUTE:
        return elapsed(timedelta(milliseconds=ms)).replace(" ", "\u00a0")
    return f"{ms:,}\u00a0ms" if ms < _SECOND else f"{ms / _SECOND:.1f}\u00a0s"


def tone(word: str | None) -> str:
    """A state in, the class that colours it out; the word itself always stands beside the colour."""
    return "good" if word in _GOOD else "bad" if word in _BAD else "so"


def said(event: bytes | Mapping[str, Any]) -> dict[str, str]:
    """A stored event in, what it says in words out: title, move and sentence."""
    body = event if isinstance(event, bytes) else msgspec.json.encode(event)
    facts = read(body)
    words = tell(facts)
    return {
        "title": short(facts.title, 120),
        "move": short(words.move, 80),
        "sentence": short(plain_text(words.sentence), 400),
        "severity": words.tone.name.lower(),
    }


def shown(value: Any) -> str:
    """A JSON value in, one line of it out, in which nothing is hidden."""
    if value is None:
        return "–"
    return short(value if isinstance(value, str) else msgspec.json.encode(value).decode(), _LONGEST)


def pretty(value: Any) -> str:
    """A JSON value in, the same over several lines out."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def short(text: str, limit: int = 80) -> str:
    """Text of a provider in, a line of at most so many characters out, in which nothing hides or turns."""
    return line(text, limit)
