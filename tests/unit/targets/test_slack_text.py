from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.simulator.slack_text import live, mentions
from monitor.simulator.slack_text import plain as read_out
from monitor.targets.slack_text import escape, link, moment, mrkdwn, plain, unlinked, width
from monitor.targets.telling import Moment, Strong
from monitor.targets.telling.cleaning import CUT, clean

ANY = st.text(st.characters(exclude_categories=()), max_size=400)


def test_only_the_three_signs_of_slack_become_entities() -> None:
    """& first, no other HTML, so that people read what the provider wrote."""
    assert escape("A & B <x> \"q\" 'r' é 🚚", 100) == "A &amp; B &lt;x&gt; \"q\" 'r' é 🚚"


@pytest.mark.parametrize(
    "token",
    ["<!channel>", "<!here>", "<!everyone|all>", "<@U012ABC>", "<!subteam^S012>", "<https://evil|good>", "<#C1>"],
)
def test_no_token_of_a_provider_survives(token: str) -> None:
    """What would ping, link or jump is text, in every place where text goes."""
    assert "<" not in escape(f"hello {token}", 200)
    assert mentions({"text": escape(token, 200)}) == []
    assert token not in plain(token, 200) or not token.startswith(("<!", "<@"))


def test_styles_and_control_characters_do_nothing() -> None:
    """Stars and backticks are shown, line breaks are spaces, what turns or hides text is dropped."""
    assert escape("a\nb\t\tc\r\nd\x00\x1b[31m\u202eevil\u2066", 100) == "a b c d[31mevil"
    assert escape("half \ud83d pair", 100) == "half \ufffd pair"
    assert escape("driver_jobs.contract snake_case_2 5 Jan 09:30 {'a': 1}", 100) == (
        "driver_jobs.contract snake_case_2 5 Jan 09:30 {'a': 1}"
    )


MARKED = [
    *("_x_", "*x*", "~x~", "`x`", "```x```", "> quote", ":tada:", ":+1::skin-tone-2:", "＊x＊ ＿x＿ ｀x｀", "＞ wide"),
    *(
        "__init__",
        "*_both_*",
        "a *b* c_ _d",
        "(_x_)",
        "日_x_本",
        "09:100:15",
        ">>> all",
        "_a *b_ c*",
        ":a:b:c:",
        "é_x_é",
    ),
]


@pytest.mark.parametrize("text", MARKED)
def test_marks_of_a_provider_are_text(text: str) -> None:
    """No style, quote or emoji; it reads as it was written, and what is live alone is dead between our own marks."""
    assert live(escape(text, 200)) == []
    assert read_out(escape(text, 200)) == text
    assert live(f"*{escape(text, 200)}*") == [f"*{escape(text, 200)}*"]
    assert live("x https://x.example y") == []


@given(st.text(st.sampled_from("*_~`:>＊＿｀ \u200bab1.日"), max_size=30))
def test_no_mixture_of_marks_is_live(text: str) -> None:
    """Whatever stands beside them; so too where it is cut."""
    assert live(escape(text, 200)) == []
    assert read_out(escape(text, 200)) == clean(text, 200)
    assert live(escape(text, 9)) == []
    assert live(f"x: {escape(text, 200)}: {escape(text, 200)}") == []


@pytest.mark.parametrize(
    "text",
    ["https://evil.example/x", "www.evil.example", "me@evil.example", "mailto:me", "tel:+4912", "evil.example/x"],
)
def test_addresses_in_bare_text_are_no_links(text: str) -> None:
    """A webhook's text has no switch for that; tokens of ours are left as they are."""
    assert live(text, verbatim=False) != []
    made = unlinked(f"<!here> see {escape(text, 100)}, <https://x.example/a.b|x>")
    assert live(made, verbatim=False) == []
    assert made.startswith("<!here> see ")
    assert made.endswith(", <https://x.example/a.b|x>")


@given(ANY, st.integers(1, 300))
def test_text_keeps_its_limit_as_slack_counts(text: str, limit: int) -> None:
    """Whatever comes in, no entity or pair is cut in two and the count of characters holds."""
    for made in (escape(text, limit), plain(text, limit)):
        assert width(made) <= limit
        made.encode()
    rest = escape(text, limit).replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert not set("&<>") & set(rest)


def test_a_cut_is_visible() -> None:
    """100 kB of text ends in a mark."""
    for made in (escape("x" * 100_000, 50), plain("x" * 100_000, 50)):
        assert made == "x" * 49 + CUT
    assert escape("&" * 20, 11) == "&amp;&amp;" + CUT


def test_links_are_made_of_plain_addresses_only() -> None:
    """Pipes leave the label, and an address that could break out of the token is not linked."""
    assert link("https://x.example/a?b=1&c=2", "A | B") == "<https://x.example/a?b=1&amp;c=2|A │ B>"
    for url in (None, "javascript:alert(1)", "https://x/|>", "https://x/ y", "ftp://x", "https://x/<!here>"):
        assert link(url, "label") == "label"


def test_instants_are_shown_in_the_readers_zone_with_a_fallback_in_utc() -> None:
    """A date token; what is no instant, or one that no clock shows, is text."""
    assert moment("2026-01-05T10:30:00+01:00") == "<!date^1767605400^{date_short_pretty} {time}|5 Jan 2026 09:30 UTC>"
    assert read_out(moment("0001-01-01T00:00:00Z")) == "0001-01-01T00:00:00Z"
    assert moment("<!here>") == "&lt;!here&gt;"


@given(
    st.lists(
        st.one_of(
            ANY, ANY.map(Strong), ANY.map(Moment), st.datetimes().map(lambda at: Moment(f"{at:%Y-%m-%dT%H:%M:%SZ}"))
        )
    ),
    st.integers(1, 400),
)
def test_a_sentence_keeps_its_limit_and_never_pings(parts: list[str | Strong | Moment], limit: int) -> None:
    """Bold, links and dates are whole or absent, and the limit holds."""
    made = mrkdwn(parts, limit, "https://x.example/a")
    assert width(made) <= limit
    assert mentions({"text": made}) == []
    assert made.count("<") == made.count(">")


def test_the_first_strong_part_carries_the_link_if_there_is_room() -> None:
    """The name of the resource is what people click."""
    parts = ("Job ", Strong("A"), " and ", Strong("B"))
    assert mrkdwn(parts, 200, "https://x.example/a") == "Job *<https://x.example/a|A>* and *B*"
    assert mrkdwn(parts, 40, "https://x.example/a") == "Job *A* and *B*"
