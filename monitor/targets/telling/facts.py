"""A stored event as a target reads it: every part by name, and nothing missing even if it was never sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

_KINDS = {"job_driver": "driver"}


@dataclass(frozen=True, slots=True)
class FieldMove:
    """One changed field: its path and what it was and is."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Facts:
    """One event, taken apart. Texts are as the provider wrote them: escape them for where they go."""

    id: str
    type: str
    time: str
    source: str
    provider: str
    key: str
    kind: str
    what: str
    title: str
    url: str | None
    state: str | None
    before: str | None
    after: str | None
    moved: bool
    changes: tuple[FieldMove, ...]
    deadline: Mapping[str, Any]
    details: Mapping[str, Any]
    fields: Mapping[str, Any]
    related: tuple[Mapping[str, Any], ...]
    occurred_at: str | None
    seen_at: str

    @property
    def of_monitor(self) -> bool:
        """Whether this is about the monitor itself (`jobwire.*`) and not about a resource."""
        return self.type.startswith("jobwire.")


def read(body: bytes) -> Facts:
    """Stored event bytes in (interface: CloudEvents 1.0), its facts out."""
    event = _mapping(msgspec.json.decode(body))
    data = _mapping(event.get("data"))
    resource = _mapping(data.get("resource"))
    state = _mapping(data.get("state"))
    type_ = _text(event.get("type"))
    kind, _, name = _text(event.get("subject")).partition("/")
    before, after = _optional(state.get("before")), _optional(state.get("after"))
    return Facts(
        id=_text(event.get("id")),
        type=type_,
        time=_text(event.get("time")),
        source=_text(data.get("source")) or name,
        provider=_text(data.get("provider")),
        key=_text(data.get("key")) or _text(event.get("subject")),
        kind=_text(resource.get("kind")) or kind,
        what=type_.rpartition(".")[2],
        title=_title(resource, kind, name),
        url=_optional(resource.get("url")),
        state=_optional(resource.get("state")),
        before=before,
        after=after,
        moved=bool(state) and before != after,
        changes=tuple(_change(one) for one in _sequence(data.get("changes"))),
        deadline=_mapping(data.get("deadline")),
        details=_mapping(data.get("details")),
        fields=_mapping(resource.get("fields")),
        related=tuple(_mapping(one) for one in _sequence(data.get("related"))),
        occurred_at=_optional(data.get("occurred_at")),
        seen_at=_optional(data.get("first_seen_after")) or _text(event.get("time")),
    )


def _title(resource: Mapping[str, Any], kind: str, name: str) -> str:
    """What people call it: the provider's title, with kind and id where the title alone would not say enough."""
    title = _text(resource.get("title"))
    if not resource:
        return f"{kind} {name}".strip() or "jobwire"
    kind, id_ = _text(resource.get("kind")), _text(resource.get("id"))
    if kind == "job_driver" and id_ not in title:
        return f"Driver {id_}: {title}" if title else f"Driver {id_}"
    return title or f"{_KINDS.get(kind, kind)} {id_}".strip() or "something without a name"


def _change(value: Any) -> FieldMove:
    change = _mapping(value)
    return FieldMove(_text(change.get("field")), change.get("before"), change.get("after"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _optional(value: Any) -> str | None:
    return None if value is None else str(value)
