"""From the words of a command line to its exit code, with every expected error as a line or a few on standard error."""

from __future__ import annotations

import inspect
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from difflib import get_close_matches
from io import TextIOWrapper
from typing import Any

from cyclopts import App, CycloptsError, UnknownCommandError

from monitor.cli.app import COMMANDS, HERE_ONLY, make_app, named_in
from monitor.errors import ConfigError, JobwireError, UsageError

FAILED = 1
MISUSED = 2
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

_SERVERS = frozenset({"--server", "--token-file", "--ca-file"})
_ANYWHERE = _SERVERS | {"-c", "--config"}


def main(words: Sequence[str] | None = None) -> int:
    """The words after `jobwire` (those of this process if None) in, the exit code out."""
    given = config_last(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A title in Polish must not end a command in a locale that knows only English letters.
            stream.reconfigure(errors="replace")
    try:
        code = _run(make_app(named_in(given)), given)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has enough, as in `jobwire events | head`; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def config_last(words: Sequence[str]) -> list[str]:
    """Words in; the same with `-c FILE`, `--server URL` and the like moved behind the command if they stood before."""
    moved: list[str] = []
    rest = list(words)
    while rest and rest[0].partition("=")[0] in _ANYWHERE:
        size = 1 if "=" in rest[0] else 2
        moved += rest[:size]
        rest = rest[size:]
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *moved, *rest[end:]] if rest else moved


def refuse_server(words: Sequence[str]) -> None:
    """Raises UsageError where a command that works only here is to work over a server."""
    command = named_in(words)
    said = words[: words.index("--")] if "--" in words else words
    if command in HERE_ONLY and any(word.partition("=")[0] in _SERVERS for word in said):
        raise UsageError(f"{command} works {HERE_ONLY[command]}, not over --server")


def unknown(words: Sequence[str]) -> str:
    """What is said of words that name no command; without importing any."""
    names = [name for _, name, _, _ in COMMANDS]
    section = next((one for one in words[:1] if any(name.startswith(f"{one} ") for name in names)), None)
    given = " ".join(words[: 2 if section else 1])
    near = get_close_matches(given, names, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
    return f"no command is called {given!r}; {meant}\nSee: jobwire --help"


def _run(app: App, words: list[str]) -> int:
    try:
        refuse_server(words)
        command, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
        result = command(*bound.args, **bound.kwargs)
        code = _until_done(result) if inspect.iscoroutine(result) else result
    except UnknownCommandError:
        return _complain(unknown(words), MISUSED)
    except CycloptsError as error:
        return _complain(f"{error}\nSee: jobwire --help, jobwire COMMAND --help", MISUSED)
    except ConfigError as error:
        return _complain(str(error), MISUSED, mark="")
    except UsageError as error:
        return _complain(str(error), MISUSED)
    except JobwireError as error:
        return _complain(str(error), FAILED)
    return code if isinstance(code, int) else 0


def _until_done(command: Coroutine[Any, Any, Any]) -> Any:
    """Runs a command to its end; SIGTERM ends it in order, as Ctrl-C does."""
    import asyncio  # noqa: PLC0415 - --help and --version start faster without

    from monitor.garbage import collect_seldom  # noqa: PLC0415 - as above
    from monitor.log import configure  # noqa: PLC0415 - as above

    async def guarded() -> Any:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await command

    configure(level="error")
    collect_seldom()
    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        return TERMINATED
    finally:
        # Interrupted before it began, a command would be complained of as never awaited.
        command.close()


def _complain(text: str, code: int, mark: str = "error: ") -> int:
    from monitor.log import scrub  # noqa: PLC0415 - only errors need it

    sys.stdout.flush()
    sys.stderr.write(f"{mark}{scrub(text)}\n")
    return code
