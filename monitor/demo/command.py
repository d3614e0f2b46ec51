"""`jobwire demo`: options in, an exit code out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.demo.plan import FAST, NORMAL, SEED, Plan
from monitor.demo.screen import Screen
from monitor.errors import UsageError
from monitor.values import parse_duration

DATA_DIR = Path("var/demo")


Fast = Annotated[
    bool, Parameter(negative=(), show_default=False, help="Several changes a second, told within a second.")
]
For = Annotated[
    str | None, Parameter(name="--for", help="End by itself after so long, such as 30s; exit 0 only if all went well.")
]
DataDir = Annotated[Path, Parameter(help="Where the demo keeps its files; each running demo needs its own.")]
Seed = Annotated[int | None, Parameter(help=f"What happens by chance, for a new demo. Default: {SEED}.")]
Fresh = Annotated[
    bool, Parameter(negative=(), show_default=False, help="Forget the demo in the data directory and begin anew.")
]


async def demo(
    *, fast: Fast = False, for_: For = None, data_dir: DataDir = DATA_DIR, seed: Seed = None, fresh: Fresh = False
) -> int:
    """See it work in one terminal: no account, no server, no config.

    Four made-up providers live and change on this machine, real workers watch them, and what they notice is
    delivered to a webhook receiver that checks signatures and to a Slack look-alike. Everything is told as it
    happens. Ctrl-C ends it; the next start goes on where it was.
    """
    seconds = _seconds(for_)
    screen = Screen()
    screen.line(
        ("jobwire demo: ", "bold"),
        "four made-up job services live on this machine. jobwire watches them, "
        "and tells a webhook and Slack what changes. Nothing leaves this machine.",
    )
    screen.line()
    # Half a second of imports: who waits has something to read meanwhile.
    from monitor.demo.performance import perform  # noqa: PLC0415

    pace = FAST if fast else NORMAL
    return await perform(Plan(pace=pace, seconds=seconds, data_dir=data_dir, seed=seed, fresh=fresh), screen)


def _seconds(duration: str | None) -> float | None:
    try:
        return None if duration is None else parse_duration(duration)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
