from __future__ import annotations

import json

import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client, driver, tax_job


async def test_the_front_page_explains_everything(sim: Simulator, client: Client) -> None:
    """GET / is a text that names every call with an example that can be pasted."""
    page = (await client.get(sim.control_url)).body.decode()
    assert f"curl -X POST {sim.control_url}/step" in page
    for word in ("/faults", "/items", "/requests", "/rate", "PATCH", "DELETE", "retry_after", "huge_mb"):
        assert word in page


async def test_a_document_is_stored_changed_shown_and_removed(sim: Simulator, client: Client) -> None:
    """PUT, PATCH, GET and DELETE do to a provider's documents what their names say."""
    url = f"{sim.control_url}/worklayer/items"
    job = tax_job(1)
    await client.send("PUT", f"{url}/{job['id']}", data=json.dumps(job))
    await client.send("PATCH", f"{url}/{job['id']}", data='{"status": "CLOSED", "members.0.role": "CHAMPION"}')
    one, every = await client.get(f"{url}/{job['id']}"), await client.get(url)
    seen = (await client.worklayer()).json["data"]
    gone = await client.send("DELETE", f"{url}/{job['id']}")
    assert (one.json["status"], one.json["members"][0]["role"]) == ("CLOSED", "CHAMPION")
    assert every.json == seen == [one.json]
    assert (gone.status, sim.worklayer.items) == (200, {})


async def test_fields_can_be_dropped_and_ids_are_numbers_where_they_must_be(sim: Simulator, client: Client) -> None:
    """?absent drops fields; an id in the URL of driver_jobs is the integer id."""
    sim.driver_jobs.put(driver(5, pending_contract={"id": 1, "end_date": "2026-01-01"}))
    url = f"{sim.control_url}/driver_jobs/items/5"
    answer = await client.send("PATCH", f"{url}?absent=pending_contract,currency", data='{"kind": "verified"}')
    assert answer.json["kind"] == "verified"
    assert "pending_contract" not in sim.driver_jobs.items[5]


async def test_ids_with_slashes_and_colons_are_reached_when_quoted(sim: Simulator, client: Client) -> None:
    """A DON id works as one path segment in percent form."""
    sim.devrev.put({"id": "don:core:devo/1:job/2", "state": "queued"})
    url = f"{sim.control_url}/devrev/items/don:core:devo%2F1:job%2F2"
    import yarl

    async with client.http.get(yarl.URL(url, encoded=True)) as answer:
        assert (await answer.json())["state"] == "queued"


async def test_faults_are_planned_and_cleared(sim: Simulator, client: Client) -> None:
    """POST plans trouble at the provider, DELETE ends it, and the history tells of both."""
    url = f"{sim.control_url}/worklayer/faults"
    await client.send("POST", url, data='{"status": 503, "times": null}')
    during = (await client.worklayer()).status
    await client.send("DELETE", url)
    history = (await client.get(f"{sim.control_url}/history")).body.decode()
    assert (during, (await client.worklayer()).status) == (503, 200)
    assert "gets trouble" in history
    assert "well again" in history


async def test_steps_and_rate_steer_the_life(client: Client) -> None:
    """POST /step makes one change and tells it, POST /rate sets the speed."""
    async with Simulator(seed=1) as other:
        step = await client.send("POST", f"{other.control_url}/step?provider=devrev")
        rate = await client.send("POST", f"{other.control_url}/rate", data="0.5")
        assert step.body.decode().startswith("devrev: job JOB-")
        assert (rate.status, other.life.rate) == (200, 0.5)


async def test_the_requests_of_a_provider_can_be_read(sim: Simulator, client: Client) -> None:
    """GET requests shows the last calls as JSON."""
    await client.bindbee(page_size=3)
    await client.bindbee(page_size=4)
    seen = (await client.get(f"{sim.control_url}/bindbee/requests?last=1")).json
    assert [(call["path"], call["query"]["page_size"]) for call in seen] == [("/api/ats/v1/jobs", "4")]


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/nobody/items", None, 404),
        ("GET", "/worklayer/items/unknown", None, 404),
        ("GET", "/worklayer/nonsense", None, 404),
        ("GET", "/driver_jobs/items/abc", None, 400),
        ("PUT", "/worklayer/items/x", "[]", 400),
        ("PUT", "/worklayer/items/x", "{", 400),
        ("PATCH", "/worklayer/items/unknown", "{}", 404),
        ("POST", "/worklayer/faults", '{"stauts": 1}', 400),
        ("PUT", "/worklayer/faults", "{}", 405),
        ("POST", "/worklayer/items", "{}", 405),
        ("GET", "/step", None, 405),
        ("POST", "/step?provider=nobody", None, 404),
        ("POST", "/rate", "fast", 400),
        ("POST", "/rate", "-1", 400),
    ],
)
async def test_mistakes_are_told(
    sim: Simulator, client: Client, method: str, path: str, data: str | None, status: int
) -> None:
    """A wrong call gets a status and a sentence, never a stack trace."""
    answer = await client.send(method, f"{sim.control_url}{path}", data=data)
    assert answer.status == status
    assert b"GET / shows what there is" in answer.body
