"""Routes that somebody hands over without a file: validated as those of a file are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from monitor.errors import UsageError
from monitor.settings import agreement
from monitor.settings.model import Settings
from monitor.settings.problems import Path, Problems, path_text
from monitor.settings.routes import Route
from monitor.settings.section import without_nothing
from monitor.settings.times import TimeInterval

M = TypeVar("M", bound=BaseModel)


def routes_given(routes: Sequence[Any], intervals: Mapping[str, Any], targets: Collection[str]) -> Settings:
    """`routes` and `intervals` as a file has them in, settings with nothing but these out.

    Routes may lead to these targets. UsageError says what is wrong, with its place (`routes[0].group_wait`).
    """
    named = {name: _intervals(name, times) for name, times in intervals.items()}
    read = tuple(_model(Route, one, ("routes", index)) for index, one in enumerate(routes))
    problems = Problems("")
    agreement.routes_lead_somewhere(list(routes), targets, problems)
    agreement.routes_can_group(list(routes), problems)
    agreement.routes_know_their_times(list(routes), intervals, problems)
    if problems:
        raise UsageError("; ".join(one.text for one in problems.found))
    return Settings(routes=read, intervals=named)


def _intervals(name: str, times: Any) -> tuple[TimeInterval, ...]:
    entries = times if isinstance(times, list) else [times]
    return tuple(_model(TimeInterval, one, ("intervals", name)) for one in entries)


def _model(model: type[M], given: Any, path: Path) -> M:
    try:
        return model.model_validate(without_nothing(given))
    except ValidationError as error:
        said = [
            f"{path_text((*path, *one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise UsageError("; ".join(said)) from None
