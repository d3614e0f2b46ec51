"""Marked secrets in every place of the config that takes one; then everything is said that can be said, and searched.

Every server here repeats back what it was sent, headers, address and all, with every kind of refusal.
"""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import structlog
import yaml
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from monitor.bootstrap import Services, services
from monitor.cli import checking, overview, sending
from monitor.cli.options import Where
from monitor.events import monitor_event
from monitor.log import configure
from monitor.providers import PROVIDERS
from monitor.settings import check, load
from monitor.targets import TARGETS
from monitor.targets.base import Message
from monitor.web import listening
from tests.servers import served
from tests.unit.targets.events import CLAIMED

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
STATUSES = (200, 400, 403, 404, 302, 410, 401)


@dataclass(slots=True)
class Marks:
    """Secrets that can be found again; `all` are the texts that may be nowhere."""

    all: list[str] = field(default_factory=list)

    def new(self, what: str) -> str:
        """A secret that says where it stands."""
        return self.add(f"canary-{what}-{len(self.all):04d}x")

    def key(self, prefix: str = "", size: int = 32) -> str:
        """A secret that is base64 of something; its text and its bytes may be nowhere."""
        material = base64.b64encode(f"canary-{len(self.all):04d}".ljust(size, "k").encode()).decode()
        self.add(material.rstrip("="))
        return prefix + material

    def add(self, text: str) -> str:
        """One more text that may be nowhere, in no usual spelling of it."""
        self.all += [text, base64.b64encode(text.encode()).decode().rstrip("=")]
        return text

    def found_in(self, said: str) -> list[str]:
        """Those that were told."""
        return [mark for mark in self.all if mark in said]


def source_options(provider: str, url: str, marks: Marks) -> dict[str, Any]:
    """The sample options of a provider, at our server, with a marked secret in each option that is one."""
    given = json.loads((SAMPLES / provider / "options.json").read_text()) | {"base_url": url, "every": "1s"}
    given["hook_secret"] = "canary"
    if provider == "worklayer":
        given["token_url"] = f"{url}/oauth/token"
    return {name: marks.new(f"{provider}-{name}") if "canary" in value else value for name, value in given.items()}


def target_options(name: str, url: str, marks: Marks) -> dict[str, Any]:
    """The sample options of a target, at our server, with a marked secret in each option that is one."""
    given: dict[str, Any] = json.loads((SAMPLES / name / "options.json").read_text())
    options = TARGETS[name].options.model_validate(given)
    for option in options.destinations():
        here = urlsplit(url)
        user = f"user:{marks.new(name + '-password')}@" if name == "webhook" else ""
        path = "" if name == "slack" else f"/in/{marks.new(name + '-path')}" if name == "template" else "/in"
        query = "" if name == "slack" else f"token={marks.new(name + '-query')}"
        given[option] = urlunsplit((here.scheme, user + here.netloc, path, query, ""))
        if user:
            marks.all.append(base64.b64encode(user.rstrip("@").encode()).decode().rstrip("="))
    for key, value in given.items():
        if key == "headers":
            given[key] = {header: marks.new(f"{name}-header") for header in value}
        elif key == "secret":
            given[key] = marks.key("whsec_")
        elif key in {"token", "routing_key", "signing_secret"}:
            given[key] = marks.new(key)
    return given | {"retry": ["1s"], "timeout": "5s"}


def config(url: str, store: str, marks: Marks) -> dict[str, Any]:
    """Every provider, every kind of target, and all else that takes a secret."""
    targets = {name: target_options(name, url, marks) for name in TARGETS}
    targets["rotating"] = {
        "type": "webhook",
        "url": f"{url}/in",
        "secrets": [marks.key("whsec_"), marks.key("whsk_")],
        "retry": ["1s"],
    }
    targets["slack-webhook"] = {
        "type": "slack",
        "webhook_url": f"{url}/services/T0/B0/{marks.new('slack-path')}",
        "retry": ["1s"],
        "signing_secrets": [marks.new("signing")],
    }
    return {
        "store": {"url": store, "key": marks.key()},
        "web": {"listen": "127.0.0.1:0", "tokens": [marks.new("web-token")]},
        "egress": {"allow": ["127.0.0.0/8"]},
        "sources": {name: source_options(name, url, marks) for name in PROVIDERS},
        "targets": targets,
        "routes": [{"to": list(targets), "group_wait": "0s"}],
    }


