"""A provider or target that is registered is known everywhere in the config file, by that alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field

from monitor.plugin import Plugin
from monitor.providers.base import Provider, SourceOptions
from monitor.settings import check, json_schema
from monitor.settings.agreement import deadline_rules
from monitor.settings.page import config_page
from monitor.targets.base import Target, TargetOptions
from monitor.values import Secret
from monitor.vocabulary import Vocabulary
from tests.unit.acme import VOCABULARY


class AcmeOptions(SourceOptions):
    """Options of an acme source."""

    provider: Literal["acme"]
    base_url: str = "https://api.acme.example"
    key: Secret = Field(description="key of the shop")
    share: int | Literal["all"] = Field(default="all", description="how much of it")


class PigeonOptions(TargetOptions):
    """Options of a pigeon."""

    type: Literal["pigeon"]
    loft: str = Field(description="where it flies")


@dataclass(frozen=True)
class Acme:
    """As much of a provider as the config file looks at."""

    vocabulary: Vocabulary = VOCABULARY


PROVIDERS: dict[str, Plugin[Any, Provider]] = {
    "acme": Plugin(AcmeOptions, lambda name, options: cast("Provider", Acme()))
}
TARGETS: dict[str, Plugin[Any, Target]] = {"pigeon": Plugin(PigeonOptions, lambda name, options: cast("Target", None))}
GOOD = """
sources: {shop: {provider: acme, key: "${KEY}", share: 5}}
deadlines: {acme.contract.expiring: {before: [7d]}}
targets: {grey: {type: pigeon, loft: Leeds}}
routes: [{to: [grey], match: {type: acme.job.claimed}}]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", None),
        ("provider: acme", "provider: worklayer", "sources.shop.provider: unknown provider 'worklayer'; allowed: acme"),
        ("type: pigeon", "type: webhook", "targets.grey.type: unknown type 'webhook'; allowed: pigeon"),
        ("[7d]", "[36h]", "a date is told in whole days"),
        ("acme.contract.expiring", "acme.contract.expring", "did you mean acme.contract.expiring?"),
        ("acme.job.claimed", "acmee.job.claimed", "no event type begins with 'acmee'; did you mean acme?"),
    ],
)
def test_check_knows_what_is_registered(tmp_path: Path, old: str, new: str, said: str | None) -> None:
    """And nothing else."""
    path = tmp_path / "jobwire.yaml"
    path.write_text(GOOD.replace(old, new) if old else GOOD)

    problems = check(path, {"KEY": "x"}, PROVIDERS, TARGETS).problems

    assert len(problems) == (said is not None)
    assert said is None or said in problems[0].text


def test_the_schema_knows_what_is_registered() -> None:
    """With its options, where a choice of values may come from elsewhere too."""
    schema = json_schema(PROVIDERS, TARGETS)
    source = {"provider": "acme", "key": "x", "share": "${SHARE}"}
    is_valid = Draft202012Validator(schema).is_valid

    assert is_valid({"sources": {"shop": source}, "targets": {"grey": {"type": "pigeon", "loft": "Leeds"}}})
    assert not is_valid({"sources": {"shop": source | {"share": "some"}}})
    assert not is_valid({"sources": {"shop": source}, "targets": {"grey": {"type": "pigeon"}}})


def test_the_page_knows_what_is_registered() -> None:
    """With its options and its deadlines."""
    page = config_page(PROVIDERS, TARGETS, deadline_rules({"acme": VOCABULARY}))

    assert "### provider: acme" in page
    assert "| `key` | secret | required | key of the shop |" in page
    assert "| `share` | whole number or `all` | `all` | how much of it |" in page
    assert "### type: pigeon" in page
    assert "| `acme.contract.expiring` | `[30d, 14d, 7d, 3d, 1d]` | `acme.contract.overdue` | calendar days" in page
