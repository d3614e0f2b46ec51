"""`jobwire schema`: the shapes of the config file, of events and of the API, for editors and programs."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Annotated, Literal

from cyclopts import Parameter

from monitor import __version__
from monitor.asyncapi import asyncapi_document
from monitor.cli.output import say
from monitor.eventschema import Schema, events_schema
from monitor.providers import PROVIDERS
from monitor.settings.schema import json_schema
from monitor.vocabulary import Vocabulary
from monitor.web.documents import api_document

What = Annotated[
    Literal["config", "events", "openapi", "asyncapi"], Parameter(help="config, events, openapi or asyncapi.")
]


async def schema(what: What, /) -> int:
    """Print a JSON Schema (2020-12) of config or events, the API as OpenAPI 3.1, or webhooks as AsyncAPI 3.0."""
    say(json.dumps(_document(what), indent=2))
    return 0


def vocabularies() -> list[Vocabulary]:
    """What every provider declares, in the order of the registry; a provider's module offers VOCABULARY."""
    return [import_module(f"monitor.providers.{name}").VOCABULARY for name in PROVIDERS]


def _document(what: str) -> Schema:
    if what == "config":
        return json_schema()
    if what == "openapi":
        return api_document()
    return events_schema(vocabularies()) if what == "events" else asyncapi_document(vocabularies(), __version__)
