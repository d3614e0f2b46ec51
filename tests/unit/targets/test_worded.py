"""A catch-up message in plain words, for templates and the services of Apprise."""

from __future__ import annotations

from monitor.grouping.backlog import CatchUp
from monitor.targets.base import Message
from monitor.targets.lines import lines_of
from monitor.targets.rendering import compiled, context
from monitor.targets.worded import worded
from tests.unit.targets.groups import NOW
from tests.unit.targets.test_slack_catchup import told


def late(catch_up: CatchUp) -> Message:
    """The message that tells it."""
    return Message(catch_up.id, (), 1, NOW, "critical", catch_up=catch_up)


def test_it_says_how_late_names_the_worst_and_counts_the_rest() -> None:
    """Each on a line of its own, the headline apart."""
    message = late(told(waiting=60))
    words = worded(message, lines_of(message))
    assert words.title == "Catch-up: 37 open (3 critical), 212 events of 200 groups, up to 12 minutes late"
    lines = words.text.split("\n")
    assert lines[0].startswith("Told late. This channel was behind by 12 minutes: it asked for a pause")
    assert "ends on 20 Dec 2025" in lines[1]
    assert lines[4:] == [
        "More is open: 30 × driver_jobs.contract.expiring, 5 × devrev.job.failed",
        "More is over: 4 × devrev.job.failed",
        "It happened: 90 × worklayer.job.claimed",
        "60 groups more to follow. What changes from now on is told by itself (cat_1).",
    ]


def test_nothing_that_is_named_leaves_the_counts() -> None:
    """No empty line stands in their place."""
    message = late(told(named=(), still_open=0, critical=0, open={}, over={}))
    assert len(worded(message, lines_of(message)).text.split("\n")) == 3


def test_templates_see_its_numbers_and_no_event() -> None:
    """And what it names as conditions; a template that was written for events still renders."""
    message = late(told())
    seen = context(message)
    assert (seen["reason"], seen["severity"], seen["events"], seen["event"]) == ("catch-up", "critical", [], {})
    assert [one["status"] for one in seen["conditions"]] == ["open", "open", "resolved"]
    assert seen["catch_up"]["groups"] == 200
    assert seen["catch_up"]["open"] == {"driver_jobs.contract.expiring": 30, "devrev.job.failed": 5}
    body = compiled({"content": "{{ title }}", "key": "{{ event.data.key }}", "late": "{{ catch_up.late }}"})
    assert body.render(message) == {
        "content": "Catch-up: 37 open (3 critical), 212 events of 200 groups, up to 12 minutes late",
        "key": "",
        "late": "720",
    }
