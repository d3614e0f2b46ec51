from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ProviderError, UnexpectedAnswer
from monitor.exchange import Request, Response
from monitor.providers import PROVIDERS
from monitor.providers.base import ScanPlan
from monitor.resources import FieldChange, pick
from tests.drive import drive, sample_scan, source

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
ANY = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
SOURCES = {name: source(name) for name in PROVIDERS}
ITEMS = {
    name: [json.loads(raw) for raw in drive(one.scan(ScanPlan()), sample_scan(name)).items]
    for name, one in SOURCES.items()
}


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place inside a JSON value, as the keys and positions that lead to it."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*way, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*way, key))


def put(value: Any, way: tuple[str | int, ...], new: Any) -> Any:
    """A copy of a JSON value with something else at one place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = new
    return copy


HINTS = st.dictionaries(
    st.sampled_from(["filter", "state", "sort_by", "connector", "connector_at"]),
    st.sampled_from(["refused", "none", "created_date", '["a","b",null]', "2026-01-05T09:30:00Z"]) | st.text(),
)
SINCE = st.none() | st.sampled_from(["2026-01-05T09:30:00.000Z", '{"job":"2026-01-05T09:30:00.000Z"}', "{"]) | st.text()
PLANS = st.builds(ScanPlan, full=st.booleans(), since=SINCE, hints=HINTS)

T = TypeVar("T")


def outcome(work: Callable[[], T], allowed: type[ProviderError]) -> T | ProviderError:
    """What the work gives, or the allowed error that it raises; any other exception fails the test."""
    try:
        return work()
    except allowed as error:
        return error


PLACES = [(name, item, way) for name, items in ITEMS.items() for item in items for way in places(item)]


@given(st.sampled_from(PLACES), ANY)
def test_any_value_in_any_field_is_an_open_value_or_an_unexpected_answer(
    place: tuple[str, Any, tuple[str | int, ...]], value: Any
) -> None:
    """Nothing else is ever raised, and what is read can be stored, compared and named."""
    name, item, way = place
    one = SOURCES[name]
    raw = json.dumps(put(item, way, value)).encode()
    found = outcome(lambda: one.resources(raw), UnexpectedAnswer)
    if isinstance(found, ProviderError):
        assert str(found).startswith(f"{name}: ")
        return
    assert found[0].kind in one.vocabulary.kinds
    for resource in found:
        assert isinstance(resource.title, str)
        assert resource.title.strip()
        assert isinstance(resource.state, str | None)
        msgspec.json.encode(resource)
        kind = one.vocabulary.kinds[resource.kind]
        for path, shape in kind.shapes.items():
            shape(pick(resource.fields, path))
        one.vocabulary.follow_ups(resource, found)


@given(st.sampled_from(sorted(SOURCES)), ANY, ANY)
def test_named_changes_judge_any_pair_of_values(name: str, before: Any, after: Any) -> None:
    """Their conditions see whatever a provider sent."""
    for kind in SOURCES[name].vocabulary.kinds.values():
        for named in kind.named:
            for field in named.fields:
                assert isinstance(named.when(FieldChange(field, before, after)), bool)


@given(
    name=st.sampled_from(sorted(SOURCES)),
    status=st.integers(200, 599),
    body=ANY.map(lambda value: json.dumps(value).encode()) | st.binary(),
    plan=PLANS,
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "date", "location", "total", "per-page", "x-ratelimit-reset"]), st.text()
    ),
)
def test_any_answer_at_all_ends_a_scan_or_is_a_provider_error(
    name: str, status: int, body: bytes, headers: dict[str, str], plan: ScanPlan
) -> None:
    """Statuses, headers and bodies in any combination, whatever an earlier scan has left behind."""
    response = Response(status, headers, body)
    one = SOURCES[name]
    hint = one.wait_hint(response)
    assert hint is None or hint >= 0
    end = outcome(lambda: drive(one.scan(plan), lambda request: response), ProviderError)
    if isinstance(end, ProviderError):
        assert str(end).startswith((f"{name} answered {status} to ", f"{name}: "))
        return
    assert end.result is not None
    assert all(isinstance(value, str) for value in end.result.hints.values())
    assert not (plan.full and end.result.full)


@pytest.mark.parametrize("name", sorted(SOURCES))
@given(key=st.text(), value=ANY, changed=ANY, plan=PLANS)
def test_any_envelope_ends_a_scan_or_is_an_unexpected_answer(
    name: str, key: str, value: Any, changed: Any, plan: ScanPlan
) -> None:
    """The list under its own name, with any rows and any other key beside it."""
    listed = {"driver_jobs": "job_drivers", "worklayer": "data", "bindbee": "items", "devrev": "jobs"}[name]

    def answer(request: Request) -> Response:
        return Response(200, {}, json.dumps({listed: value, key: changed}).encode())

    end = outcome(lambda: drive(SOURCES[name].scan(plan), answer), UnexpectedAnswer)
    if isinstance(end, ProviderError):
        assert str(end).startswith(f"{name}: ")
