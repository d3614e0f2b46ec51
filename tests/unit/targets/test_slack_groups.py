"""Groups of conditions as Slack messages: how they read, and that they fit whatever a provider writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from monitor.conditions import Acknowledgement, Snooze, Status
from monitor.grouping.message import Group, Member, News, Reason
from monitor.simulator.slack_rules import check
from monitor.simulator.slack_text import lines_of, live_in, mentions
from monitor.targets.slack_actions import ACKNOWLEDGE, SNOOZE, wish
from monitor.targets.slack_groups import parent, reply
from monitor.targets.slack_lines import headline
from monitor.targets.telling import read
from tests.unit.targets.events import CLAIMED, stored
from tests.unit.targets.groups import NOW, member, message

PINGS = "<!channel> <!here> <!everyone> <@U012ABC> <!subteam^S012ABC> @here _x_ :tada: `c`"
FAILED = stored("devrev.job.failed", title="Import of users", source="dev", state_now="failed", id="evt_failed")


def group(*members: Member, **options: Any) -> Group:
    """A group of these members."""
    made = message(members, **options).group
    assert made is not None
    return made


def test_an_open_condition_reads_from_the_headline_to_the_rule() -> None:
    """What it is, since when, what to do, and where it comes from."""
    assert lines_of(parent(group(member()), clicks=True)) == [
        "🟠 Open: Contract of Tony Stark at ACME: ends in 14 days",
        "Contract of Tony Stark at ACME ends in 14 days, on 20 Dec 2025. Since 5 Jan 2026 09:25 UTC.",
        "  Severity: warning",
        "  State: active",
        "  Ends: 20 Dec 2025",
        "  Source: driver_jobs / uk-drivers",
        "[Acknowledge] [Snooze]",
        "  driver_jobs.contract.expiring · rung 14d · route routes[0] · evt_4kq7aaaa",
    ]


def test_since_when_is_said_once() -> None:
    """Where the sentence says it no second time; what ends without a full stop is not run into."""
    moved = {"before": "queued", "after": "failed"}
    failed = stored("devrev.job.failed", title="Import", occurred_at="2026-01-05T09:25:00Z", state=moved)
    assert lines_of(parent(group(member(failed)), clicks=False))[1] == (
        "Job Import went from queued to failed at 5 Jan 2026 09:25 UTC."
    )
    again = parent(group(member(failed, news=News.SAME), reason=Reason.REPEAT), clicks=False)
    assert lines_of(again)[1].endswith("failed at 5 Jan 2026 09:25 UTC. Since 5 Jan 2026 09:25 UTC.")
    stuck = stored("worklayer.job.stuck", state_now="UNCLAIMED", details={"since": "2026-01-04T09:00:00Z"})
    late = parent(group(member(stuck, news=News.SAME), reason=Reason.REPEAT), clicks=False)
    assert late["text"].endswith("stuck in UNCLAIMED · tax · since 4 Jan 09:00 UTC")
    assert lines_of(late)[1] == "Job Tony Stark | 2021 | 1040 has been UNCLAIMED since 4 Jan 2026 09:00 UTC."
    stopped = stored("jobwire.target.disabled", "target/hook", details={"reason": "asked", "error": "is_archived"})
    assert lines_of(parent(group(member(stopped)), clicks=False))[0] == "🟠 Open: target hook is disabled"
    assert "jobwire target enable hook · Since" in lines_of(parent(group(member(stopped)), clicks=False))[1]


def test_what_is_over_shows_no_fields_that_were_so() -> None:
    """How long it lasted first; its state and dates are those of before it ended."""
    made = lines_of(parent(group(member(status=Status.RESOLVED, ended_by="it is gone")), clicks=False))
    assert made[1] == ("Contract of Tony Stark at ACME. Over after 5 minutes: it is gone. It was: ends on 20 Dec 2025.")
    assert made[2:-1] == ["  Severity: warning", "  Source: driver_jobs / uk-drivers"]


def test_who_has_it_is_shown_and_the_button_is_gone() -> None:
    """After an acknowledgement only a snooze is left to do."""
    taken = Acknowledgement(by="Dana", at=NOW, revision=1)
    made = parent(group(member(status=Status.ACKNOWLEDGED, acknowledgement=taken)), clicks=True)
    read_out = "\n".join(lines_of(made))
    assert made["text"].startswith("🟡 Acknowledged: Contract of Tony Stark")
    assert "Acknowledged by Dana at" in read_out
    assert "Owner: Dana" in read_out
    assert "[Acknowledge]" not in read_out
    assert "[Snooze]" in read_out


def test_a_snooze_says_until_when() -> None:
    """Until a time, or until it changes."""
    for until, words in ((NOW + timedelta(hours=4), "until 5 Jan 2026 13:30"), (None, "until it changes")):
        snooze = Snooze(by="Dana", at=NOW, event="evt_4kq7aaaa", until=until)
        made = parent(group(member(status=Status.SNOOZED, snooze=snooze)), clicks=True)
        assert words in "\n".join(lines_of(made))


def test_a_long_title_is_cut_and_not_who_has_it_until_when() -> None:
    """However much of what a provider writes has to be escaped."""
    long = stored("devrev.job.failed", title="*Import* of_users_ " * 40, state_now="failed * " * 40)
    snooze = Snooze(by="u0elisabeth", at=NOW, event="evt_4kq7aaaa", until=NOW + timedelta(hours=4))
    put_off = member(long, status=Status.SNOOZED, snooze=snooze)
    for members in ([put_off], [put_off, member()]):
        read_out = "\n".join(lines_of(parent(group(*members), clicks=False)))
        assert "Snoozed by u0elisabeth until 5 Jan 2026 13:30 UTC." in read_out


def test_the_end_says_how_long_it_lasted_and_who_acted() -> None:
    """And there is nothing left to press."""
    taken = Acknowledgement(by="Dana", at=NOW, revision=1)
    over = member(status=Status.RESOLVED, acknowledgement=taken, ended_by="it left the state")
    made = parent(group(over, reason=Reason.ALL_RESOLVED), clicks=True)
    read_out = "\n".join(lines_of(made))
    assert made["text"].startswith("🟢 Resolved: Contract of Tony Stark")
    assert "Over after 5 minutes, acknowledged by Dana: it left the state." in read_out
    assert "[Acknowledge]" not in read_out


def test_the_last_who_acted_is_named() -> None:
    """One has it and another puts it off: that one is the owner, and of what is over both are told."""
    acted: dict[str, Any] = {
        "acknowledgement": Acknowledgement(by="ann", at=NOW, revision=1),
        "snooze": Snooze(by="bob", at=NOW + timedelta(minutes=1), event="evt_4kq7aaaa"),
    }
    put_off = lines_of(parent(group(member(status=Status.SNOOZED, **acted)), clicks=True))
    assert "  Owner: bob" in put_off
    over = lines_of(parent(group(member(status=Status.RESOLVED, **acted)), clicks=True))
    assert "Over after 5 minutes, acknowledged by ann, snoozed by bob." in over[1]
    acted["snooze"] = Snooze(by="ann", at=NOW, event="evt_4kq7aaaa")
    alone = lines_of(parent(group(member(status=Status.RESOLVED, **acted)), clicks=True))
    assert "Over after 5 minutes, acknowledged and snoozed by ann." in alone[1]


def test_a_reminder_counts_no_days_that_have_passed_since() -> None:
    """Told again weeks later, 14 days are not 14 any more: the date is; so after the end of a silence."""
    again = parent(group(member(news=News.SAME), reason=Reason.REPEAT), clicks=False)
    back = parent(group(member(news=News.NEW), reason=Reason.SILENCE_ENDED), clicks=False)
    assert again["text"].startswith("🟠 Open: Contract of Tony Stark at ACME: ends on 20 Dec 2025")
    for made in (again, back):
        assert "14 days" not in "\n".join(lines_of(made))
        assert "Contract of Tony Stark at ACME ends on 20 Dec 2025." in "\n".join(lines_of(made))


def test_what_is_over_says_what_ended_it_and_a_reply_what_it_is_about() -> None:
    """On a phone there is one line: not `resolved, still active`, and not the reason alone."""
    over = member(status=Status.RESOLVED, ended_by="the state is expired now")
    assert headline(group(over)).startswith("🟢 Resolved: Contract of Tony Stark at ACME: the state is expired now")
    told = reply(group(member(news=News.WORSE), reason=Reason.WORSE), [], None)
    assert told is not None
    assert told["text"] == ("🟠 It got worse: Contract of Tony Stark at ACME: ends in 14 days · since 5 Jan 09:25 UTC")


def test_the_line_for_phones_says_who_has_it_until_when_and_how_long_it_lasted() -> None:
    """Each state has its own ending, in the target's zone: nobody opens the app to learn whether somebody is on it."""
    taken = Acknowledgement(by="Dana", at=NOW, revision=1)
    snooze = Snooze(by="Dana", at=NOW, event="evt_4kq7aaaa", until=NOW + timedelta(hours=4))
    endings = [
        (member(), "· uk-drivers · since 5 Jan 09:25 UTC"),
        (member(status=Status.ACKNOWLEDGED, acknowledgement=taken), "· uk-drivers · by Dana"),
        (member(status=Status.SNOOZED, snooze=snooze), "· uk-drivers · by Dana, until 5 Jan 13:30 UTC"),
        (member(status=Status.RESOLVED), "· uk-drivers · after 5 minutes"),
    ]
    for one, ending in endings:
        assert headline(group(one)).endswith(ending)
    at_home = parent(group(member()), clicks=False, zone=ZoneInfo("Europe/Berlin"))
    assert at_home["text"].endswith("· since 5 Jan 10:25 CET")


