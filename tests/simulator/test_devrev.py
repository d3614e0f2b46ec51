from __future__ import annotations

from typing import Any

import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client, Clock, long_job


def fill(sim: Simulator, count: int) -> list[str]:
    """Store jobs and give their ids, newest first."""
    for number in range(1, count + 1):
        sim.devrev.put(long_job(number, ("queued", "started", "completed")[number % 3]))
    return [long_job(number)["id"] for number in range(count, 0, -1)]


async def test_walks_until_there_is_no_next_cursor(sim: Simulator, client: Client) -> None:
    """The last page has no next_cursor, the first no prev_cursor; all jobs come once, newest first."""
    ids = fill(sim, 25)
    first = (await client.devrev(limit=10)).json
    second = (await client.devrev(limit=10, cursor=first["next_cursor"])).json
    assert await client.walk_devrev(limit=10) == ids
    assert "prev_cursor" not in first
    assert {"prev_cursor", "next_cursor"} <= second.keys()


async def test_mode_before_walks_backward_in_the_same_order(sim: Simulator, client: Client) -> None:
    """Before without a cursor starts at the end; entries always come in the order of the sort."""
    ids = fill(sim, 7)
    last = (await client.devrev(limit=3, mode="before")).json
    middle = (await client.devrev(limit=3, mode="before", cursor=last["prev_cursor"])).json
    first = (await client.devrev(limit=3, mode="before", cursor=middle["prev_cursor"])).json
    assert [[job["id"] for job in page["jobs"]] for page in (first, middle, last)] == [ids[:1], ids[1:4], ids[4:]]
    assert "prev_cursor" not in first
    assert "next_cursor" not in last


async def test_get_takes_the_same_parameters_in_the_query(sim: Simulator, client: Client) -> None:
    """The GET form of both calls answers like the POST form, with comma-joined quoted arrays."""
    fill(sim, 6)
    by_post = (await client.devrev(state=["queued", "started"], limit=3)).json
    by_get = (await client.devrev_get(state='"queued","started"', limit="3")).json
    one = (await client.devrev_get("jobs.get", id=long_job(2)["id"])).json
    assert by_post == by_get
    assert one == {"job": sim.devrev.items[long_job(2)["id"]]}


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"state": ["queued"]}, 4),
        ({"state": ["queued", "completed"]}, 8),
        ({"category": ["export_work"]}, 12),
        ({"category": ["merge_account"]}, 0),
        ({"created_by": ["don:identity:user/1"]}, 6),
        ({"owned_by_id": ["don:identity:user/0"], "state": ["started"]}, 2),
        ({"parent_ids": ["don:x"]}, 0),
        ({"state": []}, 12),
    ],
)
async def test_filters_choose_the_jobs(sim: Simulator, client: Client, body: dict[str, Any], count: int) -> None:
    """Each documented filter works, an empty one takes all."""
    fill(sim, 12)
    assert len((await client.devrev(**body)).json["jobs"]) == count


async def test_sorts_by_modification_when_asked(sim: Simulator, client: Client) -> None:
    """modified_date:desc gives the last changed job first, over page edges."""
    ids = fill(sim, 12)
    assert await client.walk_devrev(sort_by=["modified_date:desc"], limit=5) == list(reversed(ids))
    assert await client.walk_devrev(sort_by=["created_date:asc"], limit=5) == list(reversed(ids))


async def test_sorting_can_be_unknown_to_the_service(sim: Simulator, client: Client) -> None:
    """With sorting switched off, sort_by is a 400 invalid_field and the rest still works."""
    sim.devrev.sortable = ()
    refused = await client.devrev(sort_by=["modified_date:desc"])
    assert (refused.status, refused.json["type"]) == (400, "invalid_field")
    assert (await client.devrev()).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"state": ["running"]}, "invalid_enum_value"),
        ({"category": ["nonsense"]}, "invalid_enum_value"),
        ({"mode": "sideways"}, "invalid_enum_value"),
        ({"state": "queued"}, "unexpected_json_type"),
        ({"limit": "ten"}, "unexpected_json_type"),
        ({"limit": 0}, "value_not_permitted"),
        ({"limit": 101}, "value_not_permitted"),
        ({"sort_by": ["created_date:up"]}, "value_not_permitted"),
        ({"since": "today"}, "invalid_field"),
        ({"cursor": "nonsense"}, "bad_request"),
    ],
)
async def test_bad_parameters_are_named_by_type(client: Client, body: dict[str, Any], kind: str) -> None:
    """Each kind of mistake has its own error type in a 400."""
    answer = await client.devrev(**body)
    assert (answer.status, answer.json["type"]) == (400, kind)


