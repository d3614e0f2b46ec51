"""Validation errors of pydantic in; what is wrong and what is allowed, in words for people, out."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from monitor.values import format_duration, parse_duration

_PLAIN = {
    "string_type": "should be text: put it in quotes",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "dict_type": "should be keys with values",
    "model_type": "should be keys with values",
    "model_attributes_type": "should be keys with values",
    "string_too_short": "must not be empty",
}
_BOUNDS = {
    "greater_than_equal": ("should be at least", "ge"),
    "greater_than": ("should be more than", "gt"),
    "less_than_equal": ("should be at most", "le"),
    "less_than": ("should be less than", "lt"),
}


def in_words(detail: Mapping[str, Any], model: type[BaseModel], literal: str | None) -> str:
    """One error that a model found, in words.

    `model` is the one that owns the field; `literal` is the text in the file, None if it must not be seen.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    name = next((part for part in reversed(detail["loc"]) if isinstance(part, str)), "")
    match kind:
        case "extra_forbidden":
            return f"unknown key; {meant(name, keys_of(model))}"
        case "missing":
            return f"missing{_purpose(model, name)}"
        case "literal_error" | "enum":
            return _one_of(context, literal)
        case "string_pattern_mismatch":
            return f"does not have the right form{_purpose(model, name)}"
        case "value_error":
            return str(context.get("error", detail["msg"]))
    return _sized(kind, context, literal) or _PLAIN.get(kind) or detail["msg"].replace("Input should be", "should be")


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a model takes, as they are written in the file."""
    return [info.alias or name for name, info in model.model_fields.items()]


def meant(given: str, allowed: list[str]) -> str:
    """What a misspelt word was meant to be, or else what is allowed: the end of a sentence."""
    near = get_close_matches(given, allowed, n=1)
    return f"did you mean {near[0]}?" if near else f"allowed: {', '.join(allowed) or 'none'}"


def _one_of(context: Mapping[str, Any], literal: str | None) -> str:
    allowed = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
    near = get_close_matches(literal, allowed.split(", "), n=1) if literal else []
    return f"should be one of: {allowed}" + (f"; did you mean {near[0]}?" if near else "")


def _purpose(model: type[BaseModel], name: str) -> str:
    for key, info in model.model_fields.items():
        if (info.alias or key) == name and info.description:
            return f": {info.description}"
    return ""


def _sized(kind: str, context: Mapping[str, Any], literal: str | None) -> str | None:
    """What is said of a value or list that is too small or too large; None for other kinds of errors."""
    if kind == "too_short":
        return "must not be empty" if context["min_length"] == 1 else f"needs at least {context['min_length']} entries"
    if kind == "too_long":
        return f"has {context['actual_length']} entries, at most {context['max_length']} are allowed"
    if kind not in _BOUNDS:
        return None
    words, bound = _BOUNDS[kind]
    return f"{words} {_limit(context[bound], literal)}"


def _limit(limit: float, literal: str | None) -> str:
    """A bound as it would be written in the file: durations are seconds here and `1s` there."""
    try:
        parse_duration(literal)
    except ValueError:
        return f"{limit:g}"
    return format_duration(limit)