def test_the_date_that_ended_something_is_shown_as_dates_are() -> None:
    """In the reader's zone in the message, in UTC on a phone, and not as the provider writes it."""
    moved = member(status=Status.RESOLVED, ended_by="the start is 2026-06-04T16:42:00+00:00 now")
    made = parent(group(moved), clicks=False)
    assert "the start is 4 Jun 2026 16:42 UTC now" in made["text"]
    assert "the start is <!date^1780591320^{date_short_pretty} {time}|" in str(made["blocks"])


def test_the_line_of_a_group_names_what_is_new_before_the_rest() -> None:
    """Names and what happened to them, the others counted, and since when the first is open."""
    failed = [
        member(stored("devrev.job.failed", f"job/{n}", f"Job {n}", state={"before": "queued", "after": "failed"}))
        for n in range(8)
    ]
    assert headline(group(*failed)) == (
        "🟠 8 conditions open: queued → failed: Job 0, Job 1, Job 2 and 5 more · since 5 Jan 09:25 UTC"
    )
    known = [replace(one, news=News.SAME) for one in failed]
    fresh = [member(severity="critical"), *known]
    assert headline(group(*fresh)) == (
        "🔴 Critical, 9 conditions open: Contract of Tony Stark at ACME: ends in 14 days · since 5 Jan 09:25 UTC"
    )
    ended = [*known, member(status=Status.RESOLVED, ended_by="it was renewed")]
    assert headline(group(*ended)) == ("🟠 8 of 9 open: resolved: Contract of Tony Stark at ACME: it was renewed")


