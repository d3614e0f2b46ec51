"""Targets against recorded answers: no event loop, no sockets."""

from __future__ import annotations
