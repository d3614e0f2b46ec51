from __future__ import annotations

import re

import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client, Clock, driver


async def test_walks_every_page_to_the_announced_total(sim: Simulator, client: Client) -> None:
    """All pages together hold each row of the list once, and every page announces the same total."""
    for number in range(1, 48):
        sim.driver_jobs.put(driver(number))
    pages = [await client.drivers(page=page, per_page=20) for page in (1, 2, 3, 4)]

    rows = [row["id"] for page in pages for row in page.json["job_drivers"]]
    assert sorted(rows) == list(range(1, 48))
    assert [len(page.json["job_drivers"]) for page in pages] == [20, 20, 7, 0]
    assert {page.headers["total"] for page in pages} == {"47"}
    assert {page.headers["per-page"] for page in pages} == {"20"}


async def test_each_list_holds_the_kinds_that_belong_to_it(sim: Simulator, client: Client) -> None:
    """A driver is in exactly one of the three lists, by its kind."""
    kinds = ("accepted", "interview", "compliance_check", "verified", "rejected", "rejected_verified")
    for number, kind in enumerate(kinds, 1):
        sim.driver_jobs.put(driver(number, kind))
    found = {state: (await client.drivers(state)).json for state in ("accepted", "application", "all_rejected")}

    lists = {state: {row["kind"] for row in page["job_drivers"]} for state, page in found.items()}
    assert lists["accepted"] == {"accepted"}
    assert lists["application"] == {"interview", "compliance_check", "verified"}
    assert lists["all_rejected"] == {"rejected", "rejected_verified"}


@pytest.mark.parametrize(("query", "size"), [({}, "20"), ({"per_page": "5"}, "5"), ({"per_page": "900"}, "100")])
async def test_page_size_has_a_default_and_a_maximum(client: Client, query: dict[str, str], size: str) -> None:
    """The per-page header tells the size that was really used."""
    assert (await client.drivers(**query)).headers["per-page"] == size


@pytest.mark.parametrize("by_state", [None, "former"])
async def test_by_state_is_required_and_checked(client: Client, by_state: str | None) -> None:
    """A list call without a known by_state is a 400."""
    assert (await client.drivers(by_state)).status == 400


async def test_a_link_header_leads_to_the_next_and_last_page(sim: Simulator, client: Client) -> None:
    """The Link header of a page before the last names the next one with the same parameters."""
    for number in range(1, 8):
        sim.driver_jobs.put(driver(number))
    first = await client.drivers(per_page=3)
    last = await client.drivers(per_page=3, page=3)

    following = re.search(r'<([^>]+)>; rel="next"', first.headers["link"])
    assert following is not None
    assert "page=2" in following.group(1)
    assert "by_state=accepted" in following.group(1)
    assert 'rel="next"' not in last.headers["link"]