async def test_an_unknown_enum_value_teaches_the_known_ones(client: Client) -> None:
    """invalid_enum_value lists what is allowed."""
    answer = (await client.devrev(state=["running"])).json
    assert answer["allowed_values"] == ["queued", "started", "in_progress", "completed", "failed"]


async def test_a_body_that_is_no_json_object_is_refused(sim: Simulator, client: Client) -> None:
    """A wrong content type, broken JSON and a JSON list have their own error types."""
    url, auth = f"{sim.devrev.base_url}/jobs.list", {"Authorization": sim.devrev.token}
    json_type = auth | {"Content-Type": "application/json"}
    cases = [(b"{}", auth | {"Content-Type": "text/plain"}), (b"{", json_type), (b"[]", json_type)]
    answers = [await client.send("POST", url, data=data, headers=headers) for data, headers in cases]
    kinds = [answer.json["type"] for answer in answers]
    assert kinds == ["invalid_content_type", "parse_error", "unexpected_json_type"]


async def test_tokens_are_refused_with_the_reason(sim: Simulator, client: Client, clock: Clock) -> None:
    """Unknown, expired and revoked tokens are 401 with three different types."""
    url = f"{sim.devrev.base_url}/jobs.list"
    revoked, brief = sim.devrev.issue_token(), sim.devrev.issue_token(days=1)
    sim.devrev.refuse(revoked)
    clock.forward(days=2)
    answers = [
        await client.send("POST", url, json={}, headers={"Authorization": f"Bearer {token}"})
        for token in ("nonsense", brief, revoked, sim.devrev.token)
    ]
    assert [answer.status for answer in answers] == [401, 401, 401, 200]
    assert [answer.json["type"] for answer in answers[:3]] == ["unauthenticated", "token_expired", "token_revoked"]


async def test_jobs_get_tells_unknown_from_invalid_from_moved(sim: Simulator, client: Client) -> None:
    """An unknown id is 404, text that is no id 400, a changed id 301 to the new one."""
    fill(sim, 3)
    sim.devrev.moved["don:old"] = long_job(1)["id"]
    answers = [await client.devrev("jobs.get", id=value) for value in ("don:unknown", "seven", "don:old", "")]
    kinds = [answers[place].json["type"] for place in (0, 1, 3)]
    assert [answer.status for answer in answers] == [404, 400, 301, 400]
    assert kinds == ["not_found", "invalid_id", "missing_required_field"]
    assert answers[2].headers["location"].endswith(long_job(1)["id"])


async def test_the_rate_limit_is_announced_and_enforced(sim: Simulator, client: Client) -> None:
    """Every answer says what is left; beyond the limit a 429 carries the wait in header and body."""
    sim.devrev.limits.limit = 2
    answers = [await client.devrev(), await client.devrev("jobs.get", id="don:x"), await client.devrev()]
    assert [answer.status for answer in answers] == [200, 404, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].json["type"] == "too_many_requests"
    assert answers[2].json["retry_after"] == int(answers[2].headers["retry-after"])


async def test_the_beta_header_can_be_required(sim: Simulator, client: Client) -> None:
    """Where the calls are still beta, they are only found with the header."""
    sim.devrev.require_beta = True
    url, headers = f"{sim.devrev.base_url}/jobs.list", {"Authorization": f"Bearer {sim.devrev.token}"}
    without = await client.send("POST", url, json={}, headers=headers)
    with_it = await client.send("POST", url, json={}, headers=headers | {"X-Devrev-Scope": "beta"})
    assert (without.status, with_it.status) == (404, 200)


async def test_a_patch_counts_the_object_version(sim: Simulator, clock: Clock) -> None:
    """A write moves modified_date and object_version together."""
    fill(sim, 1)
    changed = sim.devrev.patch(long_job(1)["id"], {"progress": 40})
    assert (changed["object_version"], changed["modified_date"]) == (2, "2025-11-20T09:00:00.000Z")
