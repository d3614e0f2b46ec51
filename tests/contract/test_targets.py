from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.targets import TARGETS
from tests.contract.target_case import Case
from tests.contract.target_suite import CHECKS
from tests.contract.threaded_suite import THREADED, THREADED_CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", [name for name in TARGETS if name not in THREADED])
def test_every_registered_target(name: str, check: Callable[[Case], None]) -> None:
    """Each check of the suite, for each entry of the registry."""
    check(Case(name))


@pytest.mark.parametrize("check", THREADED_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", THREADED)
def test_every_target_that_speaks_through_a_library(name: str, check: Callable[[Case], None]) -> None:
    """What holds for all, and what is so where a call takes the place of requests."""
    check(Case(name))
