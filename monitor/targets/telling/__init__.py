"""Events in words for people, whatever they are read on: what it is about, how loud, what moved, one sentence.

facts      a stored event, taken apart
words      parts of sentences, tones, how days and spans are said
resource   what happened to a job, contract or interview
monitor    what happened to a source or target
headline   what happened in one short line
digest     what comes and what has happened, once a day
backlog    what a catch-up message says of many late groups
cleaning   text of providers made fit to be read
"""

from __future__ import annotations

from monitor.targets.telling.facts import Facts, FieldMove, read
from monitor.targets.telling.headline import headline, name
from monitor.targets.telling.resource import field_name, field_value, tell
from monitor.targets.telling.words import (
    Moment,
    Part,
    Said,
    Strong,
    Tone,
    count,
    day,
    graded,
    in_utc,
    in_zone,
    plain_text,
    said,
    span,
)

__all__ = [
    "Facts",
    "FieldMove",
    "Moment",
    "Part",
    "Said",
    "Strong",
    "Tone",
    "count",
    "day",
    "field_name",
    "field_value",
    "graded",
    "headline",
    "in_utc",
    "in_zone",
    "name",
    "plain_text",
    "read",
    "said",
    "span",
    "tell",
]
