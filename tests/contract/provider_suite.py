"""What every provider must keep, whoever wrote it: run over the registry by test_providers.py.

A provider brings tests/samples/NAME/options.json (the least it takes), scan.json (the answers of one
whole scan, in order) and, if it has a call by id, look_up.json.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from monitor.errors import (
    CredentialsRejected,
    ProviderError,
    ProviderNotFound,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    UnexpectedAnswer,
)
from monitor.exchange import Page, Request, Response
from monitor.providers import PROVIDERS
from monitor.providers.base import Provider, ScanPlan, SourceOptions
from monitor.resources import Resource
from monitor.values import secrets_of
from tests.drive import SAMPLES, drive, reply, sample, sample_answers, sample_scan
from tests.drive import look_up as look_up_of

SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
GENERAL = {"created", "updated", "removed", "restored", "state_cleared", "stuck"}
ODD: tuple[Any, ...] = (None, "", "-", "x" * 5_000, 0, -1, 1.5, 10**30, True, [], {}, [None], [[]], {"id": None})


@dataclass(frozen=True)
class Case:
    """One registered provider with its sample options."""

    name: str

    @property
    def given(self) -> dict[str, Any]:
        """The sample options as the config file has them."""
        options: dict[str, Any] = json.loads(sample(self.name, "options.json"))
        return options

    @property
    def options(self) -> BaseModel:
        """The sample options, validated."""
        options: BaseModel = PROVIDERS[self.name].options.model_validate(self.given)
        return options

    @property
    def provider(self) -> Provider:
        """The provider built from them."""
        return PROVIDERS[self.name].build("here", self.options)

    def items(self) -> list[bytes]:
        """The raw items of the sample scan."""
        return drive(self.provider.scan(ScanPlan()), sample_scan(self.name)).items

    def secrets(self) -> list[str]:
        """Every secret among the sample options."""
        return [secret.get_secret_value() for _, secret in secrets_of(self.options)]

    def failure(self, response: Response) -> ProviderError:
        """The error of a scan whose first answer is this one."""
        with pytest.raises(ProviderError) as caught:
            drive(self.provider.scan(ScanPlan()), lambda request: response)
        return caught.value


def its_options_are_a_model_of_their_own(case: Case) -> None:
    """They take what every source takes, name the provider, and describe each option for the schema."""
    model = PROVIDERS[case.name].options
    assert issubclass(model, SourceOptions)
    assert case.given["provider"] == case.name
    assert [name for name, field in model.model_fields.items() if name != "provider" and not field.description] == []
    assert model.model_json_schema()["type"] == "object"


def unknown_options_are_refused(case: Case) -> None:
    """A misspelt key is an error that names the key and not its value, which may be a secret."""
    with pytest.raises(ValidationError) as caught:
        PROVIDERS[case.name].options.model_validate(case.given | {"tokne": "canary-misspelt"})
    assert "tokne" in str(caught.value)
    assert "canary-misspelt" not in str(caught.value)


def wrong_options_do_not_show_secrets(case: Case) -> None:
    """Neither a wrong value nor a missing one prints what else was given."""
    for key in case.given:
        for wrong in ([["canary-wrong"]], {"canary": "canary-wrong"}):
            with pytest.raises(ValidationError) as caught:
                PROVIDERS[case.name].options.model_validate(case.given | {key: wrong})
            assert not [secret for secret in (*case.secrets(), "canary-wrong") if secret in str(caught.value)]


def secrets_stay_out_of_repr_and_errors(case: Case) -> None:
    """Not in options, provider, credentials or requests, and not in an error that quotes them back."""
    secrets = case.secrets()
    assert secrets, "the sample options hold no secret: is it declared as one?"
    seen = drive(case.provider.scan(ScanPlan()), sample_scan(case.name))
    shown = [repr(case.options), str(case.options), case.options.model_dump_json(), repr(case.provider)]
    shown += [repr(case.provider.credentials()), *map(repr, seen.requests)]
    for status in (400, 401, 403, 404, 429, 500, 503):
        for body in ({"error": f"not {secret}", "detail": secret, "message": secret} for secret in secrets):
            shown += [str(case.failure(reply(body, status=status))), str(case.failure(reply(str(body), status=status)))]
    assert not [text for text in shown for secret in secrets if secret in text]


def its_vocabulary_is_consistent(case: Case) -> None:
    """Kinds and changes in snake_case, shapes and names about tracked fields, deadlines named by kind."""
    vocabulary = case.provider.vocabulary
    assert vocabulary.provider == case.name
    assert vocabulary.kinds
    for name, kind in vocabulary.kinds.items():
        assert SNAKE.fullmatch(name)
        assert all(path and "" not in path.split(".") for path in kind.tracked)
        assert len(set(kind.tracked)) == len(kind.tracked)
        assert set(kind.shapes) <= set(kind.tracked)
        assert kind.child_of is None or (kind.child_of in vocabulary.kinds and kind.child_of != name)
        whats = [named.what for named in kind.named]
        assert len(set(whats)) == len(whats)
        assert all(SNAKE.fullmatch(what) and what not in GENERAL for what in whats)
        assert all(named.fields and all(isinstance(field, str) for field in named.fields) for named in kind.named)
        for rule in kind.deadlines:
            for told in (rule.type, rule.after):
                assert told.startswith(f"{case.name}.{name}.")
                assert SNAKE.fullmatch(told.rsplit(".", 1)[1])
            assert rule.type != rule.after
            assert list(rule.before) == sorted(set(rule.before), reverse=True)
            assert rule.before
            assert rule.before[-1] > 0
            assert all(isinstance(rule.alive(state), bool) for state in (None, "", "anything", *kind.states))


def a_scan_begins_with_a_request_and_ends_complete(case: Case) -> None:
    """It is a generator, its requests are absolute and authorised, its pages pair ids with items."""
    scan = case.provider.scan(ScanPlan())
    assert inspect.isgenerator(scan)
    first = next(scan)
    assert isinstance(first, Request | tuple)
    scan.close()
    seen = drive(case.provider.scan(ScanPlan()), sample_scan(case.name))
    assert seen.result is not None
    assert seen.result.complete, seen.result.reason
    base = getattr(case.options, "base_url", "")
    assert all(request.url.startswith(f"{base}/") and request.authorise for request in seen.requests)
    assert all(request.idempotent for request in seen.requests)
    assert seen.pages
    for page in seen.pages:
        assert isinstance(page, Page)
        assert len(page.ids) == len(page.raws) > 0
        assert "" not in page.ids
        assert {type(id_) for id_ in page.ids} == {str}


def its_scope_names_options_of_its_own(case: Case) -> None:
    """What says which items there are is an option, its own, and no secret."""
    model = PROVIDERS[case.name].options
    own = set(model.model_fields) - set(SourceOptions.model_fields)
    assert isinstance(model.SCOPE, tuple)
    assert set(model.SCOPE) <= own
    assert not [name for name in model.SCOPE if isinstance(getattr(case.options, name), SecretStr)]


def a_narrow_scan_makes_do_with_what_it_is_told(case: Case) -> None:
    """A watermark or a hint that nobody wrote harms nothing; a full scan is never called one that became full."""
    provider = case.provider
    for since in (None, "", "odd", "{", "2026-01-05T09:30:00.000Z"):
        for hints in ({}, {"": ""}, {"filter": "odd", "state": "odd", "sort_by": "odd", "connector": "odd"}):
            with pytest.raises(UnexpectedAnswer):
                drive(provider.scan(ScanPlan(full=False, since=since, hints=hints)), lambda request: reply({}))
    full = drive(provider.scan(ScanPlan(since="odd", hints={"": ""})), sample_scan(case.name)).result
    assert full is not None
    assert full.complete
    assert not full.full
    for raw in case.items():
        assert provider.expects(provider.resources(raw)[0]) in {True, False}


def a_second_scan_is_the_same_scan(case: Case) -> None:
    """A provider keeps no state: no cursor, no page, no memory of the last scan."""
    provider = case.provider
    scans = [drive(provider.scan(ScanPlan()), sample_scan(case.name)) for _ in range(2)]
    assert scans[0].requests == scans[1].requests
    assert scans[0].items == scans[1].items


def its_sample_becomes_resources_of_its_kinds(case: Case) -> None:
    """The item's own resource first and under its id; refs unique, parents there, states documented."""
    seen = drive(case.provider.scan(ScanPlan()), sample_scan(case.name))
    kinds = case.provider.vocabulary.kinds
    for id_, raw in zip(seen.ids, seen.items, strict=True):
        found = case.provider.resources(raw)
        assert found[0].id == id_
        assert found[0].parent is None
        refs = [one.ref for one in found]
        assert len(set(refs)) == len(refs)
        for one in found:
            assert one.title.strip()
            assert one.state is None or one.state in kinds[one.kind].states
            assert one.parent is None or one.parent in refs
            assert (one.parent is None) == (kinds[one.kind].child_of is None)
            assert msgspec.json.decode(msgspec.json.encode(one), type=Resource) == one


