"""Hypothesis without a time limit per example: a busy machine is no failure, pytest's own limit ends what hangs."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("jobwire", deadline=None)
settings.load_profile("jobwire")
