"""Every revision of one resource, those without an event too: what a source held at its first look, what went along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.diff import same_state
from monitor.resources import Known


def revisions(lines: Sequence[dict[str, Any]], known: Known | None) -> list[dict[str, Any]]:
    """The kept revisions, oldest first, and what is known of the resource in; with the first and the last one out.

    A resource of a source's first look has no event, nor has one that came or went with another: their `type` and
    `event` are null. Revisions older than what is kept stay away.
    """
    found = list(lines)
    if known is None:
        return found
    least = int(lines[0]["revision"]) if lines else known.revision - known.gone + 1
    if least == 2:
        states = [line["state"]["before"] for line in lines if line.get("state")]
        found.insert(0, _silent(1, known.first_seen, None, states[0] if states else known.resource.state))
    if known.gone and (not lines or int(lines[-1]["revision"]) < known.revision):
        found.append(_silent(known.revision, known.since, known.resource.state, None))
    return found


def brief(known: Known | None) -> dict[str, Any] | None:
    """What is known of a resource in, how it is now in short out; `events` counts those that were told of it."""
    if known is None:
        return None
    return {
        "title": known.resource.title,
        "state": same_state(known.resource.state),
        "since": known.since,
        "revision": known.revision,
        "events": known.sequence,
        "first_seen": known.first_seen,
        "removed": known.gone,
    }


def _silent(revision: int, at: str, before: str | None, after: str | None) -> dict[str, Any]:
    state = {"before": before, "after": after}
    return {"revision": revision, "at": at, "type": None, "event": None, "state": state, "changes": []}
