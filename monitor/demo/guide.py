"""What is said at the beginning and at the end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import monitor
from monitor.demo import words
from monitor.demo.figures import Figures, spread
from monitor.demo.plan import Pace
from monitor.demo.screen import Screen
from monitor.demo.stage import Stage
from monitor.simulator import Simulator
from monitor.targets.telling import count


def opening(screen: Screen, stage: Stage, pace: Pace, known: int, left_at: float | None) -> None:
    """What was started, where it is, what to try."""
    home, sim = stage.home, stage.world.sim
    asked = f"asked every {pace.quick}" + ("" if pace.quick == pace.calm else f" or {pace.calm}")
    rows = (
        ("services", f"{', '.join(words.PROVIDERS.values())}: {asked}"),
        ("", f"{sim.control_url} shows what they hold and how to change it"),
        ("receivers", "a webhook that checks every signature"),
        ("", f"a Slack look-alike: failed jobs, ending contracts; groups for {pace.group_wait}"),
        ("page", f"http://{stage.settings.web.listen} shows what is watched, open, sent; it is yours to press buttons"),
        ("running", f"store, worker and page; log: {shown(home.log)}"),
        ("config", shown(home.config)),
    )
    for name, text in rows:
        screen.line(text, lead=(f"  {name:<11}", "cyan"))
    screen.line()
    screen.line(("Try it", "bold"), " in another terminal: let a contract end in three days, then watch here.")
    for text in example(sim):
        screen.verbatim(f"  {text}")
    screen.line(("Look", "bold"), " at what is stored:")
    for name in ("events", "resources"):
        screen.verbatim(f"  {command()} {name} -c {shown(home.config)}")
    screen.line(
        ("Ctrl-C", "bold"),
        " ends it. The times below count from when it happened at the service, "
        "and from when jobwire had stored it (commit).",
    )
    screen.line()
    if left_at is not None:
        screen.at(
            datetime.now(UTC),
            ("Goes on ", "bold"),
            f"where it was on {datetime.fromtimestamp(left_at, UTC).astimezone():%d %b at %H:%M}: "
            f"{known} jobs, drivers, contracts and interviews are known. Only what changes from now on is told.",
        )


def example(sim: Simulator) -> Sequence[str]:
    """A command that lets a contract end in three days, in lines that can be copied."""
    drivers = sim.driver_jobs
    running = {
        key: doc["last_contract"]["end_date"]
        for key, doc in drivers.items.items()
        if (doc.get("last_contract") or {}).get("state") == "active"
    }
    # The one that ends last stays the longest.
    key = max(running, key=lambda one: running[one]) if running else next(iter(drivers.items))
    soon = (drivers.now() + timedelta(days=3)).date().isoformat()
    change = f'{{"last_contract.end_date": "{soon}"}}'
    return (f"curl -X PATCH {sim.control_url}/driver_jobs/items/{key} \\", f"  -d '{change}'")


def command() -> str:
    """How this program is called from here."""
    launcher = Path(monitor.__file__).resolve().parents[1] / "jobwire"
    if not launcher.is_file():
        return "jobwire"
    near = shown(launcher)
    return near if "/" in near else f"./{near}"


def shown(path: Path) -> str:
    """A path as it is written in a command from here."""
    absolute = path.absolute()
    here = Path.cwd()
    return shlex.quote(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def closing(screen: Screen, figures: Figures, changes: int, waiting: int, lived: float) -> None:
    """What happened in this run, in numbers that were measured."""
    screen.line()
    screen.at(datetime.now(UTC), ("The demo has ended", "bold"), f" after {words.span(lived)}.")
    verified = ", every signature verified" if figures.told else ""
    if figures.unverified:
        verified = f", {count(figures.unverified, 'signature')} NOT genuine"
    screen.below(f"{count(changes, 'change')} at the four services; one can make several events, or none")
    screen.below(f"{count(figures.told, 'event')} delivered to the webhook{verified}")
    screen.below(f"{count(figures.messages, 'message')} in Slack")
    if (since := spread(figures.since_change)) is not None:
        screen.below(
            f"from the change to the webhook: median {words.span(since.median)}, slowest {words.span(since.slowest)}"
        )
    if (since := spread(figures.since_commit)) is not None:
        screen.below(
            f"from the commit to the webhook: median {words.span(since.median)}, slowest {words.span(since.slowest)}"
        )
    if figures.repeated:
        screen.below(f"{count(figures.repeated, 'event')} came twice, with the same id: a receiver can tell")
    if waiting:
        screen.below(f"{count(waiting, 'event')} on the way: delivered at the next start")
    screen.below(f"Start it again and it goes on from here; {command()} demo --fresh begins anew.")


def look_at(screen: Screen, log: Path) -> None:
    """Where to look when it was not as it should be."""
    screen.line(("This is not how it should be.", "bold red"), f" Look at the end of {shown(log)}")
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            lines = file.read().decode(errors="replace").splitlines()[-5:]
    except OSError:
        return
    for text in lines:
        screen.line(text[:400], lead="  ")
    sys.stdout.flush()
