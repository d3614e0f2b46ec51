"""What every command has in common: help, versions, wrong words, wrong files, pipes that close."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from monitor import __version__
from monitor.cli.app import COMMANDS
from monitor.cli.entry import config_last, unknown
from tests.integration.cli.commands import ROOT, Jobwire, ended, started

HEAVY = ("aiohttp", "redis", "pydantic", "msgspec", "asyncio", "yaml", "structlog", "arq", "cryptography")


async def test_help_names_every_command(bare: Jobwire) -> None:
    """`jobwire --help` shows what there is and exits with 0."""
    done = await bare("--help")

    assert (done.code, done.err) == (0, "")
    assert all(name.split()[0] in done.out for _, name, _, _ in COMMANDS)


async def test_help_and_version_import_nothing_heavy(bare: Jobwire) -> None:
    """Both are quick because commands are imported only when they run."""
    script = f"""
import sys
from monitor.cli import main
main(["--version"]); main(["--help"])
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=bare.home, env={"PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    assert out.decode().splitlines()[0] == f"jobwire {__version__}"
    assert out.decode().splitlines()[-1] == "[]"


async def test_wrong_words_are_usage_errors(bare: Jobwire) -> None:
    """Exit code 2 and a line that helps, on standard error only."""
    wrong = {
        ("pol", "tax"): "no command is called 'pol'; did you mean poll?",
        ("poll",): "parameter SOURCE requires an argument",
        ("schema", "config", "--follw"): "Unknown option",
        ("up", "--workers", "0"): "--workers",
    }

    ends = await asyncio.gather(*(bare(*words) for words in wrong))

    assert [(end.code, end.out) for end in ends] == [(2, "")] * len(wrong)
    assert all(said in end.err for said, end in zip(wrong.values(), ends, strict=True))
    assert not any("Traceback" in end.err for end in ends)


async def test_a_config_file_that_is_not_there_is_named(bare: Jobwire) -> None:
    """Exit code 2, the file, and how to name another."""
    done = await bare("events", "-c", "nowhere.yaml")

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("nowhere.yaml:1:1: cannot be read")
    assert "--config or JOBWIRE_CONFIG" in done.err


async def test_a_store_that_does_not_answer_is_one_line(jobwire: Jobwire) -> None:
    """Exit code 1, where it was looked for without its password, and what to do."""
    done = await jobwire("sources", environ={"JOBWIRE_STORE_URL": "redis://someone:hunter2secret@127.0.0.1:1/0"})

    assert done.code == 1
    assert "no Redis answers at redis://127.0.0.1:1/0" in done.err
    assert "hunter2secret" not in done.err
    assert len(done.err.splitlines()) == 1


async def test_unknown_names_show_the_known_ones(jobwire: Jobwire) -> None:
    """A name that the config does not have is bad usage."""
    source, target = await asyncio.gather(jobwire("poll", "txa"), jobwire("send-test", "nobody"))

    assert (source.code, target.code) == (2, 2)
    assert "did you mean tax?" in source.err
    assert "the config has: hook" in target.err


async def test_a_reader_that_has_enough_ends_it_quietly(bare: Jobwire) -> None:
    """As in `jobwire schema events | head -1`."""
    process = await bare.start("schema", "events")
    assert process.stdout is not None
    process.stdout._transport.close()  # type: ignore[attr-defined]  # a pipe that nobody reads any more
    assert process.stderr is not None
    complaint = await process.stderr.read()

    assert (await process.wait(), complaint) == (0, b"")


async def test_interruption_ends_quietly(bare: Jobwire) -> None:
    """Ctrl-C leaves no traceback, and what is meant to go on until then has done its work."""
    async with started(bare, "simulate", "--listen", "127.0.0.1:0") as process:
        assert process.stdout is not None
        assert b"Four provider stand-ins" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        done = await ended(process)

    assert (done.code, done.err) == (0, "")
    assert "token_url" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evnts"], "no command is called 'evnts'; did you mean events?"),
        (["routes", "tst"], "no command is called 'routes tst'; did you mean routes test?"),
        (["-x"], "no command is called '-x'; there are: demo, up,"),
    ],
)
def test_words_that_name_no_command_get_the_nearest(words: list[str], said: str) -> None:
    """Or all that there are."""
    assert unknown(words).startswith(said)


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        (["-c", "a.yaml", "poll", "tax"], ["poll", "tax", "-c", "a.yaml"]),
        (["--config=a.yaml", "events"], ["events", "--config=a.yaml"]),
        (["poll", "-c", "a.yaml", "tax"], ["poll", "-c", "a.yaml", "tax"]),
        (["-c", "a.yaml", "poll", "--", "-x"], ["poll", "-c", "a.yaml", "--", "-x"]),
        ([], []),
    ],
)
def test_the_config_may_stand_before_the_command(words: list[str], moved: list[str]) -> None:
    """`jobwire -c FILE poll` is `jobwire poll -c FILE`."""
    assert config_last(words) == moved
