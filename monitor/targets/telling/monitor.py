"""What happened to the monitor itself, in words: sources that fail, targets that stop. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from monitor.targets.telling.digest import tell_digest
from monitor.targets.telling.facts import Facts
from monitor.targets.telling.words import Moment, Part, Said, Strong, Tone, count, said


def tell_monitor(facts: Facts) -> Said:
    """A `jobwire.*` event in, its words out; one that is not known yet is named and shows its details."""
    tell = _TOLD.get(facts.type)
    return tell(facts) if tell else Said(Tone.NEWS, facts.what.replace("_", " "), _details(facts))


def _details(facts: Facts) -> tuple[Part, ...]:
    told = ", ".join(f"{name}: {said(value)}" for name, value in facts.details.items())
    return (Strong(facts.title), f": {facts.what.replace('_', ' ')}", f" ({told})." if told else ".")


def _since(facts: Facts) -> tuple[Part, ...]:
    since = facts.details.get("since")
    return (" since ", Moment(str(since))) if since else ()


def _why(facts: Facts) -> str:
    reason = str(facts.details.get("error") or facts.details.get("reason") or "")
    return f": {reason}{'' if reason.endswith('.') else '.'}" if reason else "."


def _baselined(facts: Facts) -> Said:
    counts = facts.details.get("counts")
    kinds = counts if isinstance(counts, dict) else {}
    told = "; ".join(
        f"{kind} {', '.join(f'{state} {number}' for state, number in states.items())}"
        for kind, states in kinds.items()
        if isinstance(states, dict)
    )
    total = count(facts.details.get("total", 0), "resource")
    sentence = (Strong(facts.source), f" was read for the first time: {total}", f" ({told})" if told else "")
    return Said(Tone.GOOD, f"{total} known", (*sentence, ". From now on every change is told."))


def _failing(facts: Facts) -> Said:
    if "failed_scans" not in facts.details:  # it answers, and says that its data is not kept up
        sentence = ("The data of ", Strong(facts.source), " is not kept up", *_since(facts), _why(facts))
        return Said(Tone.CRITICAL, "is not kept up", sentence)
    scans = count(facts.details.get("failed_scans", "Several"), "scan")
    sentence = (f"{scans} of ", Strong(facts.source), " failed in a row", *_since(facts), _why(facts))
    return Said(Tone.CRITICAL, "is failing", sentence)


def _source_recovered(facts: Facts) -> Said:
    reason = facts.details.get("reason")
    was = "stale" if facts.details.get("was") == "stale" else "failing"
    again = "is kept up again" if facts.details.get("noticed") else "can be read again"
    sentence = (Strong(facts.source), f" {again}. It was {was}", *_since(facts))
    return Said(Tone.GOOD, "has recovered", (*sentence, f" ({reason})." if reason else "."))


def _rejected(facts: Facts) -> Said:
    sentence = (Strong(facts.source), " refuses our credentials", _why(facts), " It is left alone for 15 minutes.")
    return Said(Tone.CRITICAL, "credentials rejected", sentence)


def _expiring(facts: Facts) -> Said:
    at = facts.details.get("expires_at") or facts.details.get("at")
    when: tuple[Part, ...] = (" on ", Moment(str(at))) if at else (" soon",)
    if facts.details.get("rung") == "expired":
        sentence = ("The credentials of ", Strong(facts.source), " ended", *when, ". Put new ones into the config.")
        return Said(Tone.CRITICAL, "credentials have ended", sentence)
    sentence = ("The credentials of ", Strong(facts.source), " end", *when, ". Renew them before.")
    return Said(Tone.WARNING, "credentials end soon", sentence)


def _stale(facts: Facts) -> Said:
    sentence = ("No complete scan of ", Strong(facts.source), *_since(facts), _why(facts))
    return Said(Tone.WARNING, "is stale", sentence)


def _drift(facts: Facts) -> Said:
    kind, field = facts.details.get("kind"), facts.details.get("field")
    was, now = facts.details.get("was"), facts.details.get("now")
    told = {
        "new_field": ("a new field", f" sends a field it did not send before: {kind} {field} ({now})."),
        "vanished_field": ("a field is gone", f" no longer sends a field that it always sent: {kind} {field} ({was})."),
        "changed_type": ("a field has another type", f" sends {kind} {field} as {now}; it was {was}."),
    }.get(str(facts.details.get("what")))
    if told:
        return Said(Tone.NEWS, told[0], (Strong(facts.source), told[1]))
    if facts.details.get("what") == "unreadable_date":
        keys = facts.details.get("keys") or ["–"]
        why = f" sends {kind} {field} as {said(facts.details.get('value'))}, which is no date: {said(keys[0])}."
        return Said(Tone.WARNING, "a date cannot be read", (Strong(facts.source), why, " Its deadline is not told."))
    state = facts.details.get("state")
    what = f"{kind} state {state}" if state else said(facts.details.get("what"))
    sentence = (Strong(facts.source), f" sent something that its provider does not document: {what}.")
    return Said(Tone.WARNING, "sent something new", (*sentence, " It is told like any other."))


def _held(facts: Facts) -> Said:
    missing = facts.details.get("missing")
    sentence = (
        f"{count(missing, 'known item')} of ",
        Strong(facts.source),
        " went missing at once, too many to be believed. ",
        f"Nothing was told. Decide with: jobwire removals list {facts.source}",
    )
    return Said(Tone.WARNING, f"{missing} removals held", sentence)


def _target_failing(facts: Facts) -> Said:
    until, waiting = facts.details.get("until"), facts.details.get("waiting")
    if until:
        waits = f" {count(waiting, 'message')} waiting." if waiting else ""
        sentence = (Strong(facts.title), " is sent nothing until ", Moment(str(until)), _why(facts), waits)
        return Said(Tone.WARNING, "asked for quiet", sentence)
    attempts = count(facts.details.get("failures", "Several"), "attempt")
    return Said(Tone.WARNING, "is failing", (f"{attempts} to reach ", Strong(facts.title), " failed", _why(facts)))


def _target_recovered(facts: Facts) -> Said:
    return Said(Tone.GOOD, "has recovered", (Strong(facts.title), " takes messages again."))


def _exhausted(facts: Facts) -> Said:
    events, attempts = facts.details.get("events"), facts.details.get("attempts")
    number = count(len(events) if isinstance(events, list) else 1, "event")
    tries = f" after {count(attempts, 'attempt')}" if attempts else ""
    sentence = (Strong(facts.title), f" did not get {number}: given up{tries}", _why(facts))
    return Said(Tone.CRITICAL, "gave up on a delivery", sentence)


def _disabled(facts: Facts) -> Said:
    name = facts.title.removeprefix("target ")
    sentence = (Strong(facts.title), " gets nothing any more", _why(facts))
    return Said(Tone.CRITICAL, "is disabled", (*sentence, f" Once repaired: jobwire target enable {name}"))


def _test(_: Facts) -> Said:
    return Said(Tone.NEWS, "this is a test", ("This is a test message. If you can read it, this target works.",))


_TOLD: Mapping[str, Callable[[Facts], Said]] = MappingProxyType(
    {
        "jobwire.source.baselined": _baselined,
        "jobwire.source.failing": _failing,
        "jobwire.source.recovered": _source_recovered,
        "jobwire.source.credentials_rejected": _rejected,
        "jobwire.source.credentials_expiring": _expiring,
        "jobwire.source.stale": _stale,
        "jobwire.source.schema_drift": _drift,
        "jobwire.source.removals_held": _held,
        "jobwire.target.failing": _target_failing,
        "jobwire.target.recovered": _target_recovered,
        "jobwire.target.exhausted": _exhausted,
        "jobwire.target.disabled": _disabled,
        "jobwire.digest": tell_digest,
        "jobwire.test": _test,
    }
)
