"""Providers against recorded and made-up answers: no event loop, no sockets."""

from __future__ import annotations
