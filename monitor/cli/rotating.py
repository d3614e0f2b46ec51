"""`jobwire target rotate`: a new signing secret, shown once."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, say
from monitor.errors import UsageError
from monitor.pipeline.rotation import Rotated
from monitor.values import parse_duration

Target = Annotated[str, Parameter(help="The target's name in the config file.")]
Overlap = Annotated[str, Parameter(help="How long older secrets sign along, 0s to 30d.")]
NewKind = Annotated[
    Literal["whsec", "whsk"] | None,
    Parameter(help="whsec: HMAC-SHA256, whsk: Ed25519; not given: as the newest secret now."),
]
Forget = Annotated[
    bool, Parameter(negative=(), help="Make none, and forget those made before: the config's secrets sign again.")
]


async def rotate(
    target: Target,
    /,
    *,
    overlap: Overlap = "24h",
    kind: NewKind = None,
    forget: Forget = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Make a new signing secret for a webhook target and print it, this once.

    All workers sign with it within seconds; what signed until now signs along for the overlap, so that receivers
    can change theirs. The secret is kept in the store, sealed with store.key, which has to be set. An overlap of 0s
    ends every older secret at once.
    """
    settings = session.read(config)
    session.known("target", target, settings.targets)
    seconds = _seconds(overlap)
    async with session.wired(settings) as running:
        if forget:
            return _forgotten(target, done=await running.rotation.forget(target))
        made = await running.rotation.rotate(target, seconds, kind)
    if as_json:
        json_line(made.told())
    else:
        _tell(made)
    return 0


def _seconds(overlap: str) -> float:
    try:
        return parse_duration(overlap)
    except ValueError as error:
        raise UsageError(f"--overlap: {error}") from None


def _tell(made: Rotated) -> None:
    say(made.secret)
    if made.public is not None:
        say(made.public)
    for_receivers = "the whpk_ line is for receivers" if made.public else "receivers need it"
    note(f"{made.target} has a new secret, shown here and never again; {for_receivers}.")
    for kind, until in made.until:
        note(f"an older {kind}_ secret signs along until {until}")
    if not made.until:
        note("no older secret signs any more")
    note("Write it into the config file too, as the newest of `secrets:`: then it also outlives a lost store.")


def _forgotten(target: str, *, done: bool) -> int:
    say(f"{target} signs with the secrets of the config file{'' if done else ' already'}")
    return 0
