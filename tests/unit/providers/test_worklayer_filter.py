from __future__ import annotations

import pytest

from monitor.providers.worklayer_filter import OPEN, open_jobs
from monitor.simulator.worklayer_filter import compile_filter
from tests.drive import source


@pytest.mark.parametrize(
    "own",
    [
        'members.user_id:"ann"',
        'create_time>="2025-01-01T00:00:00Z" AND deadline_time<"2026-01-01T00:00:00Z"',
        'members.user_id:"OR"',
        'members.user_id:"status or OR"',
        'members.user_id:"a \\" OR b"',
        "members.user_id:ORANGE",
    ],
)
def test_our_condition_is_joined_to_a_filter_that_has_no_or_and_no_status(own: str) -> None:
    """Words inside a quoted value are no words of the filter."""
    assert open_jobs(own) == f"{own} AND {OPEN}"


@pytest.mark.parametrize(
    "own",
    [
        'status="CLAIMED"',
        'status != "CLOSED"',
        'members.user_id:"ann" OR members.user_id:"bob"',
        'members.user_id:"ann" or members.user_id:"bob"',
        'create_time>"2025-01-01T00:00:00Z" AND Status="X"',
        'members.user_id:"ann',
    ],
)
def test_it_is_not_joined_to_any_other(own: str) -> None:
    """OR binds tighter than AND, and two conditions on one field may not be allowed."""
    assert open_jobs(own) is None


def test_the_joined_filter_means_both() -> None:
    """As the stand-in's own parser understands it."""
    test = compile_filter(str(open_jobs('members.user_id:"ann"')), {"CLOSED", "CLAIMED"})
    ann = {"members": [{"user_id": "ann"}]}
    assert test(ann | {"status": "CLAIMED"})
    assert not test(ann | {"status": "CLOSED"})
    assert not test({"members": [], "status": "CLAIMED"})


def test_what_a_narrow_walk_must_show() -> None:
    """All that is not closed, a cancelled job and one without a state too; nothing where no walk is narrow."""
    job = source("worklayer").resources
    states = ('"CLAIMED"', '"CLOSED"', '"CANCELED"', '"CANCELLED"', '"NEW"', "null")
    items = [job(f'{{"id": "1", "status": {state}}}'.encode())[0] for state in states]
    assert [source("worklayer").expects(item) for item in items] == [True, False, True, True, True, True]
    assert not any(source("worklayer", filter='status="CLAIMED"').expects(item) for item in items)
