"""Words of a query and cursors in, checked values out; a Problem with status 400 for what cannot be understood."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from aiohttp import web

from monitor.moments import from_millis, parse_moment, to_millis
from monitor.web.problems import Problem

USUAL = 100
MOST = 1000

T = TypeVar("T")


def limit_of(request: web.Request) -> int:
    """How many are wanted: 1 to 1000, 100 where nothing is said."""
    given = request.query.get("limit", str(USUAL))
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= MOST):
        raise Problem(400, f"limit: write a whole number from 1 to {MOST}")
    return int(given)


def only(request: web.Request, *allowed: str) -> None:
    """Refuse words that this address does not know: a misspelt filter must not show everything."""
    unknown = sorted(set(request.query) - set(allowed))
    if unknown:
        raise Problem(400, f"{unknown[0]}: not known here; this address takes {', '.join(allowed) or 'nothing'}")


def one_of(request: web.Request, word: str, allowed: Iterable[str]) -> str | None:
    """A word of the query that must be one of these, None where it is not given."""
    given, names = request.query.get(word), sorted(allowed)
    if given is not None and given not in names:
        raise Problem(400, f"{word}: there is no such one; there are {', '.join(names) or 'none'}")
    return given


def moment_of(request: web.Request, word: str, now_ms: int) -> int | None:
    """A time of the query in ms, as `--since` of the command line takes it; None where it is not given."""
    given = request.query.get(word)
    if given is None:
        return None
    found = parse_moment(given, from_millis(now_ms))
    if found is None:
        raise Problem(400, f"{word}: no time: write 2h, 2026-01-05 or 2026-01-05T09:30:00Z")
    return to_millis(found)


def cursor(place: object) -> str:
    """A place in a list in, the cursor that people hand back out."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def after(request: web.Request, type: type[T]) -> T | None:
    """The place in a list that `after` stands for, None where it is not given."""
    given = request.query.get("after")
    if given is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)), type=type)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Problem(400, "after: not a cursor of this list; take it from `next` of an answer") from None
