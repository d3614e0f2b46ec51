from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.simulator.slack_rules import check
from monitor.simulator.slack_text import lines_of, live_in, mentions
from monitor.targets.slack_blocks import message, text_only
from monitor.targets.telling import read
from tests.unit.targets.events import CLAIMED, EXPIRING, stored

NOW = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)
PINGS = "<!channel> <!here> <!everyone> <@U012ABC> <!subteam^S012ABC> @here"


def render(*bodies: bytes, now: datetime = NOW) -> dict[str, Any]:
    """The message about these events."""
    return message([read(body) for body in bodies], now)


def test_the_text_stands_alone_on_a_phone() -> None:
    """Sign and word, object, old state to new, source, in one line under 150 characters."""
    assert render(CLAIMED)["text"] == "🔵 Tony Stark | 2021 | 1040: UNCLAIMED → CLAIMED · tax"
    assert render(EXPIRING)["text"] == "🟠 Warning: Contract of Tony Stark at ACME: ends in 14 days · uk-drivers"


def test_a_message_reads_from_the_headline_to_the_event_id() -> None:
    """Header, sentence, fields, and type, source and id as on the webhook."""
    assert lines_of(render(EXPIRING)) == [
        "🟠 Contract of Tony Stark at ACME: ends in 14 days",
        "Contract of Tony Stark at ACME ends in 14 days, on 20 Dec 2025.",
        "  State: active",
        "  Ends: 20 Dec 2025",
        "  Source: driver_jobs / uk-drivers",
        "  driver_jobs.contract.expiring · rung 14d · uk-drivers · evt_4kq7aaaa",
    ]


def test_instants_in_blocks_are_date_tokens_and_in_the_text_there_are_none() -> None:
    """The reader's zone where Slack resolves it, plain words where a phone shows them raw."""
    made = render(CLAIMED)
    assert "<!date^1767605380^" in made["blocks"][1]["text"]["text"]
    assert "<" not in made["text"]


def test_at_most_six_fields_and_the_rest_is_counted() -> None:
    """Ten changes are four, a count and the source."""
    changes = [{"field": f"field_{n}", "before": n, "after": [n]} for n in range(10)]
    fields = render(stored("worklayer.job.updated", changes=changes))["blocks"][1]["fields"]
    assert len(fields) == 6
    assert fields[0]["text"] == "*Field 0*\n0 → 0"
    assert fields[4]["text"] == "*And*\n6 more changes"


def test_a_group_lists_ten_and_counts_the_rest() -> None:
    """The loudest are among the ten, all in the order they happened."""
    quiet = [stored("worklayer.job.created", title=f"Job {n}", id=f"evt_{n}") for n in range(14)]
    loud = stored("devrev.job.failed", title="Upgrade", state={"before": "in_progress", "after": "failed"})
    made = render(*quiet, loud)
    lines = lines_of(made)
    assert made["text"] == (
        "🔴 Critical: 15 events from tax: Upgrade: in_progress → failed; Job 0: new; Job 1: new and 12 more"
    )
    assert lines[0] == "🔴 Critical: 15 events from tax"
    assert lines[1].startswith("🔵 Job 0 is new")
    assert lines[10].startswith("🔴 Job Upgrade went from in_progress to failed")
    assert lines[11] == "… and 5 more"
    assert lines[12] == "  14 × worklayer.job.created, 1 × devrev.job.failed · evt_0 and 14 others"


def test_the_severity_of_the_route_colours_the_headline() -> None:
    """An operator's word outranks ours, but a good end stays good."""
    facts, good = read(CLAIMED), read(stored("devrev.job.completed", state={"before": "a", "after": "completed"}))
    assert message([facts], NOW, "critical")["text"].startswith("🔴 Critical: Tony Stark")
    assert message([facts], NOW, "warning")["text"].startswith("🟠 Warning: Tony Stark")
    assert message([read(EXPIRING)], NOW, "info")["text"].startswith("🔵 Contract")
    assert message([good], NOW, "critical")["text"].startswith("🟢 ")
    assert message([facts, good], NOW, "critical")["text"].startswith("🔴 Critical: 2 events")


def test_a_late_message_says_how_late_it_is() -> None:
    """Told hours after it was seen, a message must not look like news of this minute."""
    assert "delivered 3 hours after it was seen" in lines_of(render(CLAIMED, now=NOW + timedelta(hours=3)))[-1]
    assert "delivered" not in lines_of(render(CLAIMED))[-1]
    assert render(CLAIMED, now=NOW + timedelta(hours=3))["text"].endswith("· tax · 3 hours late")


def test_the_route_and_the_ids_of_events_are_at_the_foot() -> None:
    """What came by which rule and route, to be looked up: the id of one, the first and the number of several."""
    one = message([read(EXPIRING)], NOW, None, "drivers")
    assert lines_of(one)[-1] == "  driver_jobs.contract.expiring · rung 14d · route drivers · evt_4kq7aaaa"
    both = message([read(CLAIMED), read(stored("worklayer.job.created", id="evt_b"))], NOW, None, "routes[0]")
    assert lines_of(both)[-1].endswith(" · route routes[0] · evt_4kq7aaaa and 1 other")


def test_the_same_thing_of_several_is_said_once() -> None:
    """A phone has room for names, not for one move told three times."""
    claimed = [
        stored("worklayer.job.claimed", title=f"Job {n}", state={"before": "UNCLAIMED", "after": "CLAIMED"})
        for n in range(5)
    ]
    assert render(*claimed)["text"] == "🔵 5 events from tax: UNCLAIMED → CLAIMED: Job 0, Job 1, Job 2 and 2 more"


