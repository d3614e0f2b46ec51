"""The filter of a narrow walk at Worklayer: our own condition, joined to the user's where that is safe. Pure.

The grammar (https://docs.taxfyle.com/jobs/list-jobs) has AND, OR and no parentheses; as in the language that it
follows, OR binds tighter than AND (https://google.aip.dev/160), so a condition put behind an OR would become
part of it.
"""

from __future__ import annotations

import re

OPEN = 'status!="CLOSED"'
"""A cancelled state exists too, but its literal is published nowhere, and a wrong literal may be a 400."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SPEAKS_OF_STATE_OR_OR = re.compile(r'\b(?:OR|status)\b|"', re.IGNORECASE)


def open_jobs(filter_: str | None) -> str | None:
    """The user's filter in, one for the jobs of it that are not closed out; None where the two cannot be joined.

    They cannot when the user's has an OR, speaks of the status itself, or has a quote without an end.
    """
    if filter_ is None:
        return OPEN
    bare = _QUOTED.sub("", filter_)
    return None if _SPEAKS_OF_STATE_OR_OR.search(bare) else f"{filter_} AND {OPEN}"
