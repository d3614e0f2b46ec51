from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client
from tests.simulator.lists import PROVIDERS, ROWS, ask, fill


async def test_a_hanging_request_does_not_hold_up_the_end(client: Client) -> None:
    """A simulator closes at once although a request is still waiting for its answer."""
    async with Simulator(seed=1, population=0) as other:
        other.bindbee.fault(delay=600)
        task = asyncio.create_task(Client(other, client.http).bindbee())
        while not other.bindbee._faults[0].hits:
            await asyncio.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 60
    with pytest.raises(aiohttp.ClientError):
        await task


async def test_a_reset_is_a_reset_on_the_wire(sim: Simulator) -> None:
    """The client's socket sees RST, not the polite end of a closed connection."""
    sim.devrev.fault(reset=True)
    host, port = sim.devrev.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /jobs.list HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 60)
    writer.close()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_bytes_are_served_verbatim_on_the_first_page(sim: Simulator, client: Client, provider: str) -> None:
    """serve_verbatim answers the list call with exactly these bytes, the page behind its cursor as the empty end."""
    body = b'{ "%s": [ {"id":   9} ], "odd":  1.50 }' % ROWS[provider].encode()
    fill(sim, provider, 3).serve_verbatim(body, headers={"x-odd": "yes"})
    first = await ask(client, provider)
    name = {"driver_jobs": "page", "worklayer": "page_token"}.get(provider, "cursor")
    cursor: dict[str, Any] = {name: "2" if provider == "driver_jobs" else "string"}
    second = await ask(client, provider, **cursor)
    sim.servers[provider].serve_verbatim(None)
    third = await ask(client, provider)
    assert (first.body, first.headers["x-odd"]) == (body, "yes")
    assert second.json[ROWS[provider]] == []
    assert len(third.json[ROWS[provider]]) == 3


async def test_verbatim_driver_jobs_fill_one_list_and_keep_the_headers(sim: Simulator, client: Client) -> None:
    """The bytes are the accepted list with its total; the other two lists are empty; ETag and 304 still work."""
    fill(sim, "driver_jobs", 3).serve_verbatim(b'{"job_drivers": [{"id": 1}, {"id": 2}]}')
    accepted, rejected = await client.drivers(), await client.drivers("all_rejected")
    again = await client.drivers(headers={"If-None-Match": accepted.headers["etag"]})
    assert (accepted.headers["total"], rejected.headers["total"]) == ("2", "0")
    assert (rejected.json, again.status) == ({"job_drivers": []}, 304)


async def test_the_log_keeps_what_was_asked_and_no_secret(sim: Simulator, client: Client) -> None:
    """Method, path, query, body and status are logged; tokens and secrets are not."""
    body = {"client_id": sim.worklayer.client_id, "client_secret": sim.worklayer.client_secret}
    await client.send("POST", sim.worklayer.token_url, json=body)
    await client.worklayer(page_size=7, filter='status="CLOSED"')
    await client.devrev(limit=3)
    logged = sim.worklayer.requests[-1]
    assert (logged.method, logged.path, logged.query["page_size"], logged.status) == ("GET", "/v1.0/jobs", "7", 200)
    assert sim.devrev.requests[-1].body == {"limit": 3}
    text = repr(sim.worklayer.requests) + repr(sim.devrev.requests)
    for secret in (sim.worklayer.client_secret, sim.worklayer.static_token, sim.devrev.token):
        assert secret not in text


async def test_a_stopped_provider_is_down_and_comes_back_on_its_port(sim: Simulator, client: Client) -> None:
    """stop refuses connections; start listens on the same address with everything still known."""
    fill(sim, "worklayer", 2)
    await sim.worklayer.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.worklayer()
    await sim.worklayer.start()
    assert len((await client.worklayer()).json["data"]) == 2
