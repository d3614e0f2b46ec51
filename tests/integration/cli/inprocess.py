"""Commands run inside the test's own process, so that comparing many of them takes no time."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.cli.app import make_app, named_in
from monitor.cli.entry import config_last, refuse_server
from monitor.clock import utc_now
from monitor.errors import UsageError
from monitor.web import listening
from tests.installation import Hands, Installation, Listing, installed, listing
from tests.integration.cli.commands import Ended
from tests.integration.web.serving import jobs

LOGGED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[.*\n", re.MULTILINE)
OPERATOR, READER = "operator-token-1", "reader-token-1"


@dataclass(slots=True)
class Sides:
    """One installation, asked by its config file and by its URL; nothing works on it but what the test does."""

    watch: Installation
    listing: Listing
    config: Path
    url: str
    token: Path
    capture: pytest.CaptureFixture[str]

    async def on_store(self, *words: str) -> Ended:
        """A command by the config file."""
        return await run(self.capture, *words, "-c", str(self.config))

    async def over_server(self, *words: str, token: Path | None = None) -> Ended:
        """The same command over HTTP."""
        return await run(self.capture, *words, "--server", self.url, "--token-file", str(token or self.token))

    async def both(self, *words: str) -> tuple[Ended, Ended]:
        """The same command both ways."""
        return await self.on_store(*words), await self.over_server(*words)


async def run(capture: pytest.CaptureFixture[str], *words: str) -> Ended:
    """A command line as `jobwire` runs it, but in this event loop; expected errors go on to the test."""
    given = config_last(words)
    capture.readouterr()
    try:
        refuse_server(given)
        command, bound, _ = make_app(named_in(given)).parse_args(given, print_error=False, exit_on_error=False)
        result = command(*bound.args, **bound.kwargs)
        code = await result if inspect.iscoroutine(result) else result
    except UsageError as error:
        return Ended(2, _own(capture.readouterr().out), str(error))
    out, err = capture.readouterr()
    return Ended(code, _own(out), err)


def _own(out: str) -> str:
    """Without the log lines of the server, which is in this process too."""
    return LOGGED.sub("", out)


def config_text(store_url: str, provider: str, target: str) -> str:
    """A source of jobs, a webhook and a Slack look-alike that may not be there, and tokens."""
    return f"""
store: {{url: "{store_url}"}}
web: {{listen: "127.0.0.1:0", rate: 0, tokens: [{OPERATOR}], read_tokens: [{READER}]}}
egress: {{allow: [127.0.0.0/8]}}
sources:
  tax: {{provider: worklayer, base_url: "{provider}", token: provider-token-1, every: 1h}}
targets:
  ops: {{type: webhook, url: "{target}", secret: "whsec_cmVwbGFjZS10aGlzLWJ5LXlvdXItb3duLXNlY3JldCE=", retry: []}}
  chat: {{type: slack, webhook_url: "{target}/services/T0/B0/secretsecretsecretsecret"}}
routes:
  - {{name: jobs, match: {{type: "worklayer.**"}}, to: [ops], continue: true}}
  - {{name: talk, match: {{kind: job, where: {{resource.fields.total_amount: {{gte: 100}}}}}}, to: [chat]}}
  - {{match: {{type: "jobwire.**"}}, to: [ops, chat]}}
"""


@asynccontextmanager
async def two_sides(
    store_url: str, directory: Path, capture: pytest.CaptureFixture[str], target: str = "http://127.0.0.1:9/x"
) -> AsyncIterator[Sides]:
    """An installation with a history: three jobs, two of them claimed, what was told of it waits for delivery."""
    async with listing(jobs("a", "b", "c")) as (provider, one):
        text = config_text(store_url, provider, target)
        config, token = directory / "jobwire.yaml", directory / "token"
        config.write_text(text)
        token.write_text(OPERATOR + "\n")
        async with installed(store_url, text, Hands(utc_now())) as watch, listening(watch.services) as url:
            yield Sides(watch, one, config, url, token, capture)


async def history(at: Sides) -> None:
    """Three jobs are seen, then claimed, then one returned; each change is relayed."""
    for body in (jobs("a", "b", "c"), jobs("a", "b", "c", status="CLAIMED"), jobs("a", "b", "c", status="CLAIMED")):
        at.listing.body = body
        await at.watch.scan()
    at.listing.body["data"][0]["status"] = "UNCLAIMED"
    await at.watch.scan()
    await at.watch.services.consumer.relay.relay()
