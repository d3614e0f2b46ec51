from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from monitor.log import configure, scrub

SECRET = "s3cr3ts3cr3t"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging is process-wide; each test leaves it as it found it."""
    root, arq = logging.getLogger(), logging.getLogger("arq")
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    arq.setLevel(logging.NOTSET)


def logged(name: str, **values: Any) -> dict[str, Any]:
    """One line logged as JSON, read back."""
    out = io.StringIO()
    configure(stream=out)
    structlog.get_logger().info(name, **values)
    line: dict[str, Any] = json.loads(out.getvalue())
    return line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_one_json_object_a_line_with_utc_time() -> None:
    """Level, event, keys and an ISO timestamp in UTC."""
    line = logged("scan.finished", source="tax", items=3)
    assert {key: line[key] for key in ("event", "level", "source", "items")} == {
        "event": "scan.finished",
        "level": "info",
        "source": "tax",
        "items": 3,
    }
    assert line["timestamp"].endswith("Z")


def test_a_terminal_gets_lines_for_people_unless_json_is_asked_for() -> None:
    """The choice is made by where the log goes, and can be made by hand."""
    terminal = Terminal()
    configure(stream=terminal)
    structlog.get_logger().info("scan.finished", source="tax")
    assert "scan.finished" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    asked = Terminal()
    configure(json=True, stream=asked)
    structlog.get_logger().info("scan.finished")
    assert json.loads(asked.getvalue())["event"] == "scan.finished"


def test_lines_below_the_level_are_left_out() -> None:
    """`warning` silences info, in our logs and in those of libraries; an unknown level is explained."""
    out = io.StringIO()
    configure(level="warning", stream=out)
    structlog.get_logger().info("quiet")
    logging.getLogger("aiohttp").info("quiet")
    logging.getLogger("aiohttp").warning("loud")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["loud"]
    with pytest.raises(ValueError, match="debug, info, warning, error"):
        configure(level="loud")


@pytest.mark.parametrize(
    "values",
    [
        {"token": SECRET},
        {"client_secret": SECRET},
        {"redis_password": SECRET},
        {"headers": {"Authorization": SECRET, "X-Api-Key": SECRET}},
        {"secrets": [SECRET, SECRET]},
        {"signing_secret": SECRET},
        {"options": {"targets": [{"routing_key": SECRET}]}},
        {"anything": SecretStr(SECRET)},
        {"url": f"redis://default:{SECRET}@db:6379/0"},
        {"url": f"redis://{SECRET}@db:6379/0"},
        {"url": f"https://hooks.slack.com/services/T0/B0/{SECRET}"},
        {"text": f"sent xoxb-1-{SECRET} along"},
        {"text": f"signed by whsec_{SECRET}= twice"},
        {"text": f"Authorization: Bearer {SECRET}"},
        {"text": f"jwt eyJhbGci.eyJzdWIi.{SECRET}"},
        {"value": object.__new__(type("Odd", (), {"__repr__": lambda self: f"<redis://u:{SECRET}@db>"}))},
    ],
)
def test_secrets_are_blotted_out_wherever_they_stand(values: dict[str, Any]) -> None:
    """By key, by type, in URLs and in plain text."""
    assert SECRET not in json.dumps(logged("x", **values))


def test_what_only_names_a_secret_stays_readable() -> None:
    """Counts, times and empty values are no secrets."""
    line = logged("x", token_expires_at="2026-01-05", tokens=2, secret=None, key="tax/job/1", url="https://a.b/c")
    assert (line["token_expires_at"], line["tokens"], line["secret"]) == ("2026-01-05", 2, None)
    assert (line["key"], line["url"]) == ("tax/job/1", "https://a.b/c")


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_tracebacks_show_no_secrets_and_no_local_variables(stream: type[io.StringIO]) -> None:
    """An exception is printed with its lines, not with what the variables held."""
    out = stream()
    configure(stream=out)

    def fail(held: str) -> None:
        raise ValueError(f"cannot reach https://user:{SECRET}@host/")

    try:
        fail("hidden-" + "local")
    except ValueError:
        structlog.get_logger().exception("it failed")
        logging.getLogger("library").exception("so did this: redis://:%s@db", SECRET)
    text = out.getvalue()
    assert text.count("ValueError: cannot reach https://***@host/") == 2
    assert SECRET not in text
    assert "hidden-local" not in text


def test_arq_is_quiet_unless_debugging() -> None:
    """A line for each start and end of a job would drown ours."""
    out = io.StringIO()
    configure(stream=out)
    logging.getLogger("arq.worker").info("1.2s → scan()")
    assert out.getvalue() == ""
    configure(level="debug", stream=out)
    logging.getLogger("arq.worker").info("1.2s → scan()")
    assert json.loads(out.getvalue())["event"] == "1.2s → scan()"


def test_context_is_on_every_line() -> None:
    """What is bound once for a scan is said by each of its lines."""
    structlog.contextvars.bind_contextvars(source="tax")
    assert logged("x")["source"] == "tax"


def test_scrub_leaves_ordinary_text_alone() -> None:
    """Addresses, e-mail addresses and prose pass."""
    text = "POST https://example.com/a?b=c failed for ops@example.com: 503, basic facts"
    assert scrub(text) == text


def test_importing_the_module_configures_nothing() -> None:
    """A program that uses the package as a library keeps its own logging."""
    code = "import logging, monitor.log, structlog; print(structlog.is_configured(), logging.getLogger().handlers)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=90)
    assert done.stdout.strip() == "False []"
