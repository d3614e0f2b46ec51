"""What webhook targets are sent, as an AsyncAPI 3.0 document. Pure: vocabularies in, the document out.

https://www.asyncapi.com/docs/reference/specification/v3.0.0. Payloads are those of `eventschema`, said in the dialect
that AsyncAPI reads without being told: JSON Schema draft-07, where nothing may stand beside a `$ref`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monitor.eventschema import Schema, catalogue, events_schema
from monitor.vocabulary import Vocabulary

CONTENT_TYPE = "application/cloudevents+json"
_SHARED = "#/components/schemas/"


def asyncapi_document(vocabularies: Iterable[Vocabulary], version: str) -> Schema:
    """What providers declare and the version of jobwire in, the AsyncAPI document of all deliveries out."""
    declared = list(vocabularies)
    schemas = {name: _draft_07(schema) for name, schema in events_schema(declared)["$defs"].items()}
    told = {one.name: one.text for one in catalogue(declared)}
    told["undocumented_state"] = "the state is now one that no document lists; the type ends in it"
    told["undocumented_news"] = "news about the monitor that only a later version tells"
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "jobwire webhooks",
            "version": version,
            "description": "Each event is POSTed to the URL of a webhook target, signed by Standard Webhooks. "
            "At least once, in order for each resource; docs/receiving.md says what to answer.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "webhook": {
                "address": None,
                "title": "A webhook target",
                "description": "The address is the target's `url` in the config file.",
                "messages": {name: _ref(f"components/messages/{name}") for name in told},
            }
        },
        "operations": {
            "deliver": {
                "action": "send",
                "channel": _ref("channels/webhook"),
                "summary": "Any 2xx says that the event was taken; anything else is tried again, 410 ends it.",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            }
        },
        "components": {
            "messages": {name: _message(name, text) for name, text in told.items()},
            "messageTraits": {"delivery": _delivery()},
            "schemas": {**schemas, **{f"{name}.event": _whole(name) for name in told}},
        },
    }


def _message(name: str, text: str) -> Schema:
    return {
        "name": name,
        "summary": text,
        "payload": {"$ref": f"{_SHARED}{name}.event"},
        "traits": [_ref("components/messageTraits/delivery")],
    }


def _delivery() -> Schema:
    """What all messages share: their headers."""
    text: Schema = {"type": "string"}
    headers: Schema = {
        "webhook-id": {**text, "description": "the event's id, the same at every attempt"},
        "webhook-timestamp": {**text, "pattern": "^[0-9]+$", "description": "of this attempt, seconds since 1970"},
        "webhook-signature": {
            **text,
            "pattern": "^v1a?,[A-Za-z0-9+/]+=*( v1a?,[A-Za-z0-9+/]+=*)*$",
            "description": "v1 HMAC-SHA256, v1a Ed25519, one for each secret that signs now",
        },
        "traceparent": {
            **text,
            "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$",
            "description": "W3C trace context: one trace for an event, a span for each attempt",
        },
    }
    return {
        "contentType": CONTENT_TYPE,
        "headers": {"type": "object", "properties": headers, "required": list(headers)},
        "bindings": {"http": {"headers": {"type": "object", "properties": headers}, "bindingVersion": "0.3.0"}},
    }


def _whole(name: str) -> Schema:
    """The envelope with the data of one type."""
    return {"allOf": [{"$ref": f"{_SHARED}envelope"}, {"$ref": f"{_SHARED}{name}"}]}


def _draft_07(value: Any) -> Any:
    """A schema with references into `$defs` in, the same with references into the components out."""
    if isinstance(value, list):
        return [_draft_07(one) for one in value]
    if not isinstance(value, dict):
        return value
    rest = {key: _draft_07(one) for key, one in value.items() if key != "$ref"}
    if "$ref" not in value:
        return rest
    reference = {"$ref": value["$ref"].replace("#/$defs/", _SHARED)}
    return {"allOf": [reference, rest]} if rest else reference


def _ref(place: str) -> Schema:
    return {"$ref": f"#/{place}"}