def test_a_line_says_since_when_what_it_tells_is_so() -> None:
    """Not since when the oldest of the group is, which stands beside other news there."""
    old = replace(member(severity="critical", opened_at=NOW - timedelta(days=3)), news=News.SAME)
    late = member(FAILED, opened_at=NOW)
    assert headline(group(old, late)).endswith("Import of users: it changed · since 5 Jan 09:30 UTC")
    assert headline(group(replace(late, news=News.SAME), old)).endswith("· since 2 Jan 09:30 UTC")


def test_a_line_about_several_states_says_which_of_them_are_over() -> None:
    """What is resolved does not read as open because something else is."""
    over = member(FAILED, status=Status.RESOLVED, ended_by="the state is completed now")
    told = reply(group(member(), over, reason=Reason.CHANGED), [], None)
    assert told is not None
    assert told["text"] == (
        "🟠 Open: Contract of Tony Stark at ACME: ends in 14 days"
        " · resolved: Import of users: the state is completed now · since 5 Jan 09:25 UTC"
    )
    assert headline(group(over, replace(over, status=Status.EXPIRED))).endswith(
        "Import of users: the state is completed now · expired: Import of users: the state is completed now"
    )


def test_what_several_things_are_is_said_of_them() -> None:
    """`target tmpl and target appr are failing`, as people would say it."""
    failing = [
        member(stored("jobwire.target.failing", f"target/{name}", id=f"evt_{name}", source=name))
        for name in ("tmpl", "appr", "hook", "chat")
    ]
    assert "open: target tmpl and target appr are failing ·" in headline(group(*failing[:2]))
    assert "open: target tmpl, target appr, target hook and 1 more are failing ·" in headline(group(*failing))


