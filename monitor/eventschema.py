"""Every event type there is and the shape of each, from what providers declare. Pure: vocabularies in, JSON Schema out.

https://json-schema.org/draft/2020-12. States are open, so types are open too: a state that no document lists makes
an event of the same shape, named by the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from monitor.events import STATE_CLEARED, state_name
from monitor.vocabulary import Kind, Vocabulary

Schema: TypeAlias = dict[str, Any]
Family: TypeAlias = Literal["change", "clock", "monitor"]


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type: its name, its family, when it is told, and the states it is the news of (empty: any)."""

    name: str
    family: Family
    text: str
    states: tuple[str, ...] = ()


ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "created": "a resource is there for the first time",
        "updated": "a tracked field changed, the state did not",
        "removed": "a resource is gone for certain",
        "restored": "a removed resource is there again",
        STATE_CLEARED: "the provider shows no state any more",
    }
)

MONITOR: Mapping[str, str] = MappingProxyType(
    {
        "jobwire.source.baselined": "the first complete scan: `counts` by kind and state, `total`",
        "jobwire.source.failing": "three scans in a row failed, or all for five minutes, or the provider says that "
        "its data is not kept up: `reason`, `error`, `since`",
        "jobwire.source.stale": "no complete scan for longer than `stale_after`: `since`, `reason`, `error`",
        "jobwire.source.recovered": "a complete scan again: `was`, `since`, `reason`",
        "jobwire.source.credentials_rejected": "the provider refuses the credentials; no call for 15 minutes: `error`",
        "jobwire.source.credentials_expiring": "a fixed token ends in 14, 7, 3 or 1 days, or has ended: "
        "`expires_at`, `rung`, `days_left`",
        "jobwire.source.schema_drift": "what items look like has changed, told once: `kind`, `what`: `new_field`, "
        "`vanished_field` or `changed_type` with `field`, `was`, `now` (types), or `unknown_state` with `state`. And, "
        "once a day for each form of writing, `unreadable_date`, a deadline that is no date: `field`, `value`, `keys`",
        "jobwire.source.removals_held": "too much is missing at once, nothing is removed: `missing`, `since`",
        "jobwire.target.failing": "three attempts in a row failed: `failures`, `since`, `events`, `status`, `error`; "
        "or the receiver asked for more than a minute of quiet: `until` and `waiting` (deliveries) beside these",
        "jobwire.target.recovered": "an attempt arrived after that: `events`, `status`",
        "jobwire.target.exhausted": "a delivery was given up: `events`, `attempts`, `status`, `error`",
        "jobwire.target.disabled": "nothing is sent any more: `reason` is `asked` (the receiver wants no more) or "
        "`failing` (nothing but failures for five days, `since`); `events`, `status`, `error`",
        "jobwire.digest": "what a target with `digest` gets once a day, and no other: `day`, `deadlines`, "
        "`events` (how many by type), `important`, `since`, `late` (seconds)",
        "jobwire.test": "`jobwire send-test` was run: `text`",
    }
)


def catalogue(vocabularies: Iterable[Vocabulary]) -> list[EventType]:
    """What providers declare in, every event type that is known in advance out, by provider and kind."""
    found: dict[str, EventType] = {}
    for vocabulary in vocabularies:
        for kind, spec in vocabulary.kinds.items():
            for one in _of_kind(f"{vocabulary.provider}.{kind}", kind, spec, vocabulary):
                found.setdefault(one.name, one)
    return [*found.values(), *(EventType(name, "monitor", text) for name, text in MONITOR.items())]


def events_schema(vocabularies: Iterable[Vocabulary]) -> Schema:
    """What providers declare in, the JSON Schema of every event out; each type is also a definition of its own."""
    declared = list(vocabularies)
    types = catalogue(declared)
    names = [f"{one.provider}.{kind}" for one in declared for kind in one.kinds]
    known = [one.name for one in types]
    open_types = {
        "undocumented_state": _open(rf"^({_any_of(names)})\.[a-z0-9_]+$", known, "change"),
        "undocumented_news": _open(r"^jobwire\.(source|target)\.[a-z0-9_]+$", known, "monitor"),
    }
    definitions = {one.name: _type_schema(one) for one in types} | open_types
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jobwire events",
        "description": "CloudEvents 1.0 in JSON, as they are stored and sent.",
        "$ref": "#/$defs/envelope",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in definitions],
        "$defs": {**_shared(), **definitions},
    }


def _of_kind(prefix: str, kind: str, spec: Kind, vocabulary: Vocabulary) -> Iterable[EventType]:
    by_name: dict[str, list[str]] = {}
    for state in sorted(spec.states):
        by_name.setdefault(state_name(state), []).append(state)
    for what, text in ALWAYS.items():
        yield EventType(f"{prefix}.{what}", "change", text)
    for what, states in sorted(by_name.items()):
        yield EventType(f"{prefix}.{what}", "change", f"the state is now `{'` or `'.join(states)}`", tuple(states))
    for named in spec.named:
        fields = "`, `".join(sorted(named.fields))
        off = "" if named.fields & set(spec.tracked) else "; only where `track` of the source names it"
        yield EventType(f"{prefix}.{named.what}", "change", f"`{fields}` changed, the state did not{off}")
    for told in vocabulary.announces:
        if told.partition(".")[0] == kind:
            yield EventType(f"{vocabulary.provider}.{told}", "change", "a new resource beside it says so: `related`")
    for rule in spec.deadlines:
        yield EventType(rule.type, "clock", f"`{rule.field}` comes near")
        yield EventType(rule.after, "clock", f"`{rule.field}` has passed, and the resource is still alive")
    yield EventType(f"{prefix}.stuck", "clock", "a state lasts longer than a rule of `stuck` in the config allows")


