"""Whether what a condition says of a resource still stands, by the dates and stuck rules of its source's config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from monitor.conditions.condition import Condition
from monitor.conditions.ending import Sight
from monitor.ladders import ladder, tightest
from monitor.pipeline.source import Source
from monitor.resources import pick


@dataclass(frozen=True, slots=True)
class StandingBySources:
    """Answers for conditions about resources of these sources (`monitor.conditions.ending.Standing`)."""

    sources: Mapping[str, Source]

    def __call__(self, condition: Condition, sight: Sight, now: datetime) -> str | None:
        """The event type that the resource's dates or stay call for now; where nothing can be said, what was said."""
        source = self.sources.get(condition.source or "")
        if source is None:
            return condition.type
        if condition.type.endswith(".stuck"):
            return condition.type if _still_stuck(source, condition, sight) else None
        kind = source.provider.vocabulary.kinds.get(condition.kind or "")
        for rule in kind.deadlines if kind else ():
            if condition.type in (rule.type, rule.after):
                if not rule.alive(sight.state):
                    return None
                value = pick(sight.fields, rule.field)
                rung = tightest(ladder(rule, value, source.clockwork, state=sight.state), now)
                return rung.type if rung and not rung.silent else None
        return condition.type


def _still_stuck(source: Source, condition: Condition, sight: Sight) -> bool:
    """Whether a rule about this state holds whose fields have not changed since it was told."""
    resource: Mapping[str, Any] = msgspec.json.decode(condition.body)["data"]["resource"]
    type_ = condition.type.rsplit(".", 1)[0]
    return any(
        rule.type == type_
        and rule.state == sight.state
        and all(pick(resource["fields"], path) == pick(sight.fields, path) for path in rule.unless_changed)
        for rule in source.clockwork.stuck
    )
