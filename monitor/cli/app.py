"""The commands by name. Each is imported when it runs, so that `--help` and `--version` are quick."""

from __future__ import annotations

from collections.abc import Sequence

from cyclopts import App, Group

from monitor import __version__

_RUN, _LOOK, _TRY = "Run", "Look", "Try out"

# Group, name, where it is, what it does. Names with a space are commands of a group of commands.
COMMANDS = (
    (_RUN, "demo", "monitor.demo:demo", "See it work in one terminal: no account, no server, no config."),
    (_RUN, "up", "monitor.cli.running:up", "Run everything that a config file says, until Ctrl-C."),
    (_RUN, "worker", "monitor.cli.running:worker", "Run one worker only, for several machines on one Redis."),
    (_RUN, "web", "monitor.cli.serving:web", "Answer over HTTP only: API, metrics, health, providers' webhooks."),
    (_RUN, "check", "monitor.cli.checking:check", "Check the config file; with --live, each source's answer too."),
    (_RUN, "poll", "monitor.cli.polling:poll", "Scan one source now; with --dry-run, store nothing."),
    (_RUN, "replay", "monitor.cli.replay:replay", "Send deliveries again, by their ids or by target and time."),
    (_RUN, "target enable", "monitor.cli.overview:enable", "Send to a disabled target again, its backlog first."),
    (_RUN, "target disable", "monitor.cli.overview:disable", "Send a target nothing; events go on waiting for it."),
    (_RUN, "target rotate", "monitor.cli.rotating:rotate", "Make a new signing secret; the old one signs along."),
    (_RUN, "removals list", "monitor.cli.removals:listed", "Show what is missing all at once, and held."),
    (_RUN, "removals release", "monitor.cli.removals:release", "Remove it, and tell each removal."),
    (_RUN, "removals discard", "monitor.cli.removals:discard", "Forget it, and tell nobody."),
    (_LOOK, "doctor", "monitor.cli.doctor:doctor", "Show what is wrong with store, clocks, permissions and ways out."),
    (_RUN, "ack", "monitor.cli.conditions:ack", "Say that somebody has it, or put it off."),
    (_RUN, "silence add", "monitor.cli.silences:add", "Keep messages about something back for a time."),
    (_RUN, "silence list", "monitor.cli.silences:listed", "Show the silences."),
    (_RUN, "silence expire", "monitor.cli.silences:expire", "End a silence now."),
    (_LOOK, "events", "monitor.cli.eventlog:events", "Show what happened; with --follow, as it happens."),
    (_LOOK, "resources", "monitor.cli.known:resources", "Show what is known now."),
    (_LOOK, "history", "monitor.cli.known:history", "Show every revision of one resource."),
    (_LOOK, "deliveries", "monitor.cli.deliveries:deliveries", "Show what was sent to whom, with every attempt."),
    (
        _LOOK,
        "explain",
        "monitor.cli.explain:explain_event",
        "Show why an event was made, and where it went and where not.",
    ),
    (_LOOK, "sources", "monitor.cli.overview:sources", "Show freshness, next scan and errors of each source."),
    (_LOOK, "conditions", "monitor.cli.conditions:conditions", "Show what is open, and who has it."),
    (_LOOK, "targets", "monitor.cli.overview:targets", "Show backlog, success and state of each target."),
    (_TRY, "send-test", "monitor.cli.sending:send_test", "Send one target a message marked as a test."),
    (
        _TRY,
        "routes show",
        "monitor.cli.routeshow:routes_show",
        "Show the route tree as it works, with what deserves a look.",
    ),
    (_TRY, "preview", "monitor.cli.preview:preview", "Show the exact message that a target would get."),
    (_TRY, "routes test", "monitor.cli.routing:routes_test", "Show which targets would get an event."),
    (_TRY, "backtest", "monitor.cli.backtest:run_backtest", "Show what another config's routes would have sent."),
    (_TRY, "simulate", "monitor.cli.simulating:simulate", "Run stand-ins of the four providers."),
    (_TRY, "schema", "monitor.cli.schemas:schema", "Print the shapes of config, events and API."),
)
_A_FILE = "on a config file"
HERE_ONLY = {
    "demo": "by itself",
    "up": _A_FILE,
    "worker": _A_FILE,
    "web": _A_FILE,
    "check": _A_FILE,
    "backtest": "on config files",
    "simulate": "by itself",
    "schema": "by itself",
}
"""The commands that know no --server, and what they work on; all others do."""

SECTIONS = {
    "removals": "Removals that are held as too many.",
    "routes": "Routes: who would get an event.",
    "silence": "Silences: what nobody should hear of now.",
    "target": "A target's life.",
}


def named_in(words: Sequence[str]) -> str | None:
    """The command that the words of a command line begin with; None where they name none."""
    names = {name for _, name, _, _ in COMMANDS}
    return next((name for name in (" ".join(words[:2]), " ".join(words[:1])) if name in names), None)


def make_app(called: str | None = None) -> App:
    """The whole command line, with nothing imported yet.

    Lists have a summary of each command; the one that is `called` has its own words, for its own --help.
    """
    app = App(
        name="jobwire",
        help="Watches jobs, contracts and interviews at four providers and tells webhooks and Slack what changed.",
        help_epilogue="Exit codes: 0 done, 1 it ran and failed, 2 bad usage or config. Documentation: docs/",
        version=f"jobwire {__version__}",
    )
    app["--help"].group = app["--version"].group = Group("Options", sort_key=9)
    groups = {title: Group(title, sort_key=order) for order, title in enumerate((_RUN, _LOOK, _TRY))}
    sections: dict[str, App] = {}
    for title, name, place, summary in COMMANDS:
        section, _, command = name.rpartition(" ")
        text = None if name == called else summary
        if not section:
            app.command(place, name=command, help=text, group=groups[title])
            continue
        if section not in sections:
            sections[section] = App(name=section, help=SECTIONS[section], group=groups[title])
            app.command(sections[section])
        sections[section].command(place, name=command, help=text)
    return app
