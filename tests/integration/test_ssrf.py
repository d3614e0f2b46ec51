"""Addresses that targets must not reach, in every spelling: refused by the check, and by the guard when dialled."""

from __future__ import annotations

import asyncio
import json
import socket
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.abc import AbstractResolver, ResolveResult
from redis.asyncio import Redis

from monitor.bootstrap import open_targets
from monitor.clock import Clock
from monitor.egress import Egress
from monitor.errors import AddressBlocked, TransportError
from monitor.exchange import Exchange, Request, Response, ask
from monitor.http import Sender, target_session
from monitor.settings import Settings
from monitor.settings.model import TargetSetting
from monitor.targets import TARGETS
from monitor.targets.address import check_url
from monitor.targets.base import Message
from monitor.web import listening
from tests.installation import SECRET, installed, listing
from tests.servers import served
from tests.unit.targets.events import CLAIMED

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
LINES = (SAMPLES / "webhook" / "ssrf.txt").read_text().splitlines()
PAYLOADS = [line.split(" ", 1) for line in LINES if line and not line.startswith("#")]

BY_A_LIBRARY = {"apprise"}
"""Targets whose library makes connections of its own, past the guard: docs/targets.md says so."""


def of(*kinds: str) -> list[str]:
    """The URLs of these kinds."""
    return [url for kind, url in PAYLOADS if kind in kinds]


class Names(AbstractResolver):
    """The seam where names become addresses: numbers as the C library reads them, names as the test says.

    The last answer is repeated; nothing is asked on any network.
    """

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        try:
            numbers = [str(socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)[0][4][0])]
        except OSError:
            local = unicodedata.normalize("NFKC", host).rstrip(".").lower().endswith("localhost")
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            numbers = ["127.0.0.1"] if local else list(answer)
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in numbers
        ]

    async def close(self) -> None:
        return


@dataclass(slots=True)
class Trap:
    """A port on several addresses of the loopback; `touched` counts connections."""

    port: int
    touched: int = 0


@asynccontextmanager
async def trapped() -> AsyncIterator[Trap]:
    """A trap on 127.0.0.1, and at the same port wherever else this machine lets us."""
    trap = Trap(0)

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trap.touched += 1
        writer.close()

    servers = [await asyncio.start_server(connected, "127.0.0.1", 0)]
    trap.port = servers[0].sockets[0].getsockname()[1]
    for address in ("127.127.127.127", "::1"):
        with suppress(OSError):
            servers.append(await asyncio.start_server(connected, address, trap.port))
    try:
        yield trap
    finally:
        for server in servers:
            server.close()


def post(url: str) -> Exchange[Response]:
    """One POST."""
    return ask(Request("POST", url, headers={"webhook-id": "evt_1"}, body=b"{}", authorise=False))


async def refusal(url: str, names: Names, allow: Sequence[str] = ()) -> TransportError:
    """Why a URL was not posted to; it fails the test if it was."""
    async with target_session(Egress(allow), resolver=names) as session:
        with pytest.raises(TransportError) as caught:
            await Sender(session, 5.0).run(post(url))
    return caught.value


@pytest.mark.parametrize("url", of("literal", "broken"))
def test_w23_the_check_refuses_what_spells_out_an_address(url: str) -> None:
    """W23: before anything is sent, with a sentence."""
    given = url.replace("{port}", "8080")
    try:
        problem = Egress().url_problem(check_url(given))
    except ValueError as error:
        problem = str(error)
    assert problem


@pytest.mark.parametrize("url", of("name"))
def test_names_are_not_judged_before_they_have_an_address(url: str) -> None:
    """What a name means now says nothing about later."""
    assert Egress().url_problem(check_url(url.replace("{port}", "8080"))) is None


async def test_w23_nothing_is_connected_to_however_it_is_spelt() -> None:
    """W23: past the check, the guard judges the address that is dialled; not one connection is made."""
    ends = {}
    async with trapped() as trap:
        for kind, payload in PAYLOADS:
            url = payload.replace("{port}", str(trap.port))
            ends[payload] = (kind, await refusal(url, Names(["127.0.0.1"])))
        assert trap.touched == 0

    reasons = "egress.allow", "cannot be requested at this address"
    told = [(url, kind, str(end)) for url, (kind, end) in ends.items() if kind != "broken"]
    assert [url for url, _, end in told if not any(reason in end for reason in reasons)] == []
    assert [url for url, kind, end in told if kind == "name" and reasons[0] not in end] == []
    assert sum(isinstance(end, AddressBlocked) for _, end in ends.values()) > 100


@pytest.mark.parametrize(
    "private",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fd00::1"],
)
async def test_w23_a_name_is_refused_by_what_it_resolves_to(private: str) -> None:
    """W23: also when it was public a moment ago; the reason names host and address."""
    names = Names(["127.0.0.1"], [private])
    async with served(_fine) as url:
        port = url.rpartition(":")[2]
        async with target_session(Egress(["127.0.0.1/32"]), resolver=names) as session:
            first = await Sender(session, 5.0).run(post(f"http://rebind.example:{port}/"))
        second = await refusal(f"http://rebind.example:{port}/", names, ["10.9.9.9/32"])

    assert (first.status, first.address) == (200, "127.0.0.1")
    assert isinstance(second, AddressBlocked)
    assert str(second).startswith(f"rebind.example:{port} was not connected to: ")
    assert str(ip_address(private)) in str(second)


