"""Resources inside a resource, second facts, and what the clock says of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.deadlines import speaking
from monitor.events import event_id
from monitor.resources import Document
from monitor.ringing import judge_rung
from monitor.rules import Judgement, Silent, judge_removal
from tests.unit.acme import (
    DUE_AT,
    END_DATE,
    NOW,
    clockwork,
    contract,
    document,
    job,
    known,
    look,
    post,
    setting,
    whats,
)


def names(judgement: Judgement, place: int = 0) -> list[str]:
    """The keys that an event lists as related."""
    return [one["key"] for one in judgement.events[place].data.get("related", [])]


def test_what_comes_with_its_parent_is_listed_there_and_has_no_event_of_its_own() -> None:
    """It is known from then on, with revision 1."""
    judgement = look(None, post(), contract(id="8"), contract(id="9"))
    assert whats(judgement.events) == ["created"]
    assert names(judgement) == ["shop/contract/8", "shop/contract/9"]
    (related, _) = judgement.events[0].data["related"]
    assert related == {
        "key": "shop/contract/8",
        "kind": "contract",
        "id": "8",
        "title": "Contract 8",
        "state": "active",
        "fields": {},
    }
    assert judgement.silent == (
        Silent("contract/8", "came with its post/7"),
        Silent("contract/9", "came with its post/7"),
    )
    assert judgement.document.known["contract/8"].revision == 1
    assert judgement.document.known["contract/8"].sequence == 0


def test_what_comes_later_than_its_parent_has_its_own_event() -> None:
    """And names its parent."""
    judgement = look(document(post()), post(), contract())
    (event,) = judgement.events
    assert event.type == "acme.contract.created"
    assert event.data["resource"]["parent"] == "shop/post/7"


def test_a_parent_and_a_child_that_change_together_are_two_events() -> None:
    """In the order of the item: the parent first."""
    judgement = look(document(post("open"), contract("active")), post("filled"), contract("expired"))
    assert [event.type for event in judgement.events] == ["acme.post.filled", "acme.contract.expired"]


@pytest.mark.parametrize("refs", [["post/7"], ["post/7", "contract/9"], ["contract/9", "post/7"]])
def test_what_goes_with_its_parent_is_listed_there_with_its_last_state(refs: list[str]) -> None:
    """One event, in whatever order the missing ones are named; all of them are gone."""
    before = document(known(post(), revision=3), known(contract(), revision=2, sequence=1))
    judgement = judge_removal(before, refs, setting())
    assert whats(judgement.events) == ["removed"]
    assert names(judgement) == ["shop/contract/9"]
    assert judgement.events[0].data["related"][0]["state"] == "active"
    assert judgement.silent == (Silent("contract/9", "removed with its post/7"),)
    child = judgement.document.known["contract/9"]
    assert (child.gone, child.revision, child.sequence) == (True, 3, 1)


def test_a_child_alone_is_removed_with_an_event_of_its_own() -> None:
    """Its parent and its siblings stay."""
    judgement = judge_removal(document(post(), contract(id="8"), contract(id="9")), ["contract/9"], setting())
    (event,) = judgement.events
    assert (event.type, event.subject) == ("acme.contract.removed", "contract/9")
    assert [ref for ref, one in judgement.document.known.items() if one.gone] == ["contract/9"]


def test_a_removal_has_no_stamp_of_the_provider() -> None:
    """The last stamp is of the last change: a message would say that the resource went long ago."""
    (event,) = judge_removal(document(job(stamp="2026-01-01T00:00:00Z")), ["job/1"], setting()).events
    assert event.data["occurred_at"] is None


def test_a_child_that_was_gone_before_is_not_listed_again() -> None:
    """Only what goes now goes with the parent."""
    before = document(post(), known(contract(state=None), revision=2, gone=True))
    judgement = judge_removal(before, ["post/7"], setting())
    assert names(judgement) == []
    assert judgement.document.known["contract/9"].revision == 2


def test_a_family_that_returns_is_one_restored_event() -> None:
    """The children come back with their parent, silently, a revision on."""
    gone = judge_removal(document(post(), contract()), ["post/7"], setting())
    judgement = look(gone.document, post(), contract(), contract(id="10"))
    assert whats(judgement.events) == ["restored"]
    assert names(judgement) == ["shop/contract/9", "shop/contract/10"]
    assert judgement.document.known["contract/9"].revision == 3
    assert not judgement.document.known["contract/9"].gone


def offered() -> Judgement:
    """A pending contract comes up beside a current one of revision 4."""
    current = known(contract(id="8", role="last", end_date="2026-02-01"), revision=4, sequence=6)
    shown = [post(), contract(id="8", role="last", end_date="2026-02-01")]
    return look(document(post(), current), *shown, contract("pending", id="9", role="pending"))


def test_a_pending_contract_is_created_and_an_offer_to_the_current_one() -> None:
    """The offer names the new contract and leaves the revision of the current one as it is."""
    judgement = offered()
    assert [event.type for event in judgement.events] == ["acme.contract.created", "acme.contract.renewal_offered"]
    offer = judgement.events[1]
    assert (offer.subject, offer.data["revision"], offer.sequence) == ("contract/8", 4, f"{7:020d}")
    assert offer.data["state"] == {"before": "active", "after": "active"}
    assert names(judgement, 1) == ["shop/contract/9"]
    assert judgement.document.known["contract/8"].revision == 4


def test_two_offers_on_one_revision_have_two_ids() -> None:
    """Withdrawn and replaced by another contract: another fact."""
    first = offered()
    withdrawn = judge_removal(first.document, ["contract/9"], setting())
    shown = [post(), contract(id="8", role="last", end_date="2026-02-01")]
    second = look(withdrawn.document, *shown, contract("pending", id="10", role="pending"))
    assert whats(second.events) == ["created", "renewal_offered"]
    assert first.events[1].id != second.events[1].id
    assert first.events[1].data["revision"] == second.events[1].data["revision"]


def test_a_new_post_with_both_contracts_offers_nothing() -> None:
    """All of it came at once."""
    judgement = look(None, post(), contract(id="8", role="last"), contract("pending", id="9", role="pending"))
    assert whats(judgement.events) == ["created"]


def ring(before: Document, at: datetime, ref: str = "contract/9") -> Judgement:
    """The rung of a document that speaks at a time."""
    rule = DUE_AT if ref.startswith("job") else END_DATE
    rung = speaking(before.known[ref], rule, clockwork(), at)
    assert rung is not None
    return judge_rung(before, ref, rule, rung, setting(at))


def test_a_clock_event_carries_the_current_revision_and_no_state() -> None:
    """It is one in sequence, and the store remembers that it was told."""
    before = document(post(), known(contract(end_date="2026-02-04"), revision=5, sequence=2))
    judgement = ring(before, datetime(2026, 1, 5, tzinfo=UTC))
    (event,) = judgement.events
    assert (event.type, event.data["revision"], event.sequence) == ("acme.contract.expiring", 5, f"{3:020d}")
    assert event.data["state"] is None
    assert (event.data["changes"], event.data["occurred_at"]) == ([], None)
    assert event.data["deadline"] == {"date": "2026-02-04", "rung": "30d", "days_left": 30, "late": "0s"}
    after = judgement.document.known["contract/9"]
    assert (after.revision, after.sequence) == (5, 3)
    assert after.spoken == {"acme.contract.expiring": {"2026-02-04": "30d 2026-01-05T00:00:00.000Z"}}


def test_p20_a_rung_told_twice_by_two_workers_is_one_event_and_two_rungs_are_two() -> None:
    """The rung is part of the id, the time is not."""
    before = document(post(), known(contract(end_date="2026-02-04"), revision=5))
    first = ring(before, datetime(2026, 1, 5, tzinfo=UTC))
    twin = ring(before, datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=1))
    second = ring(first.document, datetime(2026, 1, 21, tzinfo=UTC))
    assert first.events[0].id == twin.events[0].id
    assert second.events[0].data["deadline"]["rung"] == "14d"
    assert second.events[0].id != first.events[0].id


def test_the_providers_stamp_is_not_when_a_clock_event_occurred() -> None:
    """Nothing happened at the provider then."""
    (event,) = ring(document(job(stamp="2026-01-01T00:00:00Z", due_at="2026-01-06T00:00:00Z")), NOW, "job/1").events
    assert event.data["occurred_at"] is None


def test_an_instant_written_otherwise_is_the_same_rung_with_the_same_id() -> None:
    """Nine fraction digits or none: the same deadline, told once."""
    plain = document(known(job(due_at="2026-01-06T00:00:00Z")))
    fancy = document(known(job(due_at="2026-01-06T00:00:00.000000000+00:00")))
    assert ring(plain, NOW, "job/1").events[0].id == ring(fancy, NOW, "job/1").events[0].id


def test_an_expiring_contract_names_the_renewal_that_is_offered() -> None:
    """What stands beside it, pending, is related; of a pending one nothing is."""
    current = contract(id="8", role="last", end_date="2026-02-04")
    before = document(post(), current, contract("pending", id="9", role="pending"))
    (event,) = ring(before, datetime(2026, 1, 5, tzinfo=UTC), "contract/8").events
    assert [one["key"] for one in event.data["related"]] == ["shop/contract/9"]


def test_an_event_of_the_clock_and_one_of_a_state_with_the_same_name_are_two() -> None:
    """A provider may call a state `overdue` too."""
    clock = event_id("shop", "contract", "9", 5, "acme.contract.overdue", "overdue@2026-01-01")
    assert clock != event_id("shop", "contract", "9", 5, "acme.contract.overdue")


@pytest.mark.parametrize(
    ("end", "speaks"),
    [
        ("2026-03-01", None),
        ("2026-01-30", "30d"),
        ("2026-01-10", "7d"),
        ("2026-01-05", "1d"),
        ("2025-12-30", "overdue"),
        ("2025-12-20", None),
    ],
)
@pytest.mark.parametrize("baseline", [True, False])
def test_p9_at_first_sight_a_deadline_inside_its_ladder_speaks_by_its_tightest_rung(
    end: str, speaks: str | None, baseline: bool
) -> None:
    """Also at the silent baseline; what passed more than seven days ago is taken as told."""
    judgement = look(None, post(), contract(end_date=end), at=setting(baseline=baseline))
    rung = speaking(judgement.document.known["contract/9"], END_DATE, clockwork(), NOW)
    assert (rung.name if rung else None) == speaks