def test_a_reply_about_occurrences_alone_names_them() -> None:
    """Not the reason, which is no news."""
    told = reply(group(member(news=News.SAME), reason=Reason.OCCURRED), [read(CLAIMED)], None)
    assert told is not None
    assert told["text"] == "🔵 Tony Stark | 2021 | 1040: UNCLAIMED → CLAIMED"


def test_a_group_names_the_first_event_and_counts_the_others() -> None:
    """To be looked up, as it is on the webhook."""
    failed = [member(stored("devrev.job.failed", id=f"evt_{n}")) for n in range(3)]
    assert "route routes[0] · evt_0 and 2 others" in lines_of(parent(group(*failed), clicks=False))[-1]


def test_several_are_listed_and_counted() -> None:
    """Open ones and ended ones, each with its state; ten at the most."""
    many = [member(stored("worklayer.job.failed", f"job/{n}", id=f"evt_{n}")) for n in range(14)]
    over = [member(FAILED, status=Status.RESOLVED)]
    made = parent(group(*many, *over), clicks=True)
    assert made["text"].startswith("🟠 14 of 15 open: it changed: Tony Stark | 2021 | 1040, ")
    assert "14 × worklayer.job.failed, 1 × devrev.job.failed" in lines_of(made)[-1]
    assert "… and 5 more" in "\n".join(lines_of(made))
    assert headline(group(*over, *over)) == "🟢 All 2 resolved: Import of users, Import of users"


def test_what_a_message_is_about_is_listed_before_the_rest() -> None:
    """The gravest and the newest of it first, then what is just over; what was known before has the room left."""
    known = [
        member(stored("worklayer.job.failed", f"job/{n}", f"Known {n}", id=f"evt_{n}"), news=News.SAME)
        for n in range(32)
    ]
    older, newer = (
        member(stored("worklayer.job.failed", title=name), changed_at=NOW + timedelta(minutes=n))
        for n, name in enumerate(("Older", "Newer"))
    )
    grave = member(stored("worklayer.job.failed", title="Grave"), severity="critical")
    over = member(FAILED, status=Status.RESOLVED)
    made = lines_of(parent(group(*known, grave, older, newer, over), clicks=False))
    named = [next((name for name in ("Grave", "Newer", "Older", "Import") if name in line), "") for line in made[1:6]]
    assert named == ["Grave", "Newer", "Older", "Import", ""]
    assert [line for line in made if "Known" in line] == made[5:11]
    assert "… and 26 more" in made[11]


def test_links_are_there_without_clicks() -> None:
    """Open and the runbook of the route's label; buttons that nobody would hear are not shown."""
    linked = member(stored("worklayer.job.failed", url="https://jobs.example/7"))
    made = parent(group(linked, labels={"runbook": "https://wiki.example/run"}), clicks=False)
    (actions,) = [block for block in made["blocks"] if block["type"] == "actions"]
    assert [one["url"] for one in actions["elements"]] == ["https://jobs.example/7", "https://wiki.example/run"]
    assert not [block for block in parent(group(member()), clicks=False)["blocks"] if block["type"] == "actions"]


def test_the_thread_has_what_is_new_and_the_mention_of_the_config() -> None:
    """An escalation mentions; what did not change is not told again."""
    same, worse = member(news=News.SAME), member(FAILED, news=News.WORSE)
    told = reply(group(same, worse, reason=Reason.WORSE), [], None)
    assert told is not None
    assert "Import of users" in "\n".join(lines_of(told))
    assert "Tony Stark" not in "\n".join(lines_of(told))
    assert reply(group(same, reason=Reason.CHANGED), [], None) is None

    loud = reply(group(member(), reason=Reason.ESCALATION), [], "<!subteam^S1>")
    assert loud is not None
    assert loud["text"].startswith("<!subteam^S1> ")
    assert set(mentions(loud)) == {"<!subteam^S1>"}


def test_a_reminder_tells_what_is_still_open() -> None:
    """With since when; what somebody has taken is not told again beside it."""
    taken = member(FAILED, news=News.SAME, status=Status.ACKNOWLEDGED)
    told = reply(group(member(news=News.SAME), taken, reason=Reason.REPEAT), [], None)
    assert told is not None
    assert "Import of users" not in "\n".join(lines_of(told))
    assert "Still open" in "\n".join(lines_of(told))
    assert "Open since" in "\n".join(lines_of(told))


def test_occurrences_beside_the_conditions_stand_in_the_thread() -> None:
    """They are news too."""
    told = reply(group(member(news=News.SAME), reason=Reason.OCCURRED), [read(CLAIMED)], None)
    assert told is not None
    assert "CLAIMED" in "\n".join(lines_of(told))


