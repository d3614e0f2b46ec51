"""Routes as they are written in the config file. How events are matched against them is `monitor.routing`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from monitor.settings.interpolation import Filled
from monitor.settings.section import Names, Section, each_once, one_or_many
from monitor.settings.times import TimesList
from monitor.values import Duration, Text
from monitor.yamlfile import resolve

GROUP_NAMES = ("source", "provider", "type", "kind", "key", "state", "severity")
EACH_ALONE = "..."

_TYPE = re.compile(r"[\w*-]+(\.[\w*-]+)*")


def _type_pattern(pattern: str) -> str:
    if not _TYPE.fullmatch(pattern):
        raise ValueError(
            "is not an event type: write words with dots between them, `*` for one word, `**` for any number"
        )
    return pattern


def _scalar(given: Any) -> Any:
    value = resolve(given) if isinstance(given, Filled) else given
    if not isinstance(value, str | int | float):
        raise ValueError("should be text, a number, true or false")  # noqa: TRY004 - pydantic collects ValueError
    return value


def _ordered(given: Any) -> Any:
    value = _scalar(given)
    if isinstance(value, bool):
        raise ValueError("should be a number or text")  # noqa: TRY004 - pydantic collects ValueError
    return value


Scalar: TypeAlias = Annotated[Any, BeforeValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Ordered: TypeAlias = Annotated[Any, BeforeValidator(_ordered), WithJsonSchema({"type": ["string", "number"]})]
TypePattern: TypeAlias = Annotated[Text, AfterValidator(_type_pattern)]
TypePatterns: TypeAlias = Annotated[
    tuple[TypePattern, ...],
    BeforeValidator(one_or_many, json_schema_input_type=tuple[TypePattern, ...] | str),
    AfterValidator(each_once),
]


class Comparison(Section):
    """What one value of an event is compared with; all that are given must hold."""

    eq: Scalar = Field(default=None, description="equal")
    ne: Scalar = Field(default=None, description="not equal")
    in_: tuple[Scalar, ...] | None = Field(default=None, alias="in", description="equal to one of these")
    gt: Ordered = Field(default=None, description="greater (numbers with numbers, text with text)")
    gte: Ordered = Field(default=None, description="greater or equal")
    lt: Ordered = Field(default=None, description="less")
    lte: Ordered = Field(default=None, description="less or equal")
    glob: str | None = Field(default=None, description="text that fits a pattern with * and ?")
    exists: bool | None = Field(default=None, description="true: there and not null; false: missing or null")

    @property
    def operators(self) -> dict[str, Any]:
        """The comparisons that are given, by the names they have in the file."""
        return {name.rstrip("_"): getattr(self, name) for name in sorted(self.model_fields_set)}

    @model_validator(mode="after")
    def _says_something(self) -> Comparison:
        if not self.model_fields_set:
            raise ValueError("compares nothing: write one or more of eq, ne, in, gt, gte, lt, lte, glob, exists")
        return self


class Match(Section):
    """What an event must be like; of each list one must fit, and all that are given must agree."""

    type: TypePatterns = Field(default=(), description="event types; `*` is one word between dots, `**` any number")
    source: Names = Field(default=(), description="names of sources; may hold * and ?")
    provider: Names = Field(default=(), description="providers")
    kind: Names = Field(default=(), description="kinds of resources: job, job_driver, contract, interview")
    state: Names = Field(default=(), description="states as the provider writes them; may hold * and ?")
    where: dict[str, Comparison] = Field(
        default_factory=dict,
        description="values inside `data` of the event by dotted path, such as resource.fields.total_amount",
    )


class Escalation(Section):
    """Who is told as well when nobody acknowledges."""

    after: Duration = Field(gt=0, description="time without an acknowledgement")
    to: Names = Field(min_length=1, description="names of targets")


class Route(Section):
    """One route. What is not given is taken from the route it stands in.

    `to` None sends where the parent sends; an empty list takes the events and sends them nowhere.
    `group_by` an empty list is one group for all; `("...",)` is a group for each event.
    """

    name: Text | None = Field(default=None, description="what `explain` calls this route; its path if not given")
    match: Match = Field(default_factory=Match, description="which events; without it, all")
    to: Names | None = Field(default=None, description="names of targets; the parent's if not given, [] for nowhere")
    continue_: bool = Field(
        default=False, alias="continue", description="true: the routes after this one are tried as well"
    )
    routes: tuple[Route, ...] = Field(
        default=(), description="routes inside this one; the first that matches takes the event"
    )
    group_by: Names | None = Field(
        default=None, description=f"{', '.join(GROUP_NAMES)} or a label; [] is one group, [...] each event alone"
    )
    group_wait: Duration | None = Field(
        default=None, ge=0, description="how long a new group waits for more; 10s if not given"
    )
    group_interval: Duration | None = Field(
        default=None, gt=0, description="least time between messages of a group; group_wait if not given"
    )
    repeat_interval: Duration | None = Field(
        default=None,
        gt=0,
        description="how often an open condition is told again, in whole group_intervals; never if not given",
    )
    mute: TimesList | None = Field(
        default=None, description="times in which nothing is sent, written out or by their names in intervals"
    )
    active: TimesList | None = Field(
        default=None, description="times outside which nothing is sent, written out or by name"
    )
    severity: Literal["info", "warning", "critical"] | None = Field(
        default=None, description="severity of these events"
    )
    labels: dict[Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")], Text] = Field(
        default_factory=dict, description="labels added to these events, for group_by and targets"
    )
    escalate: Escalation | None = Field(default=None, description="who is told as well when nobody acknowledges")

    @model_validator(mode="after")
    def _groups_make_sense(self) -> Route:
        if self.group_by and EACH_ALONE in self.group_by and len(self.group_by) > 1:
            raise ValueError("group_by: [...] puts each event alone and cannot stand beside other names")
        taken = sorted(set(self.labels) & set(GROUP_NAMES))
        if taken:
            raise ValueError(f"labels: {', '.join(taken)} is what events carry themselves: choose another name")
        return self


def every_route(
    routes: Iterable[Route], path: tuple[str | int, ...] = ("routes",)
) -> Iterator[tuple[tuple[str | int, ...], Route]]:
    """Every route of a tree with its path in the file, each before the routes inside it."""
    for index, route in enumerate(routes):
        yield (*path, index), route
        yield from every_route(route.routes, (*path, index, "routes"))
