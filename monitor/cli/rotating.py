"""`jobwire target rotate`: a new signing secret, shown once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.desk.asked import Kind, values
from monitor.cli.desk.opening import desk
from monitor.cli.options import HERE, AsJson, Target, Where
from monitor.cli.output import json_line, note, say
from monitor.errors import UsageError
from monitor.values import parse_duration

Overlap = Annotated[str, Parameter(help="How long older secrets sign along, 0s to 30d.")]
NewKind = Annotated[
    Kind | None,
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
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Make a new signing secret for a webhook target and print it, this once.

    All workers sign with it within seconds; what signed until now signs along for the overlap, so that receivers
    can change theirs. The secret is kept in the store, sealed with store.key, which has to be set. An overlap of 0s
    ends every older secret at once.
    """
    try:
        parse_duration(overlap)
    except ValueError as error:
        raise UsageError(f"--overlap: {error}") from None
    async with desk(where) as at:
        await at.known("target", target)
        if forget:
            return _forgotten(target, done=await at.forget(target))
        made = await at.rotate(target, overlap, kind)
    if as_json:
        json_line(made)
    else:
        _tell(values(made))
    return 0


def _tell(made: Mapping[str, Any]) -> None:
    say(made["secret"])
    if made["public_key"] is not None:
        say(made["public_key"])
    for_receivers = "the whpk_ line is for receivers" if made["public_key"] else "receivers need it"
    note(f"{made['target']} has a new secret, shown here and never again; {for_receivers}.")
    for older in made["signing_along"]:
        note(f"an older {older['kind']}_ secret signs along until {older['until']}")
    if not made["signing_along"]:
        note("no older secret signs any more")
    note("Write it into the config file too, as the newest of `secrets:`: then it also outlives a lost store.")


def _forgotten(target: str, *, done: bool) -> int:
    say(f"{target} signs with the secrets of the config file{'' if done else ' already'}")
    return 0
