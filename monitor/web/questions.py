"""Words of a query and cursors in, checked values out; a Problem with status 400 for what cannot be understood."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from aiohttp import web

from monitor.moments import from_millis, parse_moment, to_millis
from monitor.web.problems import Problem

USUAL = 100
MOST = 1000

T = TypeVar("T")
Short: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
"""A name, a time or another word in a body."""

STATUSES = ("pending", "delivered", "failed")


@dataclass(frozen=True, slots=True)
class Word:
    """One word that a call may say: in its query, a header or its path; `schema` is JSON Schema."""

    name: str
    text: str
    schema: Mapping[str, Any]
    where: Literal["query", "header", "path"] = "query"


_TEXT: Mapping[str, Any] = MappingProxyType({"type": "string"})
LIMIT = Word("limit", "how many", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL})
AFTER = Word("after", "the `next` of the answer before", {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"})
PLACE = Word("after", "the `next` of the answer before", {"type": "string", "pattern": "^[0-9]{1,18}-[0-9]{1,18}$"})
SOURCE = Word("source", "the name of a source", _TEXT)
TARGET = Word("target", "the name of a target", _TEXT)
KIND = Word("kind", "job, job_driver, contract, interview", _TEXT)
STATE = Word("state", "a state in any case, `-` for none", _TEXT)
STATUS = Word("status", "how it stands", {"type": "string", "enum": list(STATUSES)})
EVENT = Word("event", "the id of an event", _TEXT)
SINCE = Word("since", "2h, 2026-01-05 or RFC 3339", _TEXT)
ALL = Word("all", "1: also what ended lately", {"type": "string", "enum": ["0", "1"]})
DETAIL = Word("detail", "1: also what people are shown of each", {"type": "string", "enum": ["0", "1"]})
STRICT = Word("strict", "1: 503 also for stale sources and failing targets", {"type": "string", "enum": ["0", "1"]})
DRY = Word("dry_run", "true: store nothing, and answer with what a scan would make", {"type": "boolean"})
TYPE = Word("type", "a pattern such as `*.contract.*`", _TEXT)
TEXT = Word("text", "what an event says somewhere", _TEXT)
_KEY: Mapping[str, Any] = MappingProxyType({"type": "string", "minLength": 1, "maxLength": 255})
ONCE = Word("Idempotency-Key", "two calls with the same are one", _KEY, "header")
LAST = Word("Last-Event-ID", "the id of the last message seen; wins over `after`", PLACE.schema, "header")
HOOK = Word("X-Hook-Secret", "the hook_secret, where the provider signs in no other way", _TEXT, "header")


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


def wish_of(body: bytes, type: type[T]) -> T:
    """A body as JSON of a type in, its values out; nothing at all is an object without members."""
    try:
        return msgspec.json.decode(body or b"{}", type=type)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Problem(400, f"the body is not as it should be: {error}") from None


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
