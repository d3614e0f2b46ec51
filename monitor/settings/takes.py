"""What a key of the config file takes, in a few words: made from the type of its field, for docs/config.md."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, SecretStr, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from monitor.values import format_duration, parse_duration, parse_rate, parse_size

_PARSED = {parse_duration: "duration", parse_rate: "rate", parse_size: "size"}
_NAMED = {
    SecretStr: "secret",
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "directory",
    time: "HH:MM",
    date: "YYYY-MM-DD",
}


def takes(info: FieldInfo) -> str:
    """A field of a model in, what may stand after its key out."""
    return _type(info.annotation, tuple(info.metadata))


def default_of(info: FieldInfo) -> str:
    """A field of a model in, its default as it would be written in the file out; `required` when it has none."""
    default = info.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if default is None or isinstance(default, BaseModel) or default in ([], (), {}):
        return ""
    if "duration" in takes(info):
        durations = [default] if isinstance(default, float) else default
        written = [format_duration(one) for one in durations]
        default = written[0] if isinstance(default, float) else f"[{', '.join(written)}]"
    elif isinstance(default, float):
        default = f"{default:g}"
    elif isinstance(default, list | tuple):
        default = f"[{', '.join(map(str, default))}]"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models inside a type, outermost first."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def _type(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0], inner[1:])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    told = _told(annotation, metadata)
    if told is not None:
        return told
    if inner:
        return _of_others(origin, inner, metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return _NAMED.get(annotation, "text")


def _told(annotation: Any, metadata: tuple[Any, ...]) -> str | None:
    """What the validators of a type say of it; None where they say nothing."""
    for one in metadata:
        if isinstance(one, BeforeValidator) and one.func in _PARSED:
            return _PARSED[one.func]
        if isinstance(one, WithJsonSchema) and annotation is Any and one.json_schema:
            kinds = ", ".join(one.json_schema["type"])
            return kinds.replace("string", "text").replace("boolean", "true or false")
    return None


def _of_others(origin: Any, inner: tuple[Any, ...], metadata: tuple[Any, ...]) -> str:
    """A type made of others: a list, a mapping or a choice."""
    if origin is dict:
        return f"keys with {_type(inner[1])}"
    if origin not in (list, tuple):
        return " or ".join(_type(one) for one in inner if one is not NoneType)
    item = _type(inner[0])
    if any(isinstance(one, BeforeValidator) for one in metadata):
        return f"{item}, or a list"
    return f"list of {item}s" if item.isalpha() else f"list of {item}"