def odd_values_are_open_values_or_unexpected_answers(case: Case) -> None:
    """Each field of the sample in turn holds what nobody expects; nothing else is ever raised."""
    for raw in case.items():
        for odd in _with_odd_values(json.loads(raw)):
            try:
                found = case.provider.resources(json.dumps(odd).encode())
            except UnexpectedAnswer:
                continue
            for one in found:
                msgspec.json.encode(one)
                for path, shape in case.provider.vocabulary.kinds[one.kind].shapes.items():
                    shape(one.fields.get(path))


def items_without_identity_are_unexpected_answers(case: Case) -> None:
    """No object, no id, no JSON."""
    for raw in (b"", b"{", b"null", b"[]", b'"x"', b"7", b"{}", b'{"id": null}', b'{"id": {}}', b"\xff"):
        with pytest.raises(UnexpectedAnswer, match=case.name):
            case.provider.resources(raw)


def answers_that_are_no_list_are_the_right_errors(case: Case) -> None:
    """Each says the provider's name and what a person can do."""
    expected: Mapping[int, type[ProviderError]] = {
        400: ProviderRejected,
        401: CredentialsRejected,
        403: CredentialsRejected,
        404: ProviderNotFound,
        422: ProviderRejected,
        429: ProviderThrottled,
        500: ProviderUnavailable,
        502: ProviderUnavailable,
        503: ProviderThrottled,
    }
    for status, error in expected.items():
        caught = case.failure(reply("<html><title>Oh no</title>", status=status, retry_after=7))
        assert type(caught) is error, status
        assert case.name in str(caught)
        assert str(status) in str(caught)
        assert "HTML page titled “Oh no”" in str(caught)
        if isinstance(caught, ProviderThrottled):
            assert caught.retry_after == 7.0
    for body in (b"", b"<html>", b"[]", b"{}", b"null", b'{"jobs"', b"[" * 100_000):
        caught = case.failure(reply(body))
        assert type(caught) is UnexpectedAnswer, body[:20]
        assert case.name in str(caught)
    assert "elsewhere.example.net" in str(case.failure(reply(status=302, location="https://elsewhere.example.net/x")))