@dataclass(slots=True)
class Echo:
    """A server that refuses with `status` and says all that it was told."""

    status: int = 401

    async def answer(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode(errors="replace")
        said = f"{request.method} {request.path_qs}\n{dict(request.headers)}\n{body}"
        headers = {"location": f"/elsewhere?said={quote(said)[:2000]}"} if self.status == 302 else {}
        told = json.dumps({"error": said, "message": said, "detail": said}) if self.status != 200 else said
        return web.Response(status=self.status, text=told, headers=headers)


@asynccontextmanager
async def guarded_store(store_url: str, redis: Redis, marks: Marks) -> AsyncIterator[str]:
    """The store's URL for a user with a marked password."""
    password = marks.new("store")
    await redis.acl_setuser(
        "marked", enabled=True, passwords=[f"+{password}"], keys=["*"], channels=["*"], categories=["+@all"]
    )
    try:
        yield f"unix://marked@{store_url.removeprefix('unix://')}?password={password}"
    finally:
        await redis.acl_deluser("marked")


@contextmanager
def logs() -> Iterator[io.StringIO]:
    """What would be written to standard error, at the most talkative."""
    root, out = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    configure(json=True, level="debug", stream=out)
    try:
        yield out
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def printed() -> Iterator[io.TextIOWrapper]:
    """What commands print, on both outputs."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(out), redirect_stderr(out):
        yield out


def text_of(out: io.TextIOWrapper) -> str:
    """Everything that was printed."""
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue().decode()


async def refused(running: Services, echo: Echo) -> list[str]:
    """What is said of scans and attempts to which each kind of refusal is the answer."""
    said: list[object] = []
    message = Message("evt_1", (CLAIMED,), 1, datetime.now(UTC))
    for slot, status in enumerate(STATUSES, 1):
        echo.status = status
        said += [await running.scanner.scan(source, slot, force=True) for source in running.sources.values()]
        for runtime in running.targets.values():
            outcome = await runtime.sender.run(runtime.target.send(message))
            said += [outcome, outcome.error, outcome.response, runtime.target.address()]
    return [form(one) for one in said for form in (repr, str)]


async def delivered(running: Services) -> None:
    """One event in the lanes of all targets, attempted once by each."""
    event = monitor_event(
        "source", "devrev", "failing", count=1, time="2026-01-05T09:30:00.000Z", details={}, provider="devrev"
    )
    assert await running.store.sources.tell_once("devrev", "mark", event)
    await running.consumer.relay.relay()
    for runtime in running.targets.values():
        await running.consumer.deliverer.deliver(runtime)
    await running.consumer.watch.look()


async def asked(running: Services, token: str) -> list[str]:
    """Every answer that the API gives, headers and all, with the token, without, and with a wrong one."""
    said = []
    paths = ("sources", "targets", "resources", "events", "deliveries", "deliveries?target=nobody", "nothing")
    async with listening(running) as url, ClientSession() as http:
        for path in [*(f"/api/v1/{path}" for path in paths), "/metrics", "/healthz", "/readyz?strict=1", "/nothing"]:
            for given in (f"Bearer {token}", "Bearer guess", ""):
                async with http.get(url + path, headers={"Authorization": given}) as answer:
                    said.append(f"{answer.headers}\n{await answer.text()}")
        for path in ("/hooks/devrev", "/hooks/worklayer", "/api/v1/targets/webhook/rotate"):
            async with http.post(url + path, data=b"{}", headers={"X-Hook-Secret": "guess"}) as answer:
                said.append(f"{answer.headers}\n{await answer.text()}")
    return said


async def commands(path: Path) -> str:
    """What the commands print that look at sources and targets, or try them out."""
    with printed() as out:
        for as_json in (False, True):
            await checking.check(config=path, as_json=as_json)
            await checking.check(config=path, live=True, as_json=as_json)
            await overview.sources(where=Where(path), as_json=as_json)
            await overview.targets(where=Where(path), as_json=as_json)
            for target in ("webhook", "slack-webhook"):
                await sending.send_test(target, where=Where(path), as_json=as_json)
    return text_of(out)


def spoilt(given: Any, marks: Marks) -> Iterator[Any]:
    """Copies of a config, in each of which one secret is in a list, or has a line break, or a misspelt key."""
    for key, value in given.items():
        if isinstance(value, dict):
            for inner in spoilt(value, marks):
                yield {**given, key: inner}
        elif isinstance(value, str) and marks.found_in(value):
            yield {**given, key: [[value]]}
            yield {**given, key: f"{value}\n\t{value} "}
            yield {**{one: other for one, other in given.items() if one != key}, f"{key}x": value}


def test_no_secret_is_told_by_what_is_wrong_with_the_config(tmp_path: Path) -> None:
    """Each secret in turn is of the wrong type, cannot be sent, or stands under a key that does not exist."""
    marks, path = Marks(), tmp_path / "jobwire.yaml"
    given = config("http://127.0.0.1:9", f"redis://user:{marks.new('store')}@127.0.0.1:6379/0", marks)
    said = []
    for wrong in spoilt(given, marks):
        path.write_text(yaml.safe_dump(wrong))
        report = check(path, {})
        said += [repr(report), *(str(one) for one in (*report.problems, *report.warnings))]

    assert [(marks.found_in(text), text[:600]) for text in said if marks.found_in(text)] == []
    assert len(said) > 100


async def test_no_secret_of_the_config_is_told_anywhere(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """A19: not by errors, logs, reprs, commands, metrics or the API, nor readable in the store."""
    marks, echo, path = Marks(), Echo(), tmp_path / "jobwire.yaml"
    async with served(echo.answer) as url, guarded_store(store_url, redis, marks) as store:
        given = config(url, store, marks)
        path.write_text(yaml.safe_dump(given))
        with logs() as log:
            settings = load(path, {})
            async with services(settings, settings.store.url) as running:
                made = await running.rotation.rotate("rotating", 3600)
                marks.add(made.secret)
                said = {"refusals": await refused(running, echo)}
                echo.status = 401
                await delivered(running)
                said["api"] = await asked(running, given["web"]["tokens"][0])
                things = (running, settings, running.sources, running.targets, running.store, made)
                said["reprs"] = [form(one) for one in things for form in (repr, str)]
            said["commands"] = [await commands(path)]
        # The servers of this test log their callers, which products of other people do as well.
        said["log"] = [line for line in log.getvalue().splitlines() if "aiohttp.access" not in line]
        said["store"] = [repr(await redis.dump(key)) for key in await redis.keys("*")]

    told = [(where, marks.found_in(text), text[:600]) for where, texts in said.items() for text in texts]
    assert [one for one in told if one[1]] == []
    assert all(said.values())
    assert len(marks.all) > 50