def test_titles_link_to_the_object() -> None:
    """One click from the message to the thing."""
    body = stored("worklayer.job.created", url="https://x.example/a?b=c&d=1")
    assert "*<https://x.example/a?b=c&amp;d=1|Tony Stark │ 2021 │ 1040>*" in render(body)["blocks"][1]["text"]["text"]


def test_the_plain_form_has_no_blocks_and_says_the_same() -> None:
    """The last resort when Slack refuses blocks: short text with the headline first."""
    facts = [read(CLAIMED)] * 12
    plain = text_only(message(facts, NOW), facts)
    assert set(plain) == {"text"}
    lines = plain["text"].split("\n")
    assert lines[1].startswith("• Job Tony Stark | 2021 | 1040 went from UNCLAIMED to CLAIMED")
    assert lines[-1] == "… and 2 more"


ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(lambda text: text + PINGS)
LONG = (
    st.sampled_from(["", "x", "&", "<!here>", "🚚", "\u202e", "a ", "*_`~"])
    .map(lambda text: text * 100_000)
    .map(lambda text: text[:100_000])
)
TEXT = st.one_of(ANY, LONG)
VALUE = st.one_of(TEXT, st.none(), st.integers(), st.lists(ANY, max_size=3), st.dictionaries(ANY, ANY, max_size=2))
WHAT = st.sampled_from(
    [
        *("created", "removed", "restored", "updated", "claimed", "job.stuck", "job.retried"),
        *("contract.expiring", "contract.overdue", "contract.renewal_offered"),
        *("interview.upcoming", "interview.overdue", "interview.rescheduled", "interview.amended"),
        *("job.deadline_missed", "job.deadline_approaching"),
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Any event of any family, with any text in every place a provider fills."""
    kind, _, what = draw(WHAT).rpartition(".")
    state = {"before": draw(VALUE), "after": draw(VALUE)}
    changes = [
        {"field": draw(TEXT), "before": draw(VALUE), "after": draw(VALUE)} for _ in range(draw(st.integers(0, 8)))
    ]
    return stored(
        f"{draw(st.sampled_from(['driver_jobs', 'devrev']))}.{kind or 'job'}.{what}",
        f"{kind or 'job'}/{draw(ANY)}",
        draw(TEXT),
        source=draw(TEXT),
        state_now=draw(VALUE),
        state=draw(st.sampled_from([None, state])),
        url=draw(st.one_of(st.none(), TEXT, TEXT.map(lambda text: f"https://x.example/{text}"))),
        changes=changes,
        deadline=draw(st.sampled_from([None, {"date": draw(VALUE), "at": draw(VALUE), "days_left": draw(VALUE)}])),
        fields={"kind": draw(VALUE), "location": draw(VALUE), "amended_by": draw(VALUE), "retry_count": draw(VALUE)},
        related=[{"title": draw(VALUE), "fields": {"start_date": draw(VALUE), "end_date": draw(VALUE)}}],
        occurred_at=draw(st.sampled_from([None, "2026-01-05T09:29:40Z", draw(TEXT)])),
    )


BOLD = re.compile(r"\*[^*]*(?:\u034f[*]\u034f[^*]*)*\*")
"""The one mark that is ours; a star of a provider in it is dead."""


def inside_every_limit(made: dict[str, Any]) -> None:
    """The rules of an independent look-alike, and our own stricter budget."""
    assert check(made) is None
    assert mentions(made) == []
    assert [one for one in live_in(made) if not BOLD.fullmatch(one)] == []
    assert len(made["text"]) <= 4000
    assert made["text"].strip()
    assert "\n" not in made["text"] or "blocks" not in made
    texts = json.dumps(made, ensure_ascii=False)
    assert len(texts) <= 12_000
    assert not any(ping in texts for ping in PINGS.split()[:5])


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(st.lists(bodies(), min_size=1, max_size=3), st.integers(1, 8))
def test_a22_any_text_gives_a_valid_message_that_pings_nobody(events: list[bytes], times: int) -> None:
    """Up to 100 kB of anything in any field, alone or in a group: inside every limit, no mention, never a failure."""
    facts = [read(body) for body in events] * times
    made = message(facts, NOW)
    inside_every_limit(made)
    inside_every_limit(text_only(made, facts) | {"parse": "none"})


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("title", ["_x_ *y* ~z~ `q`", "> quote :tada: ＊w＊", "see https://x.example or a@b.example"])
def test_titles_read_as_the_provider_wrote_them(title: str, number: int) -> None:
    """No style, quote, link or emoji, in blocks and without them, on the phone and in each line."""
    body = stored("worklayer.job.updated", title=title, changes=[{"field": title, "before": title, "after": title}])
    made, facts = render(*[body] * number), [read(body)] * number
    read_out = lines_of(made)
    assert len([line for line in read_out if f"{title} changed:" in line]) == number
    if number == 1:
        assert read_out[0].startswith(f"🔵 {title}: ")
        assert f"{title} → {title}" in "\n".join(read_out)
    assert title in lines_of({"text": made["text"]})[0] or number > 1
    assert title in "\n".join(lines_of(text_only(made, facts)))
    for payload in (made, text_only(made, facts) | {"parse": "none"}):
        assert [one for one in live_in(payload) if not BOLD.fullmatch(one)] == []


@pytest.mark.parametrize("number", [1, 2, 10, 11, 100])
def test_the_largest_message_stays_inside_every_limit(number: int) -> None:
    """All parts at their longest at once, in groups of any size."""
    huge = "<!channel>&*`" * 8_000
    changes = [{"field": huge, "before": huge, "after": huge}] * 10
    body = stored(
        f"worklayer.job.{'x' * 200}",
        title=huge,
        state={"before": huge, "after": huge},
        changes=changes,
        url="https://x.example/" + "y" * 100,
    )
    inside_every_limit(render(*[body] * number, now=NOW + timedelta(days=2)))
