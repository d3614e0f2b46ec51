"""The document of the API: operations in, OpenAPI 3.1 out. https://spec.openapis.org/oas/v3.1.1. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from monitor.web.operations import Operation, operations_of
from monitor.web.questions import Word
from monitor.web.shapes import ProblemView

_INSIDE = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_LISTING = re.compile(r"Listing_(\w+?)(?:View)?_(?=\")")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_WHERE = "#/components/schemas/{name}"
_ALSO_PROBLEMS, _OPEN_PROBLEMS = (400, 401, 403, 503), (403,)
_UNCOUNTED = ("/healthz", "/readyz")
_LATER: Mapping[str, Any] = {
    "Retry-After": {"description": "after how many seconds", "schema": {"type": "integer", "minimum": 1}}
}

Schema = dict[str, Any]


def openapi_document(parts: Iterable[type], version: str) -> Schema:
    """The classes of all handlers and the version of jobwire in, the document out."""
    found = [one for part in parts for one in operations_of(part)]
    types = list(dict.fromkeys(type for said, _, _ in found for type in _types(said)))
    schemas, components = msgspec.json.schema_components([*types, ProblemView], ref_template=_WHERE)
    known = dict(zip([*types, ProblemView], schemas, strict=True))
    paths: dict[str, Schema] = {}
    for said, _, text in found:
        paths.setdefault(_INSIDE.sub(r"{\1}", said.path), {})[said.method.lower()] = _operation(said, text, known)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "jobwire",
            "version": version,
            "summary": "What is watched, what changed, who was told.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: {**one, "title": name} for name, one in components.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "One of web.tokens, where there are any."}
            },
        },
    }
    named = _LISTING.sub(r"\1List", msgspec.json.encode(document).decode())
    return msgspec.json.decode(named, type=Schema)


def _types(said: Operation) -> list[Any]:
    given = [said.answer, said.body, said.also[1] if said.also else None]
    return [one for one in given if one is not None and not isinstance(one, str)]


def _operation(said: Operation, text: str, known: Mapping[Any, Schema]) -> Schema:
    summary, _, more = text.strip().partition("\n")
    words = _INSIDE.sub(r"\1", said.path).removeprefix("/api/v1")
    made: Schema = {
        "operationId": "_".join([said.method.lower(), *re.findall(r"\w+", words)]),
        "summary": summary,
        "tags": [words.split("/")[1]],
    }
    if more.strip():
        made["description"] = " ".join(more.split())
    inside = [Word(name, "its name or id; slashes may stay", {"type": "string"}, "path") for name in _names(said.path)]
    if parameters := [_parameter(one) for one in (*inside, *said.words)]:
        made["parameters"] = parameters
    if said.body is not None:
        made["requestBody"] = {
            "content": _content(said.body, known, _FORM if said.form else _JSON),
            "required": _needed(said.body),
        }
    answers = {said.status: said.answer, **(dict([said.also]) if said.also else {})}
    made["responses"] = {str(status): _response(status, _content(one, known)) for status, one in answers.items()}
    for status in sorted(_problems(said) - set(answers)):
        made["responses"][str(status)] = _response(status, _content(ProblemView, known, "application/problem+json"))
        if status == 429:
            made["responses"]["429"]["headers"] = dict(_LATER)
    made["security"] = [{"token": []}] if said.guarded else []
    return made


def _needed(body: Any) -> bool:
    return any(one.required for one in msgspec.structs.fields(body))


def _names(path: str) -> list[str]:
    return [match[1] for match in _INSIDE.finditer(path)]


def _problems(said: Operation) -> set[int]:
    usual = _ALSO_PROBLEMS if said.guarded else _OPEN_PROBLEMS
    counted = {429} if said.path not in _UNCOUNTED else set()
    return {*usual, *counted, *said.problems, *({413} if said.method == "POST" else set())}


def _parameter(one: Word) -> Schema:
    return {
        "name": one.name,
        "in": one.where,
        "required": one.where == "path",
        "description": one.text,
        "schema": dict(one.schema),
    }


def _response(status: int, content: Schema) -> Schema:
    return {"description": HTTPStatus(status).phrase, **({"content": content} if content else {})}


def _content(answer: Any, known: Mapping[Any, Schema], kind: str = _JSON) -> Schema:
    """A type in, its JSON under a content type out; the name of a content type in, text of that type out."""
    if answer is None:
        return {}
    if isinstance(answer, str):
        return {answer: {"schema": {"type": "string"}}}
    return {kind: {"schema": known[answer]}}
