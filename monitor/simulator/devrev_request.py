"""Parameters of DevRev's jobs calls in, checked values or a typed 400 out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitor.simulator.documents import Doc
from monitor.simulator.server import Call

STATES = ("queued", "started", "in_progress", "completed", "failed")
_CATEGORIES = (
    "bulk_upgrade convert_conversation_ticket delete_part_hierarchy export_account export_article "
    "export_audit_log export_conversation export_custom_object export_devuser export_incident export_part "
    "export_revuser export_work get_object_async merge_account merge_devuser merge_revorg merge_revuser "
    "merge_ticket move_revorg move_revuser oasis_data_export oasis_job"
)

_ARRAYS = ("category", "created_by", "owned_by_id", "parent_ids", "sort_by", "state")
_FIELDS = (*_ARRAYS, "cursor", "limit", "mode")


class BadRequest(Exception):
    """A 400 of the service: its type, a message and the fields that go with the type."""

    def __init__(self, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.more = more


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a jobs.list call asks for; ``sort`` are pairs of field and direction (1 up, -1 down)."""

    wanted: tuple[tuple[str, tuple[str, ...]], ...]
    sort: tuple[tuple[str, int], ...]
    cursor: str
    limit: int
    mode: str

    @property
    def selection(self) -> object:
        """What decides which rows come in which order, for remembering it."""
        return (self.wanted, self.sort)

    def takes(self, doc: Doc) -> bool:
        """Tell whether the filters let this job through."""
        held: dict[str, Any] = {
            "category": doc.get("job_category"),
            "state": doc.get("state"),
            "created_by": (doc.get("created_by") or {}).get("id"),
            "owned_by_id": doc.get("owned_by_id") or (doc.get("created_by") or {}).get("id"),
            "parent_ids": doc.get("parent_id"),
        }
        return all(held[name] in values for name, values in self.wanted)

    def compare(self, left: Sequence[str], right: Sequence[str]) -> int:
        """Order two ranks (sort values, then the id) as the list does: below 0 when ``left`` comes first."""
        directions = [*(direction for _, direction in self.sort), 1]
        for a, b, direction in zip(left, right, directions, strict=True):
            if a != b:
                return direction if a > b else -direction
        return 0


def parameters(call: Call) -> dict[str, Any]:
    """Give the parameters of a call: the JSON body of a POST, the query of a GET (arrays as comma-joined
    values).
    """
    if call.method == "GET":
        return {name: _from_query(name, call.query.getall(name)) for name in call.query}
    if call.method != "POST":
        raise BadRequest("bad_request", f"{call.method} is not supported")
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind != "application/json":
        raise BadRequest("invalid_content_type", f"unsupported content type {kind!r}")
    try:
        body = json.loads(call.body or b"{}")
    except ValueError as error:
        raise BadRequest("parse_error", "the body is not valid JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("unexpected_json_type", "expected an object", expected=["object"])
    return body


def list_request(call: Call, sortable: Sequence[str], max_limit: int) -> ListRequest:
    """Take a jobs.list call and give what it asks for; raises ``BadRequest``."""
    given = parameters(call)
    for name in given:
        if name not in _FIELDS:
            raise BadRequest("invalid_field", f"unknown field {name!r}", field_name=name)
    arrays = {name: _strings(name, given[name]) for name in _ARRAYS if given.get(name) is not None}
    _check_enum("state", arrays.get("state", ()), STATES)
    _check_enum("category", arrays.get("category", ()), _CATEGORIES.split())
    mode = given.get("mode") or "after"
    _check_enum("mode", [mode], ("after", "before"))
    cursor = given.get("cursor") or ""
    if not isinstance(cursor, str):
        raise BadRequest("unexpected_json_type", "cursor must be a string", field_name="cursor", expected=["string"])
    sort = tuple(_sort(text, sortable) for text in arrays.pop("sort_by", ()))
    wanted = tuple((name, tuple(values)) for name, values in arrays.items() if values)
    return ListRequest(wanted, sort or (("created_date", -1),), cursor, _limit(given.get("limit"), max_limit), mode)


def _from_query(name: str, values: list[str]) -> Any:
    if name not in _ARRAYS:
        return values[-1]
    return [part.strip().strip('"') for value in values for part in value.split(",") if part]


def _strings(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadRequest(
            "unexpected_json_type", f"{name} must be a list of strings", field_name=name, expected=["array"]
        )
    return value


def _check_enum(name: str, values: Sequence[Any], allowed: Sequence[str]) -> None:
    for value in values:
        if value not in allowed:
            message = f"{name}: {value!r} is not allowed"
            raise BadRequest("invalid_enum_value", message, field_name=name, value=value, allowed_values=list(allowed))


def _sort(text: str, sortable: Sequence[str]) -> tuple[str, int]:
    field, _, direction = text.partition(":")
    if field not in sortable:
        raise BadRequest("invalid_field", f"cannot sort by {field!r}", field_name="sort_by")
    if direction not in ("", "asc", "desc"):
        raise BadRequest("value_not_permitted", f"unknown direction {direction!r}", field_name="sort_by")
    return field, -1 if direction == "desc" else 1


def _limit(value: Any, maximum: int) -> int:
    if value is None:
        return min(50, maximum)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest("unexpected_json_type", "limit must be a number", field_name="limit", expected=["number"])
    if not 1 <= value <= maximum:
        raise BadRequest("value_not_permitted", f"limit must be 1 to {maximum}", field_name="limit")
    return value
