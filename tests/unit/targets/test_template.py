"""Messages in a shape of the operator's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook as Verifier

from monitor.conditions import Status
from monitor.exchange import Request
from monitor.grouping.message import Reason
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Target, Verdict
from tests.drive import drive, reply
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import NOW, member, message

URL = "https://chat.example/hooks/secret-path"


def target(body: Any, **options: Any) -> Target:
    """A template target with this body."""
    plugin = TARGETS["template"]
    return plugin.build(
        "chat", plugin.options.model_validate({"type": "template", "url": URL, "body": body, **options})
    )


def attempt(message: Message, body: Any, **options: Any) -> tuple[Request, Outcome]:
    """The one request of an attempt, and what became of it."""
    done = drive(target(body, **options).send(message), lambda request: reply(status=204))
    assert isinstance(done.result, Outcome)
    return done.requests[0], done.result


def sent(message: Message, body: Any, **options: Any) -> Any:
    """The body of an attempt as JSON."""
    return json.loads(attempt(message, body, **options)[0].body or b"")


def test_texts_of_a_tree_are_templates_and_all_else_stays() -> None:
    """What a text renders to is quoted as JSON needs it, whatever the provider wrote."""
    title = 'a "quoted" \\ title </script>'
    nasty = stored("worklayer.job.claimed", title=title, state={"before": "A", "after": "B"})
    body = {"content": "{{ title }}", "flags": [1, True, None], "embeds": [{"title": "{{ event.data.state.after }}"}]}
    assert sent(message([], nasty), body) == {
        "content": title,
        "flags": [1, True, None],
        "embeds": [{"title": "B"}],
    }


def test_a_text_is_a_template_as_a_whole() -> None:
    """For receivers that take something else than JSON, or a tree that depends on the message."""
    body = '{"lines": [{% for one in lines %}{{ one.title | tojson }}{{ "," if not loop.last }}{% endfor %}]}'
    assert sent(message([], CLAIMED, stored("worklayer.job.created", title='"', id="evt_2")), body)["lines"][1] == '"'
    request, _ = attempt(message([], CLAIMED), "{{ severity }}: {{ title }}", content_type="text/plain")
    assert request.headers["content-type"] == "text/plain"
    assert request.body == b"info: Tony Stark | 2021 | 1040"


def test_conditions_have_their_state() -> None:
    """Open and over, each with what to call it."""
    body = {"text": "{% for one in conditions %}{{ one.status }} {{ one.key }} {% endfor %}{{ reason }}"}
    two = [member(), member(stored("worklayer.job.failed", id="evt_2"), status=Status.RESOLVED)]
    said = sent(message(two, EXPIRING, reason=Reason.SOME_RESOLVED), body)
    assert said["text"] == "open uk-drivers/contract/298 resolved tax/job/7 some resolved"


def test_what_is_missing_is_nothing() -> None:
    """A field that one provider has and another has not is no failure."""
    assert sent(message([], CLAIMED), {"a": "[{{ event.data.deadline.date }}{{ nobody.knows.this }}]"}) == {"a": "[]"}


def test_a_template_that_fails_still_tells() -> None:
    """A22: the message goes out in plain words where the template fails on this event alone."""
    body = {"content": "{{ 10 // event.data.revision }}"}
    zero = stored("worklayer.job.claimed", revision=0, state={"before": "UNCLAIMED", "after": "CLAIMED"})
    assert "Tony Stark" in sent(message([], zero), body)["content"]


@pytest.mark.parametrize(
    "template",
    [
        "{% macro a() %}{{ a() }}{% endmacro %}{% if event.data.revision == 0 %}{{ a() }}{% endif %}",
        "{{ 'x' * (10 ** 18 if event.data.revision == 0 else 1) }}",
        "{{ event.data.resource.fields.items(1) if event.data.revision == 0 }}",
        "{% include 'other' if event.data.revision == 0 else [] ignore missing %}{{ [][event.data.revision] + 1 }}",
        "{{ none.a.b() if event.data.revision == 0 }}",
    ],
)
def test_however_a_template_fails_the_message_goes_out(template: str) -> None:
    """Endless recursion, more memory than there is, wrong calls: plain words, not an attempt that breaks."""
    zero = stored("worklayer.job.claimed", revision=0, state={"before": "UNCLAIMED", "after": "CLAIMED"})
    assert "Tony Stark" in sent(message([], zero), {"content": template})["content"]


def test_a_whole_template_that_fails_gives_up_with_the_reason() -> None:
    """Nothing can stand in for a body of unknown shape; the delivery says why."""
    zero = stored("worklayer.job.claimed", revision=0)
    done = drive(target('{"n": {{ 10 // event.data.revision }}}').send(message([], zero)), lambda _: reply())
    assert isinstance(done.result, Outcome)
    assert (done.requests, done.result.verdict) == ([], Verdict.FAILED)
    assert "ZeroDivisionError" in (done.result.error or "")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"content": "{{ title"}, "body.content: not a template"),
        ([{"a": "{% for %}"}], "body[0].a: not a template"),
        ('{"text": {{ text }}}', "tojson"),
        ("{{ 1 // 0 }}", "ZeroDivisionError"),
    ],
)
def test_what_cannot_work_is_said_by_check(body: Any, words: str) -> None:
    """Before anything is sent: the place and the reason."""
    with pytest.raises(ValidationError) as caught:
        target(body)
    assert words in str(caught.value)


def test_templates_reach_nothing_but_values() -> None:
    """The sandbox refuses what leads into the process; the plain words go out instead."""
    for text in ("{{ ''.__class__.__mro__ }}", "{{ text.format.__globals__ }}"):
        said = sent(message([], CLAIMED), {"a": text})["a"]
        assert "class" not in said
        assert "globals" not in said


def test_texts_of_providers_are_bounded() -> None:
    """A hundred kilobytes of title do not become a message of that size."""
    huge = stored("worklayer.job.claimed", title="x" * 100_000, fields={"a": "y" * 100_000})
    said = sent(message([], huge), {"a": "{{ event.data.resource.fields.a }}", "b": "{{ title }}"})
    assert len(said["a"]) == 2_000
    assert said["a"].endswith("…")
    assert len(said["b"]) <= 200
    _, outcome = attempt(
        message([], *[stored("worklayer.job.claimed", id=f"e{n}") for n in range(3)]), {"a": "{{ text }}"}
    )
    assert outcome.verdict is Verdict.DELIVERED


def test_a_body_without_end_is_not_sent() -> None:
    """A loop in a template is the operator's mistake, and is said: by check where it is so over a sample as well."""
    big = "{% for a in range(99999 if event.data.revision == 7 else 1) %}{{ id }}{{ id }}{{ id }}{% endfor %}"
    with pytest.raises(ValidationError, match="bytes"):
        target({"a": big.replace("7", "2")})
    done = drive(target({"a": big}).send(message([], CLAIMED)), lambda _: reply())
    assert isinstance(done.result, Outcome)
    assert done.result.verdict is Verdict.FAILED
    assert "bytes" in (done.result.error or "")


