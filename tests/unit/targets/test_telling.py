from __future__ import annotations

from typing import Any

import pytest

from monitor.targets.telling import Tone, plain_text, read, said, span, tell
from monitor.targets.telling.words import day, days
from tests.unit.targets.events import CLAIMED, EXPIRING, stored

AT = {"at": "2026-01-06T09:30:00.000Z", "rung": "24h", "seconds_left": 86400, "late": "0s"}
INTERVIEW = {"subject": "interview/57", "title": "Interview 57: Designer at X", "state_now": "scheduled"}
PLACE = {"kind": "in_person", "location": "London", "amended_by": "interviewer"}
MOVED = [{"field": "start_at", "before": "2026-01-06T09:30:00Z", "after": "2026-01-07T10:00:00Z"}]
PROPOSED = [{"field": "amend_start_at", "before": None, "after": "2026-01-07T10:00:00Z"}]


def told(body: bytes) -> tuple[str, str]:
    """The move and the sentence of an event, as plain text."""
    words = tell(read(body))
    return words.move, plain_text(words.sentence)


def test_a_state_change_says_from_where_to_where_and_when() -> None:
    """The provider's own time, if it gives one."""
    assert told(CLAIMED) == (
        "UNCLAIMED → CLAIMED",
        "Job Tony Stark | 2021 | 1040 went from UNCLAIMED to CLAIMED at 5 Jan 2026 09:29 UTC.",
    )


def test_a_contract_near_its_end_says_when_it_ends() -> None:
    """The sentence people were promised."""
    assert told(EXPIRING) == (
        "ends in 14 days",
        "Contract of Tony Stark at ACME ends in 14 days, on 20 Dec 2025.",
    )


@pytest.mark.parametrize(
    ("rung", "left", "late", "word"),
    [
        ("3d", 3, "1376m", ""),
        ("overdue", -1, "22h", ""),
        ("3d", 2, "46h", " This is told 46 hours late."),
        ("overdue", -4, "3d", " This is told 3 days late."),
        ("3d", 2, "a while", " This is told a while late."),
    ],
)
def test_a_date_told_on_its_very_day_is_not_late(rung: str, left: int, late: str, word: str) -> None:
    """The rung was due at midnight, but people count in days; what is late is said in one unit."""
    what = "overdue" if rung == "overdue" else "expiring"
    deadline = {"date": "2026-01-08", "rung": rung, "days_left": left, "late": late}
    body = stored(f"driver_jobs.contract.{what}", "contract/1", "Contract 1", state_now="active", deadline=deadline)
    sentence = told(body)[1]
    assert sentence.partition(" This is told")[2] == word.removeprefix(" This is told")