def _type_schema(one: EventType) -> Schema:
    data: Schema = {"$ref": f"#/$defs/{one.family}_data"}
    if one.states:
        data["properties"] = {"state": {"properties": {"after": {"enum": list(one.states)}}}}
    return {"description": one.text, "properties": {"type": {"const": one.name}, "data": data}}


def _open(pattern: str, known: list[str], family: Family) -> Schema:
    unknown = {"type": "string", "pattern": pattern, "not": {"enum": known}}
    return {"properties": {"type": unknown, "data": {"$ref": f"#/$defs/{family}_data"}}}


def _any_of(names: list[str]) -> str:
    return "|".join(name.replace(".", r"\.") for name in names)


def _shared() -> Schema:
    time: Schema = {"type": "string", "format": "date-time"}
    text: Schema = {"type": "string"}
    optional: Schema = {"type": ["string", "null"]}
    common: Schema = {
        "provider": optional,
        "source": optional,
        "key": {**text, "description": "SOURCE/KIND/ID of the resource; KIND/NAME of a source or target"},
        "revision": {"type": "integer", "minimum": 0, "description": "counts the states of a resource from 1"},
        "occurred_at": {**optional, "description": "the provider's own stamp"},
        "last_seen_before": {**optional, "description": "when the last complete scan before began"},
        "first_seen_after": time,
        "related": {"type": "array", "items": {"$ref": "#/$defs/related"}},
        "skipped": {
            "type": "array",
            "items": {"$ref": "#/$defs/skipped"},
            "description": "earlier events that this one takes the place of (catch_up: latest)",
        },
    }
    never: Schema = {"type": "null"}
    nothing: Schema = {"type": "array", "maxItems": 0}
    return {
        "envelope": _envelope(time),
        "change_data": _data(
            common, resource=_ref("resource"), state=_ref("state"), changes=_list("change"), deadline=never
        ),
        "clock_data": _data(
            common | {"details": _ref("clock_details")},
            resource=_ref("resource"),
            state=never,
            changes=nothing,
            deadline=_ref("deadline"),
        ),
        "monitor_data": _data(
            common, resource=never, state=never, changes=nothing, deadline=never, details={"type": "object"}
        ),
        "resource": _object(
            kind=text, id=text, parent=optional, title=text, state=optional, url=optional, fields={"type": "object"}
        ),
        "related": _object(key=text, kind=text, id=text, title=text, state=optional, fields={"type": "object"}),
        "skipped": _object(
            id=text,
            type=text,
            time=time,
            revision={"type": "integer"},
            state={"anyOf": [_ref("state"), never]},
            changed={"type": "array", "items": text},
        ),
        "state": _object(before=optional, after=optional),
        "clock_details": _clock_details(time),
        "change": _object(field=text, before=True, after=True),
        "deadline": {
            "oneOf": [
                _object(date={**text, "format": "date"}, rung=text, days_left={"type": "integer"}, late=text),
                _object(at=text, rung=text, seconds_left={"type": "integer"}, late=text),
            ],
        },
    }


def _clock_details(time: Schema) -> Schema:
    standing = (
        "what follows on the resource (`related`): agreed on, offered in time, offered for later than the day "
        "after the end or without a date, rejected"
    )
    properties: Schema = {
        "known_at": {**time, "description": "it was not known before, and that was after it was due"},
        "since": {**time, "description": "stuck: since when the state has lasted"},
        "notice_by": {"type": "string", "format": "date", "description": "the last day to give notice, if configured"},
        "renewal": {"enum": ["agreed", "pending", "gap", "rejected"], "description": standing},
    }
    return {"type": "object", "properties": properties}


def _envelope(time: Schema) -> Schema:
    text: Schema = {"type": "string", "minLength": 1}
    return _object(
        specversion={"const": "1.0"},
        id={"type": "string", "pattern": "^evt_[a-z2-7]{24}$", "description": "a function of what happened"},
        source={"type": "string", "pattern": "^/(sources|targets)/"},
        type=text,
        subject={**text, "description": "KIND/ID"},
        time={**time, "description": "when the monitor saw it"},
        datacontenttype={"const": "application/json"},
        sequence={"type": "string", "pattern": "^[0-9]{20}$", "description": "counts the events of a resource"},
        data={"type": "object"},
    )


_OPTIONAL = frozenset({"related", "details", "skipped"})


def _data(common: Schema, **own: Any) -> Schema:
    properties = {**common, **own}
    required = [name for name in properties if name not in _OPTIONAL or name in own]
    return {"type": "object", "properties": properties, "required": required}


def _object(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _list(name: str) -> Schema:
    return {"type": "array", "items": _ref(name)}
