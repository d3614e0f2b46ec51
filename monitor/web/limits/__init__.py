"""How much of the API one caller may ask for: buckets that fill again, in bounded memory, by this process alone.

    buckets    a bucket for each caller
    callers    which requests count for whom, and what a refusal says

Each web process counts by itself: a request costs no round trip for it, and the limit holds while the store does not
answer. Whoever runs several of them allows so many times as much.
"""

from __future__ import annotations

from monitor.web.limits.buckets import Buckets, Lately, Level
from monitor.web.limits.callers import LEVEL, Limits, address_of, told

__all__ = ["LEVEL", "Buckets", "Lately", "Level", "Limits", "address_of", "told"]
