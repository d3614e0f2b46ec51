"""The AsyncAPI document, against the schema that AsyncAPI publishes, and its payloads against real events."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from monitor import __version__
from monitor.asyncapi import asyncapi_document
from monitor.cli.schemas import vocabularies
from monitor.eventschema import catalogue, events_schema
from monitor.targets.signature import new_secret, sign, signer
from monitor.targets.trace import traceparent
from tests.unit.test_eventschema import job, told

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "asyncapi"
DOCUMENT = asyncapi_document(vocabularies(), __version__)


def published() -> Any:
    """AsyncAPI's own schema of documents, checked to be the published one."""
    text = gzip.decompress((SAMPLES / "3.0.0.json.gz").read_bytes())
    assert hashlib.sha256(text).hexdigest() in (SAMPLES / "ORIGIN.md").read_text()
    return json.loads(text)


def references(value: Any) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def payload(type_: str) -> jsonschema.Draft7Validator:
    """What validates the payload of one message."""
    schema = DOCUMENT["components"]["messages"][type_]["payload"]
    return jsonschema.Draft7Validator({**schema, "components": DOCUMENT["components"]})


def test_it_is_a_document_of_the_published_version() -> None:
    """An independent validator has nothing against it."""
    found = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in jsonschema.Draft7Validator(published()).iter_errors(DOCUMENT)
    ]
    assert found == []


def test_what_is_no_document_is_found() -> None:
    """The published schema does look."""
    wrong = {**DOCUMENT, "operations": {"deliver": {"action": "shout", "channel": {"$ref": "#/channels/webhook"}}}}
    assert not jsonschema.Draft7Validator(published()).is_valid(wrong)


def test_every_reference_leads_somewhere_and_has_nothing_beside_it() -> None:
    """Draft-07 readers ignore what stands beside a `$ref`."""
    for reference in set(references(DOCUMENT)):
        place: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place

    def lonely(value: Any) -> bool:
        if isinstance(value, dict):
            return (len(value) == 1 or "$ref" not in value) and all(map(lonely, value.values()))
        return all(map(lonely, value)) if isinstance(value, list) else True

    assert lonely(DOCUMENT["components"])


def test_every_type_is_a_message() -> None:
    """With its schema, and in the channel."""
    names = {one.name for one in catalogue(vocabularies())} | {"undocumented_state", "undocumented_news"}
    assert set(DOCUMENT["components"]["messages"]) == names
    assert set(DOCUMENT["channels"]["webhook"]["messages"]) == names


def test_the_schema_of_each_type_takes_its_events_and_no_others() -> None:
    """The payload of a message means what the JSON Schema of events means."""
    created, claimed = told("worklayer", job("UNCLAIMED", name="a"), job("CLAIMED", name="a"))
    (other,) = told("worklayer", job("ON_THE_MOON"))[-1:]

    assert payload("worklayer.job.claimed").is_valid(claimed)
    assert not payload("worklayer.job.claimed").is_valid(created)
    claimed["data"]["state"]["after"] = "CLOSED"
    assert not payload("worklayer.job.claimed").is_valid(claimed)
    assert payload("worklayer.job.created").is_valid(other)
    assert not payload("worklayer.job.created").is_valid({**created, "sequence": "9"})


def test_the_headers_are_those_that_are_sent() -> None:
    """What we sign fits the pattern, with one secret and with several."""
    trait = DOCUMENT["components"]["messageTraits"]["delivery"]
    signers = [signer(new_secret("whsec", bytes)), signer(new_secret("whsk", bytes))]
    for several in (signers[:1], signers[1:], signers):
        headers = {"webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": sign(several, "evt_1", 1, b"")}
        headers["traceparent"] = traceparent("evt_1", "https://a.example", 1, datetime(2026, 1, 5, tzinfo=UTC))
        jsonschema.validate(headers, trait["headers"], jsonschema.Draft7Validator)


@pytest.mark.parametrize("name", sorted(events_schema(vocabularies())["$defs"]))
def test_every_shape_is_a_schema_of_the_older_draft_too(name: str) -> None:
    """AsyncAPI reads it as draft-07."""
    jsonschema.Draft7Validator.check_schema(DOCUMENT["components"]["schemas"][name])
