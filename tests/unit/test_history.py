"""Every revision of one resource, with those that made no event."""

from __future__ import annotations

from typing import Any

from monitor.resources import Known, Resource
from monitor.status.history import revisions

SEEN, NOW = "2026-01-05T09:30:00.000Z", "2026-01-06T09:30:00.000Z"


def known(revision: int, *, gone: bool = False, state: str | None = "B") -> Known:
    """What is remembered of a resource."""
    resource = Resource(kind="job", id="1", parent=None, title="x", state=state, url=None, fields={})
    return Known(resource, revision, 0, NOW, SEEN, gone)


def line(revision: int, before: str | None, after: str | None) -> dict[str, Any]:
    """A kept revision."""
    state = {"before": before, "after": after}
    return {"revision": revision, "at": NOW, "type": "t", "event": "evt_1", "state": state, "changes": []}


def told(found: list[dict[str, Any]]) -> list[tuple[int, Any, Any, bool]]:
    """Revision, states, and whether there is an event."""
    return [(one["revision"], one["state"]["before"], one["state"]["after"], one["type"] is not None) for one in found]


def test_the_first_look_is_the_first_revision() -> None:
    """Seen silently, it is there as it was then."""
    assert told(revisions([], known(1))) == [(1, None, "B", False)]
    found = revisions([line(2, "A", "B")], known(2))
    assert told(found) == [(1, None, "A", False), (2, "A", "B", True)]
    assert found[0]["at"] == SEEN


def test_what_was_told_is_not_made_up() -> None:
    """Created with an event, or older than what is kept."""
    assert told(revisions([line(1, None, "A"), line(2, "A", "B")], known(2))) == [
        (1, None, "A", True),
        (2, "A", "B", True),
    ]
    assert told(revisions([line(7, "A", "B")], known(7))) == [(7, "A", "B", True)]
    assert revisions([], None) == []


def test_what_went_with_another_is_gone_at_the_end() -> None:
    """Without an event of its own."""
    assert told(revisions([], known(2, gone=True))) == [(1, None, "B", False), (2, "B", None, False)]
    assert told(revisions([line(2, "A", "B")], known(3, gone=True)))[-1] == (3, "B", None, False)
    assert len(revisions([line(1, None, "A"), line(2, "A", None)], known(2, gone=True))) == 2
