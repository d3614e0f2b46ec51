"""A document and a dotted path in, a changed copy out."""

from __future__ import annotations

from typing import Any


def with_path(document: Any, path: str, value: Any) -> Any:
    """Give a copy of ``document`` with ``value`` at the dotted path; a number in the path is a place in a
    list.

    A missing object on the way is made; a place just behind the end of a list appends. Raises ``ValueError``
    else.
    """
    head, _, rest = path.partition(".")
    if isinstance(document, list):
        if not head.isdigit() or int(head) > len(document):
            raise ValueError(f"no place {head!r} in a list of {len(document)}")
        place = int(head)
        old = document[place] if place < len(document) else {}
        return [*document[:place], with_path(old, rest, value) if rest else value, *document[place + 1 :]]
    if document is not None and not isinstance(document, dict):
        raise ValueError(f"cannot go into {head!r}: {type(document).__name__} has no fields")
    held = document or {}
    return {**held, head: with_path(held.get(head), rest, value) if rest else value}


def without_path(document: Any, path: str) -> Any:
    """Give a copy of ``document`` without the field at the dotted path; a path that leads nowhere changes
    nothing.
    """
    head, _, rest = path.partition(".")
    if isinstance(document, list) and head.isdigit() and int(head) < len(document):
        place = int(head)
        kept = [without_path(document[place], rest)] if rest else []
        return [*document[:place], *kept, *document[place + 1 :]]
    if not isinstance(document, dict) or head not in document:
        return document
    if rest:
        return {**document, head: without_path(document[head], rest)}
    return {key: value for key, value in document.items() if key != head}
