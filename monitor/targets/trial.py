"""Templates tried out over made-up messages before anything is sent: which text fails, over what, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from monitor.targets.base import Message
from monitor.targets.rendering import Context, Shape, TemplateFault
from monitor.targets.samples import a_catch_up, a_digest, a_group, an_event


@runtime_checkable
class Shaped(Protocol):
    """A target whose messages have a shape of the operator's own, which may give way to another."""

    def fault(self, message: Message) -> str | None:
        """A message in, why something else is sent in place of the operator's shape out; None where it is that."""
        ...


def families(*, digest: bool, catch_up: bool) -> Mapping[str, Message]:
    """What a target may be sent in, a sample of each by what to call it out."""
    told = {"an event": an_event(), "a group": a_group()}
    if digest:
        told["a digest"] = a_digest()
    if catch_up:
        told["a catch-up message"] = a_catch_up()
    return told


def tried(shape: Shape, samples: Mapping[str, Message]) -> Iterable[tuple[str, Any]]:
    """A shape and samples in, what it makes of each out; TemplateFault names the text that fails, and over what.

    A text that only lacks what the sample does not have (a field of another provider) is none that fails.
    """
    for about, message in samples.items():
        faults: list[TemplateFault] = []
        made = shape.render(message, failing=_noting(faults))
        for fault in faults:
            if fault.sure:
                raise fault.over(about)
        if not (faults and shape.whole):
            yield about, made


def _noting(faults: list[TemplateFault]) -> Any:
    def failing(fault: TemplateFault, _: Context) -> str:
        faults.append(fault)
        return "…"

    return failing
