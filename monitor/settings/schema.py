"""The config file as JSON Schema, for editors and other programs, made from the models that `check` uses.

https://json-schema.org/draft/2020-12. Editors with the YAML language server read it through the first line of
config/jobwire.yaml. What one section says of another (a route's targets, say) only `jobwire check` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel

from monitor.plugin import Plugin
from monitor.providers import PROVIDERS
from monitor.settings.agreement import Providers, Targets
from monitor.settings.model import EgressSettings, Ladder, StoreSettings, StuckRule, WebSettings
from monitor.settings.routes import Route
from monitor.settings.telemetry import TelemetrySettings
from monitor.settings.times import TimeInterval
from monitor.settings.validation import NAME
from monitor.targets import TARGETS
from monitor.values import format_duration

Schema: TypeAlias = dict[str, Any]

DURATION = r"^\d+(\.\d+)?(ms|s|m|h|d)$"
_REFERENCE = {"$ref": "#/$defs/reference"}
_ONLY_PYDANTIC = ("title", "ge", "gt", "le", "lt")
_NARROW = ("pattern", "enum", "const")


def json_schema(providers: Providers = PROVIDERS, targets: Targets = TARGETS) -> Schema:
    """The registries in, the schema of a whole config file out."""
    defs: Schema = {
        "reference": {
            "type": "string",
            "pattern": r"\$\{",
            "description": "${NAME}, ${NAME:-default}, ${NAME:?message} or ${file:/path}",
        }
    }
    sections: Schema = {
        "store": _model(StoreSettings, defs),
        "web": _model(WebSettings, defs),
        "egress": _model(EgressSettings, defs),
        "telemetry": _model(TelemetrySettings, defs),
        "sources": {**_registry("source", "provider", providers, defs), "minProperties": 1},
        "deadlines": {"type": "object", "additionalProperties": _model(Ladder, defs)},
        "stuck": {"type": "array", "items": _model(StuckRule, defs)},
        "targets": _registry("target", "type", targets, defs),
        "intervals": {
            "type": "object",
            "propertyNames": {"pattern": f"^{NAME.pattern}$"},
            "additionalProperties": {"anyOf": [times := _model(TimeInterval, defs), {"type": "array", "items": times}]},
        },
        "routes": {"type": "array", "items": _model(Route, defs)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jobwire config file",
        "type": "object",
        "properties": sections,
        "required": ["sources"],
        "additionalProperties": False,
        "$defs": dict(sorted(defs.items())),
    }


def _registry(what: str, key: str, plugins: Mapping[str, Plugin[Any, Any]], defs: Schema) -> Schema:
    """Entries by name, each with the options of the plugin that its `key` names."""
    choices = []
    for name, plugin in plugins.items():
        options = _model(plugin.options, defs, name=f"{what}.{name}")
        choices.append(
            {"if": {"type": "object", "properties": {key: {"const": name}}, "required": [key]}, "then": options}
        )
        defs[f"{what}.{name}"]["properties"][key] = {"const": name}
    defs[what] = {
        "type": "object",
        "properties": {key: {"enum": list(plugins)}},
        "required": [key],
        "allOf": choices,
    }
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {"$ref": f"#/$defs/{what}"},
    }


def _model(model: type[BaseModel], defs: Schema, name: str | None = None) -> Schema:
    """Adds a model and all that it refers to to `defs`; a reference to it out."""
    own = name or model.__name__
    prefix = f"{name}." if name else ""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    inner = schema.pop("$defs", {})
    if "$ref" not in schema:  # a model that contains itself is among its own definitions already
        defs[own] = _for_files(schema)
    defs.update({f"{prefix}{key}": _for_files(value) for key, value in inner.items()})
    return {"$ref": f"#/$defs/{own}"}


def _for_files(schema: Schema) -> Schema:
    """A schema of pydantic's in; what may stand in a file, where `${...}` may stand for any value, out."""
    return _or_reference(_clean(schema))


def _clean(schema: Schema) -> Schema:
    clean = {key: value for key, value in schema.items() if key not in _ONLY_PYDANTIC or isinstance(value, dict)}
    for key in ("items", "additionalProperties"):
        if isinstance(clean.get(key), dict):
            clean[key] = _for_files(clean[key])
    if "anyOf" in clean:
        clean["anyOf"] = [_clean(choice) for choice in clean["anyOf"]]
    if "properties" in clean:
        clean["properties"] = {key: _for_files(value) for key, value in clean["properties"].items()}
        clean["description"] = clean.get("description", "").split("\n")[0]
    return _without_null(_with_default_as_written(clean))


def _with_default_as_written(schema: Schema) -> Schema:
    if "default" not in schema:
        return schema
    default = schema["default"]
    if is_duration(schema) and isinstance(default, float):
        default = format_duration(default)
    if is_duration(schema.get("items", {})):
        default = [format_duration(one) for one in default]
    return {**schema, "default": default}


def is_duration(schema: Schema) -> bool:
    """Whether a schema, or one it offers, is that of a duration."""
    return schema.get("pattern") == DURATION or any(is_duration(one) for one in schema.get("anyOf", ()))


def _without_null(schema: Schema) -> Schema:
    """A key that may be left out is left out in a file, rather than written with null."""
    schema = {key: value for key, value in schema.items() if key != "default" or value is not None}
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        only = schema.pop("anyOf") and choices[0]
        return {**only, **schema}
    return {**schema, "anyOf": choices} if choices else schema


def _or_reference(schema: Schema) -> Schema:
    """The same where any text may stand already; else also text with `${...}` for a single value."""
    choices = schema.get("anyOf", [schema])
    if any(_is_any_text(one) for one in choices) or not any(_is_single(one) for one in choices):
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*choices, _REFERENCE]}
    told: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    return {**told, "anyOf": [{key: value for key, value in schema.items() if key not in told}, _REFERENCE]}


def _is_any_text(schema: Schema) -> bool:
    kinds = schema.get("type")
    is_text = kinds == "string" or (isinstance(kinds, list) and "string" in kinds)
    return is_text and not any(key in schema for key in _NARROW)


def _is_single(schema: Schema) -> bool:
    return schema.get("type") in ("string", "integer", "number", "boolean") or "const" in schema or "enum" in schema