@pytest.mark.parametrize(
    ("body", "move", "sentence"),
    [
        (
            stored("devrev.job.failed", title="Upgrade", state={"before": "in_progress", "after": "failed"}),
            "in_progress → failed",
            "Job Upgrade went from in_progress to failed, seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored("bindbee.job.open", title="SRE", state={"before": None, "after": "OPEN"}),
            "→ OPEN",
            "Job SRE is now OPEN, seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored("bindbee.job.state_cleared", title="SRE", state={"before": "OPEN", "after": None}),
            "OPEN → no state",
            "Job SRE has no state any more, it was OPEN, seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored("worklayer.job.created", title="1040", state_now="UNCLAIMED"),
            "new, UNCLAIMED",
            "Job 1040 is new, UNCLAIMED, seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored("driver_jobs.job_driver.created", "job_driver/370", "Designer at X", related=[{}, {}]),
            "new",
            "Driver 370: Designer at X is new, seen at 5 Jan 2026 09:30 UTC. It came with 2 more resources.",
        ),
        (
            stored("worklayer.job.removed", title="1040", state={"before": "CLOSED", "after": None}, related=[{}]),
            "CLOSED → removed",
            "Job 1040 is gone from tax, seen at 5 Jan 2026 09:30 UTC. It was CLOSED. 1 resource went with it.",
        ),
        (
            stored("worklayer.job.restored", title="1040", state_now="CLAIMED"),
            "back, CLAIMED",
            "Job 1040 is back, CLAIMED, seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored(
                "worklayer.job.updated",
                title="1040",
                changes=[{"field": name, "before": 1, "after": 2} for name in ("total_amount", "name", "x.y", "z")],
            ),
            "total amount, name, x y and 1 more changed",
            "Job 1040 changed: total amount, name, x y and 1 more, seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored(
                "driver_jobs.contract.expiring",
                "contract/1",
                "Contract 1",
                deadline={"date": "2025-12-20", "rung": "1d", "days_left": 0, "late": "3h"},
                related=[{"title": "Contract 2", "fields": {"start_date": "2025-12-21", "end_date": "2026-01-20"}}],
            ),
            "ends today",
            (
                "Contract 1 ends today, on 20 Dec 2025. A renewal is on offer: Contract 2, from 21 Dec 2025 to "
                "20 Jan 2026. This is told 3 hours late."
            ),
        ),
        (
            stored(
                "driver_jobs.contract.expiring",
                "contract/1",
                "Contract 1",
                deadline={"date": "2025-12-20", "rung": "7d", "days_left": 5, "late": "2d"},
                details={"renewal": "pending", "known_at": AT["at"]},
                related=[{"title": "Contract 2", "fields": {}}],
            ),
            "ends in 5 days, renewal pending",
            "Contract 1 ends in 5 days, on 20 Dec 2025. A renewal is on offer: Contract 2.",
        ),
        (
            stored(
                "driver_jobs.contract.expiring",
                "contract/1",
                "Contract 1",
                deadline={"date": "2025-12-20", "rung": "7d", "days_left": 5, "late": "2d"},
                details={"renewal": "agreed", "known_at": AT["at"]},
                related=[{"title": "Contract 2", "fields": {}}],
            ),
            "ends in 5 days, renewed",
            "Contract 1 ends in 5 days, on 20 Dec 2025. It is renewed: Contract 2.",
        ),
        (
            stored(
                "driver_jobs.contract.expiring",
                "contract/1",
                "Contract 1",
                deadline={"date": "2025-12-20", "rung": "7d", "days_left": 5, "late": "2d"},
                details={"renewal": "rejected", "known_at": AT["at"]},
                related=[{"title": "Contract 2", "fields": {}}],
            ),
            "ends in 5 days",
            "Contract 1 ends in 5 days, on 20 Dec 2025. The renewal was rejected: Contract 2.",
        ),
        (
            stored(
                "driver_jobs.contract.expiring",
                "contract/1",
                "Contract 1",
                deadline={"date": "2025-12-20", "rung": "notice", "days_left": 28, "late": "0s"},
                details={"renewal": "gap", "notice_by": "2025-11-22"},
                related=[{"title": "Contract 2", "fields": {}}],
            ),
            "ends in 28 days",
            (
                "Contract 1 ends in 28 days, on 20 Dec 2025. A renewal is on offer, but it does not follow at once: "
                "Contract 2. Notice must be given by 22 Nov 2025."
            ),
        ),
        (
            stored(
                "driver_jobs.contract.overdue",
                "contract/1",
                "Contract 1",
                state_now="active",
                deadline={"date": "2025-12-20", "rung": "overdue", "days_left": -1, "late": "0s"},
            ),
            "ended yesterday, still active",
            "Contract 1 ended yesterday, on 20 Dec 2025, and is still active.",
        ),
        (
            stored("driver_jobs.contract.renewal_offered", "contract/1", "Contract 1", related=[{"title": "C 2"}]),
            "renewal offered",
            "Contract 1 has a renewal on offer: C 2.",
        ),
        (
            stored("driver_jobs.interview.upcoming", deadline=AT, fields=PLACE, **INTERVIEW),
            "starts in 24 hours",
            "Interview 57: Designer at X starts in 24 hours, at 6 Jan 2026 09:30 UTC (in person, London).",
        ),
        (
            stored("driver_jobs.interview.overdue", deadline=AT, **INTERVIEW),
            "overdue, still scheduled",
            "Interview 57: Designer at X should have taken place at 6 Jan 2026 09:30 UTC and is still scheduled.",
        ),
        (
            stored("driver_jobs.interview.rescheduled", changes=MOVED, fields=PLACE, **INTERVIEW),
            "rescheduled",
            (
                "Interview 57: Designer at X was moved from 6 Jan 2026 09:30 UTC to 7 Jan 2026 10:00 UTC "
                "(in person, London)."
            ),
        ),
        (
            stored("driver_jobs.interview.amended", changes=PROPOSED, fields=PLACE, **INTERVIEW),
            "another time is proposed",
            "Interview 57: Designer at X has another time proposed: 7 Jan 2026 10:00 UTC, by interviewer.",
        ),
        (
            stored("worklayer.job.deadline_approaching", title="1040", state_now="CLAIMED", deadline=AT),
            "due in 24 hours",
            "Job 1040 is due in 24 hours, at 6 Jan 2026 09:30 UTC, and is CLAIMED.",
        ),
        (
            stored("worklayer.job.deadline_missed", title="1040", state_now="CLAIMED", deadline=AT),
            "deadline missed, CLAIMED",
            "Job 1040 was due at 6 Jan 2026 09:30 UTC and is CLAIMED.",
        ),
        (
            stored("worklayer.job.stuck", title="1040", state_now="UNCLAIMED", details={"since": AT["at"]}),
            "stuck in UNCLAIMED",
            "Job 1040 has been UNCLAIMED since 6 Jan 2026 09:30 UTC.",
        ),
        (
            stored("worklayer.job.members_changed", title="1040"),
            "members changed",
            "Job 1040 has other members now, seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored("devrev.job.retried", title="Upgrade", fields={"retry_count": 2}),
            "retried (retry 2)",
            "Job Upgrade was started again (retry 2), seen at 5 Jan 2026 09:30 UTC.",
        ),
        (
            stored("devrev.job.progressed", title="Upgrade", fields={"progress": 40}),
            "progress 40",
            "Job Upgrade is at 40, seen at 5 Jan 2026 09:30 UTC.",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_every_family_has_its_own_sentence(body: bytes, move: str, sentence: str) -> None:
    """What a person needs to know of this kind of event, in one line."""
    assert told(body) == (move, sentence)


@pytest.mark.parametrize(
    ("what", "details", "sentence"),
    [
        (
            "source.baselined",
            {"counts": {"job": {"CLAIMED": 3, "CLOSED": 1}}, "total": 4},
            "tax was read for the first time: 4 resources (job CLAIMED 3, CLOSED 1). From now on every change is told.",
        ),
        (
            "source.failing",
            {"failed_scans": 3, "since": "2026-01-05T09:00:00Z", "error": "tax.example answered 502"},
            "3 scans of tax failed in a row since 5 Jan 2026 09:00 UTC: tax.example answered 502.",
        ),
        (
            "source.recovered",
            {"since": "2026-01-05T09:00:00Z", "reason": "unavailable"},
            "tax can be read again. It was failing since 5 Jan 2026 09:00 UTC (unavailable).",
        ),
        (
            "source.failing",
            {
                "reason": "relink_needed",
                "since": "2026-01-05T09:00:00Z",
                "error": "The connector has to be linked again.",
            },
            "The data of tax is not kept up since 5 Jan 2026 09:00 UTC: The connector has to be linked again.",
        ),
        (
            "source.recovered",
            {"since": "2026-01-05T09:00:00Z", "reason": "relink_needed", "noticed": "relink_needed"},
            "tax is kept up again. It was failing since 5 Jan 2026 09:00 UTC (relink_needed).",
        ),
        (
            "source.credentials_rejected",
            {"error": "401"},
            "tax refuses our credentials: 401. It is left alone for 15 minutes.",
        ),
        (
            "source.credentials_expiring",
            {"expires_at": "2026-01-09T09:00:00Z"},
            "The credentials of tax end on 9 Jan 2026 09:00 UTC. Renew them before.",
        ),
        (
            "source.credentials_expiring",
            {"expires_at": "2026-01-05T09:00:00Z", "rung": "expired"},
            "The credentials of tax ended on 5 Jan 2026 09:00 UTC. Put new ones into the config.",
        ),
        ("source.stale", {"since": "2026-01-05T09:00:00Z"}, "No complete scan of tax since 5 Jan 2026 09:00 UTC."),
        (
            "source.recovered",
            {"was": "stale", "since": "2026-01-05T09:00:00Z", "reason": None},
            "tax can be read again. It was stale since 5 Jan 2026 09:00 UTC.",
        ),
        (
            "source.schema_drift",
            {"what": "new_field", "kind": "job", "field": "pay.bonus", "was": None, "now": "number"},
            "tax sends a field it did not send before: job pay.bonus (number).",
        ),
        (
            "source.schema_drift",
            {"what": "vanished_field", "kind": "job", "field": "pay", "was": "object", "now": None},
            "tax no longer sends a field that it always sent: job pay (object).",
        ),
        (
            "source.schema_drift",
            {"what": "changed_type", "kind": "job", "field": "pay", "was": "number", "now": "string"},
            "tax sends job pay as string; it was number.",
        ),
        (
            "source.schema_drift",
            {
                "what": "unreadable_date",
                "kind": "contract",
                "field": "end_date",
                "value": "31/12/2026",
                "keys": ["tax/contract/9"],
            },
            "tax sends contract end_date as 31/12/2026, which is no date: tax/contract/9. Its deadline is not told.",
        ),
        (
            "source.schema_drift",
            {"kind": "job", "state": "PAUSED"},
            "tax sent something that its provider does not document: job state PAUSED. It is told like any other.",
        ),
        (
            "source.removals_held",
            {"missing": 90},
            (
                "90 known items of tax went missing at once, too many to be believed. Nothing was told. "
                "Decide with: jobwire removals list tax"
            ),
        ),
        ("target.failing", {"failures": 3, "error": "timeout"}, "3 attempts to reach target tax failed: timeout."),
        (
            "target.failing",
            {"failures": 1, "error": "too many", "until": "2026-01-05T09:00:00Z", "waiting": 30},
            "target tax is sent nothing until 5 Jan 2026 09:00 UTC: too many. 30 messages waiting.",
        ),
        ("target.recovered", {}, "target tax takes messages again."),
        (
            "target.exhausted",
            {"events": ["evt_1", "evt_2"], "attempts": 12},
            "target tax did not get 2 events: given up after 12 attempts.",
        ),
        (
            "target.disabled",
            {"error": "answered 410 Gone"},
            "target tax gets nothing any more: answered 410 Gone. Once repaired: jobwire target enable tax",
        ),
        ("source.invented", {"a": 1}, "source tax: invented (a: 1)."),
    ],
)
def test_news_about_the_monitor_says_what_why_and_what_to_do(what: str, details: dict[str, Any], sentence: str) -> None:
    """Sources and targets are told of as well as resources; an unknown event shows its details."""
    subject = f"{what.partition('.')[0]}/tax"
    assert told(stored(f"jobwire.{what}", subject, details=details))[1] == sentence


def test_a_test_message_says_so() -> None:
    """`send-test` cannot be taken for news."""
    assert "test message" in told(stored("jobwire.test", "target/oncall"))[1]


def test_tones_follow_what_happened() -> None:
    """Failures are loud, warnings come before, good ends are green, the rest is news."""
    tones = {
        "devrev.job.failed": Tone.CRITICAL,
        "worklayer.job.deadline_missed": Tone.CRITICAL,
        "driver_jobs.contract.expiring": Tone.WARNING,
        "devrev.job.completed": Tone.GOOD,
        "worklayer.job.claimed": Tone.NEWS,
        "jobwire.source.failing": Tone.CRITICAL,
        "jobwire.target.failing": Tone.WARNING,
        "jobwire.source.recovered": Tone.GOOD,
    }
    for type_, tone in tones.items():
        subject = f"{type_.split('.')[1]}/1"
        assert tell(read(stored(type_, subject, state={"before": "a", "after": "b"}))).tone is tone, type_


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'{"data": 1, "type": null}', b'{"data": {"resource": []}}'])
def test_an_odd_event_is_told_as_well_as_can_be(body: bytes) -> None:
    """Nothing that was stored can make the telling fail."""
    assert told(body)[1]


def test_days_spans_and_values_read_as_people_say_them() -> None:
    """Small words, checked at their edges."""
    assert [days(left) for left in (14, 1, 0, -1, -3, None)] == [
        "in 14 days",
        "tomorrow",
        "today",
        "yesterday",
        "3 days ago",
        "",
    ]
    spans = [span(seconds) for seconds in (1, 89, 90, 3600, 5400, 86400, 172800, 259200, None)]
    assert spans == [
        "1 second",
        "89 seconds",
        "2 minutes",
        "60 minutes",
        "2 hours",
        "24 hours",
        "2 days",
        "3 days",
        "",
    ]
    assert [said(value) for value in (None, "", True, 1.5, ["a"], {"b": 2})] == [
        "–",
        "–",
        "yes",
        "1.5",
        '["a"]',
        '{"b":2}',
    ]
    assert [day("2025-12-20"), day("soon"), day(None)] == ["20 Dec 2025", "soon", "–"]
