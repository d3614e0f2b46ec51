"""Bodies of the operator's own shape: Jinja templates compiled once, and rendered over what a message is about.

Templates run in Jinja's sandbox and see values alone. What is missing renders as nothing.
https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from jinja2 import TemplateError, UndefinedError, meta

from monitor.grouping.backlog import CatchUp
from monitor.grouping.message import Member
from monitor.moments import stamp
from monitor.targets.base import Message
from monitor.targets.lines import TITLE, Line, lines_of
from monitor.targets.sandbox import Sandbox, Steps, sandbox
from monitor.targets.telling import name
from monitor.targets.telling.cleaning import line
from monitor.targets.worded import worded

VALUE, LIST, DEPTH = 2_000, 50, 20
"""Characters of a provider's text, entries of a list and levels of an event that templates see at the most."""

SHORTER = (VALUE, 200, 20)
"""To so many characters texts are cut one after the other where the body is too large otherwise."""

STATE = 200

_FAILS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,  # a macro that calls itself, a mapping that grows in a loop
    TypeError,
    ValueError,
)

Context: TypeAlias = Mapping[str, Any]
Failing: TypeAlias = Callable[["TemplateFault", Context], str]
"""What becomes of a text whose template fails over a message: what stands there in its place, or the fault raised."""

Path: TypeAlias = tuple[str | int, ...]
_Render: TypeAlias = Callable[[Context, Failing], Any]


class TemplateFault(ValueError):
    """A template that cannot be read, or not be rendered over this message; says where and why.

    `within` is the place in the target's options. `sure` says that it is the template's own fault, and not that of a
    message which lacks something.
    """

    def __init__(self, within: Path, why: str, *, sure: bool = True) -> None:
        super().__init__(f"{written(within)}: {why}")
        self.within, self.why, self.sure = within, why, sure

    def over(self, about: str) -> TemplateFault:
        """The same, with what it was tried over."""
        return TemplateFault(self.within, f"{self.why} (over a sample of {about})", sure=self.sure)


def written(within: Path) -> str:
    """A place in, as people write it out: `body.blocks[0].text`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in within]
    return "".join(parts).removeprefix(".")


def refuse(fault: TemplateFault, _: Context) -> str:
    """A failed template in; always raises its fault: nothing can stand in for it."""
    raise fault


@dataclass(frozen=True, slots=True)
class Shape:
    """A compiled body. `whole` says that one template makes all of it."""

    make: _Render
    whole: bool

    def render(self, message: Message, most: int = VALUE, failing: Failing = refuse) -> Any:
        """A message in, its body out: text where `whole`, else a tree of JSON values.

        Of each text in its events `most` characters are seen. A text whose template fails is what `failing` makes of
        it: TemplateFault by default. What `failing` writes is sent as it is, so it has to be harmless by itself.
        """
        return self.make(context(message, most), failing)


def compiled(body: Any, safe: Callable[[str], str] | None = None) -> Shape:
    """A body as the config has it in, its compiled shape out; TemplateFault names a text that is no template.

    What templates write out goes through `safe`, which makes it harmless where it is read; null is written as nothing.
    """
    environment = sandbox(safe)
    if isinstance(body, str):
        return Shape(_text(environment, body, ("body",)), whole=True)
    return Shape(_tree(environment, body, ("body",)), whole=False)


def _tree(environment: Sandbox, value: Any, within: Path) -> _Render:
    if isinstance(value, str):
        return _text(environment, value, within)
    if isinstance(value, Mapping):
        made = {str(name): _tree(environment, one, (*within, str(name))) for name, one in value.items()}
        return lambda context, failing: {name: one(context, failing) for name, one in made.items()}
    if isinstance(value, list):
        parts = [_tree(environment, one, (*within, index)) for index, one in enumerate(value)]
        return lambda context, failing: [one(context, failing) for one in parts]
    return lambda _, __: value


def _text(environment: Sandbox, text: str, within: Path) -> _Render:
    """One template; a failure at run time names its place."""
    try:
        template = environment.from_string(text)
    except TemplateError as error:
        raise TemplateFault(within, f"not a template: {error}") from None

    def render(context: Context, failing: Failing) -> str:
        try:
            return template.render({**context, "range": Steps()})
        except _FAILS as error:
            lacks = isinstance(error, UndefinedError) or "Undefined" in str(error)
            unknown = meta.find_undeclared_variables(environment.parse(text)) - {*context, *environment.globals}
            why = f"the template fails: {type(error).__name__}: {error}"
            return failing(TemplateFault(within, why, sure=bool(unknown) or not lacks), context)

    return render


def context(message: Message, most: int = VALUE) -> Context:
    """What templates see of a message.

    `title` says what is new, `summary` also what happened to it, `text` all of it in words. `lines` is each thing in
    it, what is new first, `conditions` what of that is open or over, `events` the events that came, `event` the first;
    with `severity`, `reason`, `route`, `labels`, `values` and `id`. `catch_up` has the numbers of a catch-up message,
    which names the worst conditions and has no events; None in any other.
    """
    group = message.group
    events = [_cut(msgspec.json.decode(body), most) for body in message.events]
    told = lines_of(message)
    lines, words, late = [_line(one) for one in told], worded(message, told), message.catch_up
    return {
        "id": message.id,
        "title": words.title,
        "summary": words.summary,
        "text": words.text,
        "severity": message.severity or "info",
        "reason": str(group.reason) if group else "catch-up" if late else "occurred",
        "route": group.route if group else "",
        "labels": dict(group.labels) if group else {},
        "values": dict(group.values) if group else {},
        "lines": lines,
        "conditions": [one for one, told_of in zip(lines, told, strict=True) if told_of.member is not None],
        "events": events,
        "event": events[0] if events else {},
        "sent_at": stamp(message.sent_at),
        "catch_up": _catch_up(late) if late else None,
    }


def _catch_up(told: CatchUp) -> dict[str, Any]:
    return {
        "groups": told.groups,
        "events": told.events,
        "since": stamp(told.since),
        "late": round(told.late),
        "why": str(told.why),
        "still_open": told.still_open,
        "critical": told.critical,
        "open": dict(told.open),
        "over": dict(told.over),
        "occurred": dict(told.occurred),
        "waiting": told.waiting,
    }


def _line(one: Line) -> dict[str, Any]:
    """One thing in a message; what people read in it is clean, `key` and `url` are data."""
    facts = one.facts
    told = {
        "title": name(facts, TITLE),
        "text": one.text,
        "move": one.move,
        "type": facts.type,
        "key": facts.key,
        "source": facts.source,
        "provider": facts.provider,
        "state": None if facts.state is None else line(facts.state, STATE),
        "url": facts.url,
        "severity": one.severity,
        "news": "occurred",
    }
    return told if one.member is None else told | _condition(one.member)


def _condition(member: Member) -> dict[str, Any]:
    condition = member.condition
    return {
        "id": condition.id,
        "news": str(member.news),
        "status": str(member.status),
        "over": member.over,
        "since": stamp(condition.opened_at),
        "times": member.times,
    }


def _cut(value: Any, most: int, depth: int = DEPTH) -> Any:
    """A value of an event, bounded: texts end with an ellipsis, long lists and what is nested too deep are cut."""
    if isinstance(value, str):
        return value if len(value) <= most else value[: most - 1] + "…"
    if isinstance(value, Mapping):
        items = list(value.items())[: LIST * 2] if depth else []
        return {str(name)[:200]: _cut(one, most, depth - 1) for name, one in items}
    if isinstance(value, Sequence):
        return [_cut(one, most, depth - 1) for one in value[:LIST]] if depth else []
    return value
