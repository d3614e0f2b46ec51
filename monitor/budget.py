"""What a credential may still spend at its provider, as answers say it, and the name it is counted under. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from monitor.errors import ProviderThrottled

LONGEST_WAIT = 60.0
"""Seconds; a longer wait is for the schedule of scans, not for a sleeping one."""

LONGEST_WINDOW = 3600.0
"""Seconds; a quota that is said to begin anew later than this is not believed."""

Outcome: TypeAlias = Literal["good", "bad", "lost"]
"""What an answer says of the load: fine; too much (429, 503, a timeout); nothing (other failures)."""

_WHOLE = re.compile(r"[0-9]{1,12}")
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Quota:
    """`left` of `limit` requests may be sent in the next `reset_in` seconds; then they are counted anew."""

    left: int
    limit: int
    reset_in: float


def quota_of(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """The headers of an answer (names in lower case) in, the quota they tell out; None when they tell none.

    X-RateLimit-Limit, -Remaining and -Reset (seconds since 1970), as Bindbee and DevRev send them
    (https://docs.bindbee.dev, https://developer.devrev.ai); the end is measured by the answer's own Date.
    """
    if "x-ratelimit-remaining" not in headers:
        return None
    left, limit, reset = (headers.get(f"x-ratelimit-{name}", "").strip() for name in ("remaining", "limit", "reset"))
    if not (_WHOLE.fullmatch(left) and _EPOCH.fullmatch(reset)):
        return None
    reset_in = float(reset) - made_at(headers, now).timestamp()
    if not 0 < reset_in <= LONGEST_WINDOW:
        return None
    return Quota(int(left), int(limit) if _WHOLE.fullmatch(limit) else int(left), reset_in)


def made_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When an answer was made by its own Date header, so that clocks may differ; `now` without a usable one.

    https://www.rfc-editor.org/rfc/rfc9110.html#name-date
    """
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return now


def credential_id(provider: str, base_url: str, secrets: Sequence[str]) -> str:
    """A provider, the host it is asked at and what proves who asks in, the name of that budget out: 32 hex digits.

    Sources with the same credentials get the same name, in every worker; nobody gets a secret back from it.
    """
    digest = blake2b(digest_size=16, person=b"jobwire budget")
    for part in (provider, urlsplit(base_url).netloc.rpartition("@")[2].lower(), *secrets):
        digest.update(len(part.encode()).to_bytes(4, "big") + part.encode())
    return digest.hexdigest()


def left_alone(seconds: float) -> ProviderThrottled:
    """The error of a scan that would have to wait so many seconds for its credential."""
    return ProviderThrottled(
        f"the provider asked these credentials to wait: the next request may go out in {seconds:.0f} s", seconds
    )
