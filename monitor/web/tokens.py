"""Comparing what somebody gives with secrets, without telling by time how near it came."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from pydantic import SecretStr


def same_as_one(given: str, wanted: Sequence[SecretStr]) -> bool:
    """Whether a text is one of the secrets; takes the same time whichever it is, and however much of it fits."""
    return place_of(given, wanted) is not None


def place_of(given: str, wanted: Sequence[SecretStr]) -> int | None:
    """Which of the secrets a text is, the first of those that are alike; None for none. Takes the same time for any."""
    said = given.encode("utf-8", "surrogateescape")
    fits = [hmac.compare_digest(said, one.get_secret_value().encode()) for one in wanted]
    return fits.index(True) if any(fits) else None
