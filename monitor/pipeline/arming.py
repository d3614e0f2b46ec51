"""Which clocks an item winds: every deadline and every limit of a stay that is still to be told, and when."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.deadlines import next_due, rules_of
from monitor.moments import to_millis
from monitor.pipeline.source import Source
from monitor.renewal import renewal_of
from monitor.resources import Document, Known
from monitor.store.deadlines import Armed
from monitor.stuck import event_type, next_stuck


def arms(source: Source, id: str, document: Document) -> list[tuple[str, int]]:
    """Every deadline of an item that still has something to tell: member and when it is due (ms)."""
    found = []
    for ref, known in document.known.items():
        for rule in rules_of(known, source.provider.vocabulary.kinds.get(known.resource.kind)):
            due = next_due(known, rule, source.clockwork, renewal_of(document, known, rule).under)
            if due is not None:
                found.append((Armed(source.name, id, ref, rule.type).member, to_millis(due)))
        if source.clockwork.stuck:
            type_ = _type(source, known)
            stuck = next_stuck(known, type_, source.clockwork.stuck)
            if stuck is not None:
                found.append((Armed(source.name, id, ref, event_type(type_)).member, to_millis(stuck)))
    return found


def may_be_armed(source: Source, id: str, document: Document) -> Iterator[str]:
    """The members of an item that may be armed, and perhaps some that are not: no date is counted for it."""
    for ref, known in document.known.items():
        for rule in rules_of(known, source.provider.vocabulary.kinds.get(known.resource.kind)):
            yield Armed(source.name, id, ref, rule.type).member
        if source.clockwork.stuck and not known.gone:
            yield Armed(source.name, id, ref, event_type(_type(source, known))).member


def _type(source: Source, known: Known) -> str:
    return f"{source.provider.vocabulary.provider}.{known.resource.kind}"
