"""What is watched, as values: a resource as a provider shows it, and what the store remembers of it.

An *item* is one entry of a provider's list and the unit of storage; its `Document` holds what is known
of every *resource* inside it (a driver-jobs item is a job_driver with its contracts and interviews).
Resources are named `kind/id` inside their source (`ref`) and `source/kind/id` outside (`key`).

All three are stored as arrays (`monitor.store.documents`): a new field comes last and has a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Resource(msgspec.Struct, frozen=True, array_like=True):
    """One job, job_driver, contract or interview as the provider shows it now.

    `state` is the provider's own word, None when it gave none. `fields` keeps everything else the
    provider sent, nested as it was. `stamp` is the provider's own time of the last change, as sent.
    `parent` is the ref of the resource it belongs to. `role` tells siblings of one kind apart
    (`last` or `pending` contract); it is not compared.
    """

    kind: str
    id: str
    title: str
    state: str | None
    fields: dict[str, Any]
    parent: str | None = None
    url: str | None = None
    stamp: str | None = None
    role: str | None = None

    @property
    def ref(self) -> str:
        """`kind/id`: the name of the resource inside its source."""
        return f"{self.kind}/{self.id}"


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What the store remembers of one resource.

    `revision` counts its states from 1, `sequence` its events, `since` is when the monitor first saw
    the present state (RFC 3339), `first_seen` when it first saw the resource. `gone` marks a removed
    resource, kept so that a return is told as `restored`. `spoken` remembers per deadline type and
    date value the tightest rung that was told, so that no rung speaks twice.

    `entered` is the provider's own time of the present state, None where it gave none or did not move it with the
    state. `moved` says of fields that clocks watch when they last changed; of one that is not in it, not since
    `first_seen`.
    """

    resource: Resource
    revision: int
    sequence: int
    since: str
    first_seen: str
    gone: bool = False
    spoken: dict[str, dict[str, str]] = {}
    entered: str | None = None
    moved: dict[str, str] = {}


class Document(msgspec.Struct, frozen=True, array_like=True):
    """All that is known of one item: its resources by ref, the item's own resource first."""

    known: dict[str, Known] = {}


class FieldChange(msgspec.Struct, frozen=True):
    """One tracked field that differs: its path, and what it was and is, as the provider wrote them."""

    field: str
    before: Any
    after: Any


def pick(fields: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path such as `job.company.name`; None where any part of it is missing."""
    if "." not in path:
        return fields.get(path)
    value: Any = fields
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def present(fields: Mapping[str, Any], path: str) -> bool:
    """Whether the provider sent the field at all: null is present, so is what lies inside it; absent is not."""
    if "." not in path:
        return path in fields
    value: Any = fields
    for part in path.split("."):
        if value is None:
            return True
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True
