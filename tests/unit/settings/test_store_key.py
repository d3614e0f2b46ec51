"""`store.key` and JOBWIRE_KEY: 32 bytes as base64, a secret like any other."""

from __future__ import annotations

import base64

import pytest

from tests.unit.settings.configs import Configs

KEY = base64.b64encode(bytes(range(32))).decode()
SOURCES = 'sources: {tax: {provider: worklayer, token: "${TOKEN}"}}\n'
ENVIRON = {"TOKEN": "t"}


def test_the_variable_wins_over_the_file(configs: Configs) -> None:
    """And an empty one does not."""
    other = base64.b64encode(bytes(32)).decode()
    text = SOURCES + f'store: {{key: "{other}"}}\n'
    for environ, expected in (({"JOBWIRE_KEY": KEY}, KEY), ({"JOBWIRE_KEY": ""}, other)):
        key = configs.load(text, ENVIRON | environ).store.key
        assert key is not None
        assert key.get_secret_value() == expected
    assert configs.load(SOURCES, ENVIRON).store.key is None


def test_it_is_never_shown(configs: Configs) -> None:
    """Not by `repr`, and written out in the file it is worth a word."""
    report = configs.check(SOURCES + f'store: {{key: "{KEY}"}}\n', ENVIRON)
    assert report.settings is not None
    assert KEY not in repr(report.settings)
    assert ["store.key: a secret stands in the file" in str(warning) for warning in report.warnings].count(True) == 1


@pytest.mark.parametrize("key", ["pl4nted", "cGw0bnRlZA=="])
def test_what_is_no_key_is_a_problem_that_says_how_to_make_one(configs: Configs, key: str) -> None:
    """In the file and in the environment; the value itself is not repeated."""
    in_file = configs.problems(SOURCES + f'store: {{key: "{key}"}}\n', ENVIRON)
    in_environment = configs.problems(SOURCES, ENVIRON | {"JOBWIRE_KEY": key})
    assert len(in_file) == len(in_environment) == 1
    assert "store.key" in in_file[0]
    assert in_environment[0].startswith("1:1: environment variable JOBWIRE_KEY ")
    for said in (*in_file, *in_environment):
        assert "openssl rand -base64 32" in said
        assert key not in said
