"""Writes the golden files of the year: `.venv/bin/python -m tests.year`. Read what changed before you commit it."""

from __future__ import annotations

from tests.year.page import GOLDEN, MESSAGES, messages, page

GOLDEN.write_text(page(), encoding="utf-8")
MESSAGES.write_text(messages(), encoding="utf-8")
