"""Hypothesis without limits of time: a busy machine is no failure, pytest's own limit ends what hangs."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("jobwire", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("jobwire")
