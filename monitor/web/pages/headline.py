"""What the first line of Now says: is everything watched, was everybody told, and if not, what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.status import SourceView, TargetView

_CALM = frozenset({"ok", "new", "disabled"})
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Headline:
    """The line itself, whether anybody works, and a sentence on what to do for each thing that is wrong."""

    text: str
    watched: bool
    advice: Sequence[str]


def headline(
    sources: Sequence[SourceView], targets: Sequence[TargetView], late: Mapping[str, Sequence[str]]
) -> Headline:
    """Sources, targets and what nobody takes up, as /readyz names it, in; the headline out."""
    steps, known = late["steps"], [one for one in sources if one.state != "disabled"]
    works = "workers" not in steps
    sick = [one.name for one in sources if one.state not in _CALM]
    deaf = [one.name for one in targets if one.state != "ok"]
    said, advice = [], []
    if not works:
        said.append("Nobody is watching: no worker runs")
        advice.append(
            "Start one with jobwire up or jobwire worker. If one is running, it is stuck or the store takes nothing"
            " from it (a full one does not): jobwire doctor says which. What stands below is as it was before."
        )
    if sick or deaf:
        said.append(f"{_names([*sick, *deaf])}: in trouble")
    if late["sources"]:
        said.append(f"scans are late: {_names(late['sources'])}")
    if late["targets"] or "relay" in steps:
        said.append(f"deliveries are late: {_names(late['targets']) or 'to every target'}")
    if "deadlines" in steps:
        said.append("deadlines are rung late")
    if works and (late["sources"] or late["targets"] or steps):
        advice.append("Workers run, but are behind: jobwire doctor and their log say why; more workers may help.")
    unseen = [one.name for one in known if one.state == "new"]
    if not said and not known:
        said.append("Nothing is watched: no source is switched on")
    elif not said and unseen:
        said.append(f"Waiting for the first complete scan of {_names(unseen)}")
    text = "; ".join(said) or "All is watched, and everybody is told"
    return Headline(text[0].upper() + text[1:] if not (sick or deaf) else text, works, advice)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
