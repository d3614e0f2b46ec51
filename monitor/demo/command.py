"""`jobwire demo`: options in, an exit code out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from monitor.demo.config import FAST, NORMAL
from monitor.demo.performance import perform
from monitor.demo.screen import Screen
from monitor.demo.stage import SEED, Plan
from monitor.values import parse_duration

DATA_DIR = Path("var/demo")


def _seconds(_: Any, tokens: Sequence[Token]) -> float:
    return parse_duration(tokens[0].value)


Fast = Annotated[bool, Parameter(negative=(), help="Several changes a second, told within a second.")]
For = Annotated[
    float | None,
    Parameter(
        name="--for", converter=_seconds, help="End by itself after so long, such as 30s; exit 0 if all is well."
    ),
]
DataDir = Annotated[Path, Parameter(help="Where the demo keeps its files; each running demo needs its own.")]
Seed = Annotated[int | None, Parameter(help=f"What happens by chance, for a new demo. Default: {SEED}.")]
Fresh = Annotated[bool, Parameter(negative=(), help="Forget the demo in the data directory and begin anew.")]


async def demo(
    *, fast: Fast = False, for_: For = None, data_dir: DataDir = DATA_DIR, seed: Seed = None, fresh: Fresh = False
) -> int:
    """See it work in one terminal: no account, no server, no config.

    Four made-up providers live and change on this machine, real workers watch them, and what they notice is
    delivered to a webhook receiver that checks signatures and to a Slack look-alike. Everything is told as it
    happens. Ctrl-C ends it; the next start goes on where it was.
    """
    pace = FAST if fast else NORMAL
    return await perform(Plan(pace=pace, seconds=for_, data_dir=data_dir, seed=seed, fresh=fresh), Screen())
