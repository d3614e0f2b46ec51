"""Config files of one test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.configs import Configs


@pytest.fixture
def configs(tmp_path: Path) -> Configs:
    """Config files in the directory of this test."""
    return Configs(tmp_path)