def test_flapping_is_said() -> None:
    """The fifth time in two hours is another message than the first."""
    assert "5th time in 2 h" in "\n".join(lines_of(parent(group(member(times=5)), clicks=False)))


def test_buttons_say_what_they_are_about() -> None:
    """A few by name; of many a click means those of the group that are open and no newer than what was shown."""
    few = group(member(), member(FAILED))
    (actions,) = [block for block in parent(few, clicks=True)["blocks"] if block["type"] == "actions"]
    ids = tuple(one.condition.id for one in few.members)
    found = wish(actions["elements"][0])
    assert found is not None
    assert (found.choice, found.conditions) == (None, ids)
    menu = actions["elements"][1]
    chosen = [wish({"action_id": SNOOZE, "selected_option": option}) for option in menu["options"]]
    assert [one.choice for one in chosen if one] == ["1h", "4h", "tomorrow", "change"]
    assert all(one.conditions == ids for one in chosen if one)
    events = [stored("worklayer.job.failed", f"job/{n}", id=f"evt_{n}") for n in range(9)]
    many = group(*(member(one, at=f"1763790000000-{n + 2}") for n, one in enumerate(events)))
    (actions,) = [block for block in parent(many, clicks=True)["blocks"] if block["type"] == "actions"]
    found = wish(actions["elements"][0])
    assert found is not None
    assert (found.conditions, found.group, found.newest) == ((), "routes[0]", "1763790000000-10")
    before = wish({"action_id": ACKNOWLEDGE, "value": "group:chat/routes[0]"})
    assert before is not None
    assert (before.group, before.newest) == ("chat/routes[0]", None)


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"action_id": "somebody_elses", "value": "x"},
        {"action_id": SNOOZE},
        {"action_id": SNOOZE, "selected_option": {"value": "forever cnd_1"}},
        {"action_id": SNOOZE, "selected_option": "1h"},
    ],
)
def test_other_clicks_are_not_ours(action: dict[str, Any]) -> None:
    """Nothing is done about them."""
    assert wish(action) is None
    assert wish({"action_id": ACKNOWLEDGE, "value": "cnd_1,cnd_2"}) is not None


TEXTS = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [
            PINGS,
            "x" * 100_000,
            "\u202egnol",
            "*_~`" * 300,
            "👩‍👩‍👧" * 200,
            "]]>|<https://x|y>",
            "\x00\x1b[2J",
            "_x_ :tada: `c`",
        ]
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(title=TEXTS, who=TEXTS, comment=TEXTS, many=st.integers(1, 14), status=st.sampled_from(list(Status)))
def test_a22_any_text_of_a_provider_fits_and_pings_nobody(
    title: str, who: str, comment: str, many: int, status: Status
) -> None:
    """A22: every limit of Slack holds, in the message, its edit and its thread; nothing in them mentions anyone."""
    event = stored("worklayer.job.failed", title=title, state_now=title[:50], fields={"a": title}, url=title)
    taken = Acknowledgement(by=who, at=NOW, revision=1, comment=comment)
    one = member(event, status=status, acknowledgement=taken, ended_by=comment or None, times=3)
    made = group(*[one] * many, labels={"runbook": who}, reason=Reason.REPEAT)
    for payload in (
        parent(made, clicks=True, before="https://slack.com/archives/C/p1"),
        reply(made, [read(event)], None),
    ):
        if payload is not None:
            assert check(payload) is None
            assert check(payload, edit=True) is None
            assert mentions(payload) == []
            assert [one for one in live_in(payload) if not (one[0] == one[-1] == "*")] == []
    assert len(headline(made)) <= 400


@pytest.mark.parametrize("many", [1, 12])
@pytest.mark.parametrize("status", list(Status))
def test_slacks_own_models_find_nothing_wrong(many: int, status: Status) -> None:
    """The SDK's validators judge every block of a message and of its thread."""
    linked = stored("worklayer.job.failed", url="https://jobs.example/7", state_now="FAILED", title="x" * 5_000)
    made = group(*[member(linked, status=status, times=6)] * many, labels={"runbook": "https://wiki.example/run"})
    for payload in (
        parent(made, clicks=True, before="https://slack.com/archives/C/p1"),
        reply(made, [read(CLAIMED)], None),
    ):
        for block in payload["blocks"] if payload else ():
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.validate_json()
