"""The base of every section of the config file, and the words that several sections share."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from monitor.values import Text


class Section(BaseModel):
    """A part of the config file: unknown keys are errors, and a key with nothing after it counts as not given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nothing(cls, given: Any) -> Any:
        return without_nothing(given)


def without_nothing(given: Any) -> Any:
    """A mapping in, the same without keys that have nothing after them out; anything else as it is."""
    return {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else given


def one_or_many(given: Any) -> Any:
    """One text in, a list of it out; a list as it is."""
    return [given] if isinstance(given, str) else given


def each_once(given: tuple[str, ...]) -> tuple[str, ...]:
    """A list in, the same out; ValueError names what stands in it twice."""
    twice = sorted({one for one in given if given.count(one) > 1})
    if twice:
        raise ValueError(f"names {', '.join(twice)} more than once")
    return given


Names: TypeAlias = Annotated[
    tuple[Text, ...],
    BeforeValidator(one_or_many, json_schema_input_type=tuple[Text, ...] | str),
    AfterValidator(each_once),
]
"""One name or a list of them, each once."""
