from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.targets import TARGETS
from tests.contract.target_suite import CHECKS, Case


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(TARGETS))
def test_every_registered_target(name: str, check: Callable[[Case], None]) -> None:
    """Each check of the suite, for each entry of the registry."""
    check(Case(name))
