from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.providers import PROVIDERS
from tests.contract.provider_suite import CHECKS, Case


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(PROVIDERS))
def test_every_registered_provider(name: str, check: Callable[[Case], None]) -> None:
    """Each check of the suite, for each entry of the registry."""
    check(Case(name))
