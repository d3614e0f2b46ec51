"""Writes the golden file of the year anew: `.venv/bin/python -m tests.year`. Read what changed before you commit it."""

from __future__ import annotations

from tests.year.page import GOLDEN, page

GOLDEN.write_text(page(), encoding="utf-8")
