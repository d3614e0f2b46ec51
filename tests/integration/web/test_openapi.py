"""The document of the API: valid, whole, and true of what is served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from redis.asyncio import Redis

from monitor.web.app import make_app
from monitor.web.documents import api_document
from tests.integration.web.serving import served

PAGE = Path("docs/api.md")
DOCUMENT = api_document()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Every method and address of the document."""
    return [(method.upper(), path, one) for path, item in DOCUMENT["paths"].items() for method, one in item.items()]


def words(path: str) -> str:
    """An address with every part that varies written alike, whatever it is called."""
    varying = re.sub(r"\{[^}]*\}", "*", path.partition("?")[0])
    return re.sub(r"(?<=/)[A-Z]+(?=/|$)", "*", varying)


def written() -> set[tuple[str, str]]:
    """Every method and address that docs/api.md writes down in a table, with what varies as `*`."""
    found = set()
    for line in PAGE.read_text().splitlines():
        if line.startswith("| `"):
            for cell in re.findall(r"`([^`]+)`", line.split("|")[1]):
                method, _, path = cell.partition(" ")
                if path:
                    found.add((method, words(path)))
    return found


def test_the_document_is_valid() -> None:
    """OpenAPI 3.1, as another program reads it; every operation has a name of its own."""
    validate(DOCUMENT)
    names = [one["operationId"] for _, _, one in operations()]
    assert len(set(names)) == len(names)
    assert all(one["summary"] and "200" <= min(one["responses"]) < "300" for _, _, one in operations())


def test_too_much_at_once_is_documented_where_it_is_counted() -> None:
    """429 with the seconds to wait everywhere, but for health, which may be asked as often as one likes."""
    without = {path for _, path, one in operations() if "429" not in one["responses"]}
    assert without == {"/healthz", "/readyz"}
    assert all(one["responses"]["429"]["headers"] for _, path, one in operations() if path not in without)


async def test_no_address_is_left_out(redis: Redis, store_url: str) -> None:
    """What is served stands on the page, and what is for programs in the document too; neither names anything else."""
    async with served(store_url) as at:
        routes = make_app(at.watch.services).router.routes()
        there = {(one.method, words(one.resource.canonical)) for one in routes if one.resource}
    there = {(method, path) for method, path in there if method != "HEAD"}
    documented = {(method, words(path)) for method, path, _ in operations()}
    for_people = {one for one in there if not one[1].startswith(("/api/", "/hooks/", "/slack/", "/metrics"))}
    for_people -= {("GET", "/healthz"), ("GET", "/readyz")}

    assert documented == there - for_people
    assert written() == there


async def test_the_document_is_served_and_printed_alike(redis: Redis, store_url: str) -> None:
    """`/api/openapi.json` is what `jobwire schema openapi` prints; a token is needed where one is set."""
    async with served(store_url, web=", tokens: [first]") as at:
        assert await at.get("/api/openapi.json", Authorization="Bearer first") == DOCUMENT
        assert (await at.ask("GET", "/api/openapi.json")).status == 401


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in operations() if path.startswith("/api/")]
)
async def test_words_that_are_not_in_the_document_are_refused(
    redis: Redis, store_url: str, method: str, path: str
) -> None:
    """At every address of the API alike: a misspelt filter must not show, or change, everything."""
    async with served(store_url) as at:
        answer = await at.ask(method, re.sub(r"\{[^}]*\}", "x", path) + "?nonsense=1")

        assert (answer.status, answer.content_type) == (400, "application/problem+json")