def a_look_up_tells_found_from_gone(case: Case) -> None:
    """Or there is none; what it finds has the form of the list's items."""
    if case.provider.look_up([]) is None:
        assert not (SAMPLES / case.name / "look_up.json").exists()
        return
    recorded = json.loads(sample(case.name, "look_up.json"))
    answers = iter(sample_answers(case.name, recorded["answers"]))
    seen = drive(look_up_of(case.provider, *recorded["ids"]), lambda request: next(answers))
    assert seen.result is not None
    found, gone = seen.result.found, seen.result.gone
    assert sorted([*found.ids, *gone]) == sorted(recorded["ids"])
    assert found.ids
    assert gone
    assert [case.provider.resources(bytes(raw))[0].id for raw in found.raws] == list(found.ids)
    nothing = drive(look_up_of(case.provider), lambda request: next(answers))
    assert nothing.requests == []


def a_wait_hint_is_seconds_or_nothing(case: Case) -> None:
    """Whatever a 429 or 503 carries."""
    for status in (429, 503):
        for body in (b"", b"{", b"[]", b'{"retry_after": -5}', b'{"retry_after": "x"}', b'{"retry_after": 9}'):
            hint = case.provider.wait_hint(reply(body, status=status))
            assert hint is None or hint >= 0


def _with_odd_values(item: Any) -> Iterator[Any]:
    """Copies of an item with an odd value in place of one of its fields, at any depth."""
    if isinstance(item, dict):
        for key, value in item.items():
            yield from ({**item, key: odd} for odd in ODD)
            yield {name: kept for name, kept in item.items() if name != key}
            yield from ({**item, key: inner} for inner in _with_odd_values(value))
    elif isinstance(item, list):
        for position, value in enumerate(item):
            yield from ([*item[:position], inner, *item[position + 1 :]] for inner in _with_odd_values(value))


CHECKS: tuple[Callable[[Case], None], ...] = (
    its_options_are_a_model_of_their_own,
    unknown_options_are_refused,
    wrong_options_do_not_show_secrets,
    secrets_stay_out_of_repr_and_errors,
    its_vocabulary_is_consistent,
    a_scan_begins_with_a_request_and_ends_complete,
    its_scope_names_options_of_its_own,
    a_narrow_scan_makes_do_with_what_it_is_told,
    a_second_scan_is_the_same_scan,
    its_sample_becomes_resources_of_its_kinds,
    odd_values_are_open_values_or_unexpected_answers,
    items_without_identity_are_unexpected_answers,
    answers_that_are_no_list_are_the_right_errors,
    a_look_up_tells_found_from_gone,
    a_wait_hint_is_seconds_or_nothing,
)