async def test_an_unchanged_page_answers_304_to_its_etag(sim: Simulator, client: Client) -> None:
    """If-None-Match with the page's weak ETag gives an empty 304; a change gives a new tag and a 200."""
    sim.driver_jobs.put(driver(1))
    first = await client.drivers()
    again = await client.drivers(headers={"If-None-Match": first.headers["etag"]})
    sim.driver_jobs.patch(1, {"kind_updated_by": 5})
    changed = await client.drivers(headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["etag"].startswith('W/"')
    assert (again.status, again.body) == (304, b"")
    assert (changed.status, changed.headers["etag"] == first.headers["etag"]) == (200, False)


@pytest.mark.parametrize(("header", "status"), [("*", 304), ('"x", {tag}', 304), ("{strong}", 304), ('W/"x"', 200)])
async def test_etags_compare_weakly(sim: Simulator, client: Client, header: str, status: int) -> None:
    """A star, a list and the strong form of the tag all count; another tag does not."""
    tag = (await client.drivers()).headers["etag"]
    given = header.format(tag=tag, strong=tag.removeprefix("W/"))
    assert (await client.drivers(headers={"If-None-Match": given})).status == status


async def test_days_to_expire_counts_from_today_in_london(sim: Simulator, client: Client, clock: Clock) -> None:
    """The number falls at midnight without any change of the document, and takes the ETag with it."""
    sim.driver_jobs.put(driver(1))
    before = await client.drivers()
    clock.forward(days=31)
    sim.driver_jobs.token = sim.driver_jobs.issue_token()
    after = await client.drivers()

    assert before.json["job_drivers"][0]["last_contract"]["days_to_expire"] == 30
    assert after.json["job_drivers"][0]["last_contract"]["days_to_expire"] == -1
    assert before.headers["etag"] != after.headers["etag"]


async def test_an_end_that_is_no_date_is_sent_as_it_stands(sim: Simulator, client: Client) -> None:
    """What a monitor says of a date that cannot be read has to be tried with one."""
    sim.driver_jobs.put(driver(1))
    sim.driver_jobs.patch(1, {"last_contract.end_date": "31/12/2026"})
    answer = await client.drivers()
    assert answer.status == 200
    assert answer.json["job_drivers"][0]["last_contract"]["end_date"] == "31/12/2026"


async def test_a_pending_contract_is_absent_not_null(sim: Simulator, client: Client) -> None:
    """Without a renewal the key is missing; with one it is there and counted too."""
    sim.driver_jobs.put(driver(1, pending_contract=None))
    without = (await client.drivers()).json["job_drivers"][0]
    sim.driver_jobs.patch(1, {"pending_contract": {"id": 9, "end_date": "2026-01-20", "state": "pending"}})
    with_one = (await client.drivers()).json["job_drivers"][0]

    assert "pending_contract" not in without
    assert with_one["pending_contract"]["days_to_expire"] == 61


async def test_a_changed_row_moves_within_the_list(sim: Simulator, client: Client) -> None:
    """The order is undefined: it holds while nothing changes, and an update may put a row elsewhere."""
    for number in range(1, 30):
        sim.driver_jobs.put(driver(number))

    async def order() -> list[int]:
        return [row["id"] for row in (await client.drivers(per_page=100)).json["job_drivers"]]

    before, again = await order(), await order()
    sim.driver_jobs.patch(before[0], {"money_earned": "1.0"})
    after = await order()
    assert before == again
    assert before != sorted(before)
    assert after != before


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
async def test_a_foreign_token_is_refused(sim: Simulator, client: Client, token: str) -> None:
    """Only tokens the server made are taken; the 401 carries a JSON error."""
    url = f"{sim.driver_jobs.base_url}/api/v1/job_drivers?by_state=accepted"
    answer = await client.get(url, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, list(answer.json)) == (401, ["error"])


async def test_a_token_dies_after_thirty_days(sim: Simulator, client: Client, clock: Clock) -> None:
    """The token is good for 30 days and then says that its signature has expired."""
    clock.forward(days=29)
    good = await client.drivers()
    clock.forward(days=1)
    expired = await client.drivers()
    assert (good.status, expired.status) == (200, 401)
    assert expired.json == {"error": "Signature has expired"}


async def test_a_revoked_token_is_refused_and_a_new_one_is_taken(sim: Simulator, client: Client) -> None:
    """Revoking one token leaves others alone."""
    fresh = sim.driver_jobs.issue_token()
    sim.driver_jobs.revoke(sim.driver_jobs.token)
    refused = await client.drivers()
    sim.driver_jobs.token = fresh
    assert (refused.status, (await client.drivers()).status) == (401, 200)


async def test_the_clock_of_a_patch_moves_updated_at(sim: Simulator, clock: Clock) -> None:
    """A patch stamps the document unless it is asked not to or sets the stamp itself."""
    sim.driver_jobs.put(driver(1))
    clock.forward(hours=1)
    assert sim.driver_jobs.patch("1", {"kind": "verified"})["updated_at"] == "2025-11-20T10:00:00.000Z"
    clock.forward(hours=1)
    assert sim.driver_jobs.patch(1, {}, touch=False)["updated_at"] == "2025-11-20T10:00:00.000Z"
    assert sim.driver_jobs.patch(1, {"updated_at": "x"})["updated_at"] == "x"