def test_it_can_be_signed_like_a_webhook() -> None:
    """A library that is not ours finds it genuine."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    plain, _ = attempt(message([], CLAIMED), {"a": "{{ title }}"})
    assert "webhook-signature" not in plain.headers
    real_now = Message("evt_1", (CLAIMED,), 1, NOW)
    request, _ = attempt(real_now, {"a": "{{ title }}"}, secret=secret)
    stamp = int(request.headers["webhook-timestamp"])
    assert stamp == int(NOW.timestamp())
    expected = Verifier(secret).sign("evt_1", NOW, (request.body or b"").decode())
    assert request.headers["webhook-signature"] == expected


def test_its_address_is_its_host() -> None:
    """Paths of chat hooks are secrets."""
    assert target({"a": "b"}).address() == "https://chat.example"


def test_a_text_that_providers_could_break_out_of_is_refused_by_check() -> None:
    """Quotes in a title would end the value and begin another one; JSON has a filter for that."""
    for place in ("title", "event.data.resource.state", "event.data.key", "event.subject"):
        body = '{"text": "{{ ' + place + ' }}"}'
        with pytest.raises(ValidationError, match="quotes and line breaks in its texts this is no JSON"):
            target(body)
    target('{"text": {{ title | tojson }}}')
    target('{"text": "{{ title }}"}', content_type="text/plain")


def test_a_text_that_is_no_json_over_this_event_is_not_sent() -> None:
    """What check could not foresee: the delivery fails and says why, and the receiver gets nothing broken."""
    body = '{"n": {{ event.data.resource.fields.n or 0 }}}'
    odd = stored("worklayer.job.claimed", fields={"n": '1, "admin": true, "x": nothing'})
    done = drive(target(body).send(message([], odd)), lambda _: reply())
    assert isinstance(done.result, Outcome)
    assert (done.requests, done.result.verdict) == ([], Verdict.FAILED)
    assert "no JSON" in (done.result.error or "")


def test_many_large_events_are_sent_with_shorter_texts() -> None:
    """A group must not wait for ever because its whole events are megabytes."""
    fields = {f"field {n}": "x" * 1_500 for n in range(30)}
    events = [stored("worklayer.job.claimed", id=f"evt_{n}", fields=fields) for n in range(100)]
    made = sent(message([], *events), "{{ events | tojson }}")
    assert [one["id"] for one in made] == [f"evt_{n}" for n in range(100)]
    assert made[0]["data"]["resource"]["fields"]["field 1"] == "x" * 199 + "…"


def test_a_filter_keeps_chats_from_reading_mentions() -> None:
    """For receivers that take no word on whom a message may mention."""
    loud = stored("worklayer.job.claimed", title="@all ask tony@stark.example")
    assert sent(message([], loud), {"a": "{{ title | unping }}"})["a"] == "@\u2060all ask tony@stark.example"
