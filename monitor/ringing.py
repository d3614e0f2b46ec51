"""What is told when a clock rings for a resource: the rung of a deadline, or a stay in a state that is too long. Pure.

A document and what is due in, the document that remembers it and the events out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from monitor.deadlines import known_since, rules_of, speaking, told
from monitor.ladders import ON_TIME, Rung, describe, lateness, notice_by, value_name
from monitor.moments import parse_instant, stamp
from monitor.renewal import renewal_of
from monitor.resources import Document, pick
from monitor.rules import Book, Judgement, Revision, Setting, related_of
from monitor.stuck import Stay, event_type, speaking_stays, told_stay
from monitor.vocabulary import DeadlineRule


def ring(document: Document, ref: str, type_: str, setting: Setting) -> Judgement:
    """An armed deadline in (the resource and the event type it was armed for), what must be told of it now out."""
    revisions: list[Revision] = []
    known = document.known.get(ref)
    if known is None:
        return Judgement(document)
    kind = known.resource.kind
    for rule in rules_of(known, setting.kind(kind)):
        if rule.type == type_:
            under = renewal_of(document, known, rule).under
            rung = speaking(known, rule, setting.clockwork, setting.now, under)
            if rung is not None:
                judgement = judge_rung(document, ref, rule, rung, setting)
                document, revisions = judgement.document, [*revisions, *judgement.revisions]
    own = f"{setting.vocabulary.provider}.{kind}"
    if type_ == event_type(own):
        for stay in speaking_stays(known, own, setting.clockwork.stuck, setting.now):
            judgement = judge_stay(document, ref, stay, setting)
            document, revisions = judgement.document, [*revisions, *judgement.revisions]
    return Judgement(document, tuple(revisions))


def judge_rung(document: Document, ref: str, rule: DeadlineRule, rung: Rung, setting: Setting) -> Judgement:
    """A rung that is due for one resource in; the document that remembers it and the clock event out."""
    book = Book(setting, dict(document.known))
    known, now = book.known[ref], setting.now
    if rung.silent:
        book.known[ref] = msgspec.structs.replace(known, spoken=told(known, rule, rung))
        return Judgement(Document(book.known))
    renewal = renewal_of(document, known, rule)
    book.known[ref] = msgspec.structs.replace(known, spoken=told(known, rule, rung, now, renewal.under))
    value = pick(known.resource.fields, rule.field)
    deadline = describe(rule, rung, value, setting.clockwork, now)
    # Told before with a renewal in sight that has fallen through: another fact, known as of now, so another id.
    anew = speaking(known, rule, setting.clockwork, now, "any") is None
    details = _known_at(now if anew else known_since(known, rule), rung.due)
    if renewal.standing is not None:
        details["renewal"] = renewal.standing
    last_day = notice_by(rule, value, setting.clockwork)
    if last_day is not None and rung.type == rule.type:
        details["notice_by"] = last_day.isoformat()
    mark = f"{rung.name}@{value_name(value)}{' without renewal' if anew else ''}"
    # What takes this one's place stands beside it: a renewal that is offered belongs into the warning.
    book.tell(
        ref,
        rung.type.rsplit(".", 1)[-1],
        deadline=deadline,
        details=details,
        rung=mark,
        related=[related_of(setting, one) for one in renewal.siblings],
    )
    return Judgement(Document(book.known), tuple(book.revisions))


def judge_stay(document: Document, ref: str, stay: Stay, setting: Setting) -> Judgement:
    """A stay that is too long in; the document that remembers it and the `stuck` event out."""
    book = Book(setting, dict(document.known))
    known = book.known[ref]
    book.known[ref] = msgspec.structs.replace(known, spoken=told_stay(known, stay))
    late = lateness(setting.now - stay.due)
    left = 0 if late == "0s" else -round((setting.now - stay.due).total_seconds())
    deadline = {"at": stamp(stay.due), "rung": stay.rung, "seconds_left": left, "late": late}
    details = {"since": stamp(stay.since), **_known_at(parse_instant(known.since), stay.due)}
    book.tell(ref, "stuck", deadline=deadline, details=details, rung=f"stuck {stay.rung} {stay.name}")
    return Judgement(Document(book.known), tuple(book.revisions))


def _known_at(since: datetime | None, due: datetime) -> dict[str, Any]:
    """Since when something could be told, where that was after it was due: lateness that is nobody's fault."""
    return {"known_at": stamp(since)} if since is not None and since - due > ON_TIME else {}
