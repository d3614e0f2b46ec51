"""Items of a list: split off a page unparsed, then read with open values, whatever types they carry."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType
from pydantic import SecretStr

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Page
from monitor.moments import parse_instant


class _Identified(msgspec.Struct):
    id: int | str


class Wrapped(msgspec.Struct):
    """An answer about one item, as far as it tells where the item is."""

    id: Raw | UnsetType = UNSET
    job: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET


# Where the id comes first and is plain, as three of four providers send it, this spares a second pass over
# the whole item: 0.5 us instead of 0.9 to 1.4 us for 1.2 kB.
_leading = re.compile(rb'\s*\{\s*"id"\s*:\s*(?:"([^"\\\x00-\x1f]+)"|(0|[1-9][0-9]{0,17}))\s*[,}]').match
_identify = msgspec.json.Decoder(_Identified).decode


def split(raws: Sequence[Raw], where: str) -> Page:
    """Raw slices of a list in, a page with their ids as text out; nothing else of an item is decoded.

    `where` names the page in the UnexpectedAnswer for an item that is no object or has no usable id.
    """
    ids: list[str] = []
    try:
        for raw in raws:
            plain = _leading(raw)
            ids.append((plain[1] or plain[2]).decode() if plain else str(_identify(raw).id))
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer(f"{where}: item {len(ids) + 1} of {len(raws)} cannot be told apart: {error}") from None
    if "" in ids:
        raise UnexpectedAnswer(
            f"{where}: item {ids.index('') + 1} of {len(raws)} cannot be told apart: its id is empty"
        )
    return Page(ids, raws)


def unwrap(one: Wrapped, body: bytes) -> Raw:
    """The item in an answer about one: the body itself, or what it holds as `job` or `data`."""
    inner = one.job if one.job is not UNSET else one.data
    return inner if one.id is UNSET and isinstance(inner, Raw) else Raw(body)


def parse(raw: bytes, provider: str) -> tuple[str, dict[str, Any]]:
    """One raw item in, its id as text and its fields out; UnexpectedAnswer without an id."""
    try:
        item = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer(f"{provider}: an item is not JSON that can be read: {error}") from None
    return identity(item, f"{provider}: an item"), item


def identity(value: Any, what: str) -> str:
    """A decoded object in, its `id` as text out; UnexpectedAnswer names `what` when there is none."""
    if not isinstance(value, dict):
        raise UnexpectedAnswer(f"{what} is {kind_of(value)} where an object was due")
    found = value.get("id")
    if isinstance(found, bool) or not isinstance(found, int | str) or found == "":
        raise UnexpectedAnswer(f"{what} has {kind_of(found)} as its id where a number or text was due")
    return str(found)


def kind_of(value: Any) -> str:
    """A decoded JSON value in, the words for its type out: `null`, `a list`, `an empty text`."""
    if value is None:
        return "null"
    if value == "":
        return "an empty text"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)


def state_of(value: Any) -> str | None:
    """The provider's own word for a state; null, empty and `-` are none; other types become JSON text."""
    if value is None:
        return None
    if not isinstance(value, str):
        return json_text(value)
    return None if value.strip() in ("", "-") else value


def json_text(value: Any) -> str:
    """A decoded JSON value in, the same text for the same value out: keys sorted, no spaces."""
    return msgspec.json.encode(value, order="sorted").decode()


def words(*values: Any) -> str | None:
    """The first value that reads as text (a non-blank string or a number), on one line, or None."""
    for value in values:
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def stamp_of(value: Any) -> str | None:
    """The provider's time of the last change as it was sent; None when it is no time."""
    return value if isinstance(value, str) and parse_instant(value) is not None else None


def without(fields: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """All fields but those named, in the order they were sent."""
    left = dict(fields)
    for name in names:
        left.pop(name, None)
    return left


def token_end(token: SecretStr | None) -> datetime | None:
    """When a fixed token ends: the `exp` claim if it is a JWT, read without verification; else None.

    https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
    """
    parts = token.get_secret_value().split(".") if token else []
    if len(parts) != 3:
        return None
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        end = claims.get("exp")
        known = isinstance(end, int | float) and not isinstance(end, bool) and end > 0
        return datetime.fromtimestamp(end, UTC) if known else None
    except (ValueError, OverflowError, OSError, RecursionError, AttributeError):
        return None