async def test_w23_of_a_mixed_answer_only_open_addresses_are_dialled() -> None:
    """W23: in whatever order they come; nothing is left over for a second look-up."""
    async with trapped() as trap, served(_fine) as url:
        port = url.rpartition(":")[2]
        for answer in (["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "169.254.169.254"], ["::1", "fe80::1", "127.0.0.1"]):
            async with target_session(Egress(["127.0.0.1/32"]), resolver=Names(answer)) as session:
                assert (await Sender(session, 5.0).run(post(f"http://mixed.example:{port}/"))).address == "127.0.0.1"
        closed = await refusal(f"http://mixed.example:{trap.port}/", Names(["127.0.0.1", "::1", "10.0.0.1"]))
        assert isinstance(closed, AddressBlocked)
        assert trap.touched == 0


async def test_w23_a_network_that_is_allowed_opens_exactly_itself() -> None:
    """W23: every payload is refused as before, but for those inside 127.0.0.0/8 and their mapped forms."""
    opened = set()
    async with trapped() as trap:
        for kind, payload in PAYLOADS:
            url = payload.replace("{port}", str(trap.port))
            before = trap.touched
            end = await refusal(url, Names(["10.0.0.1"]), ["127.0.0.0/8"])
            if trap.touched > before:
                opened.add(payload)
                assert kind == "literal"
                assert not isinstance(end, AddressBlocked)

    assert opened <= {url for url in of("literal") if _is_127(url)}
    assert {f"http://{host}:{{port}}/" for host in ("127.0.0.1", "localhost", "localhost.")} <= opened


def _is_127(url: str) -> bool:
    return Egress(["127.0.0.0/8"]).url_problem(url.replace("{port}", "80")) is None


async def _fine(_: web.Request) -> web.Response:
    return web.Response(headers={"connection": "close"})


@pytest.mark.parametrize("location", [url for url in of("literal", "broken") if url.isascii()][::4])
async def test_w23_a_redirect_leads_nowhere(location: str) -> None:
    """W1, W23: the answer is the redirect itself; its Location is not even looked at."""
    async with trapped() as trap:

        async def handler(_: web.Request) -> web.Response:
            where = location.replace("{port}", str(trap.port))
            return web.Response(status=307, headers={"location": where, "connection": "close"})

        async with served(handler) as url, target_session(Egress(["127.0.0.1/32"])) as session:
            assert (await Sender(session, 5.0).run(post(url))).status == 307
        assert trap.touched == 0


@pytest.mark.parametrize("name", sorted(set(TARGETS) - BY_A_LIBRARY))
async def test_w23_every_kind_of_target_is_guarded(name: str) -> None:
    """W23: whatever a target asks for, it asks through the guard."""
    given = json.loads((SAMPLES / name / "options.json").read_text())
    async with trapped() as trap:
        options = TARGETS[name].options.model_validate(given)
        urls = list(options.destinations().values())
        text = json.dumps(given)
        for url in urls:
            text = text.replace(url, f"http://127.0.0.1:{trap.port}/x")
        here = json.loads(text)
        if here == given:  # the address is a default of the target: its own option says another
            here |= dict.fromkeys(options.destinations(), f"http://127.0.0.1:{trap.port}/x")
        settings = Settings(targets={"it": TargetSetting("it", name, TARGETS[name].options.model_validate(here))})
        async with _targets(settings) as runtimes:
            message = Message("evt_1", (CLAIMED,), 1, Clock().now())
            with pytest.raises(AddressBlocked):
                await runtimes["it"].sender.run(runtimes["it"].target.send(message))
        assert trap.touched == 0


@asynccontextmanager
async def _targets(settings: Settings) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:
        yield await open_targets(settings, Clock(), stack)


async def test_w23_the_refusal_is_an_attempt_with_its_reason(redis: Redis, store_url: str) -> None:
    """W23: recorded like any other, tried again by the schedule, delivered once the address is a good one."""
    body: dict[str, Any] = {"data": [{"id": "j", "status": "A"}], "next_page_token": ""}
    got: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        got.append(request.headers["webhook-id"])
        return web.Response(headers={"connection": "close"})

    async with listing(lambda _: body) as (url, _), served(handler) as hook:
        port = hook.rpartition(":")[2]
        config = (
            'web: {listen: "127.0.0.1:0"}\n'
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
            f'targets: {{hook: {{type: webhook, url: "http://rebind.example:{port}/", secret: "{SECRET}"}}}}\n'
            "routes: [{match: {type: worklayer.**}, to: [hook]}]\n"
        )
        names = Names(["169.254.169.254"], ["127.0.0.1"])
        async with (
            installed(store_url, config) as watch,
            target_session(Egress(["127.0.0.1/32"]), resolver=names) as session,
            listening(watch.services) as api,
        ):
            runtime = replace(watch.services.targets["hook"], sender=Sender(session, 5.0))
            deliver: Callable[..., Any] = watch.services.consumer.deliverer.deliver
            await watch.scan()
            body["data"][0]["status"] = "B"
            await watch.scan()
            await watch.services.consumer.relay.relay()
            await deliver(runtime)
            assert got == []
            await redis.zadd("jobwire:lanes:hook", {"tax/job/j": 0})
            session.connector.clear_dns_cache()  # type: ignore[union-attr]  # it is a TCPConnector
            await deliver(runtime)
            async with ClientSession() as http, http.get(f"{api}/api/v1/deliveries?target=hook") as answer:
                (delivery,) = (await answer.json())["items"]

    refused, delivered = delivery["attempts"]
    assert got == [delivery["event_id"]]
    assert refused["status"] is None
    assert refused["error"] == (
        f"blocked: rebind.example:{port} was not connected to: 169.254.169.254 is a link-local (cloud metadata) "
        "address, which targets may not reach unless egress.allow names it"
    )
    assert (delivery["status"], delivered["status"], delivered["address"]) == ("delivered", 200, "127.0.0.1")
