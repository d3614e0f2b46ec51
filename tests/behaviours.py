"""The behaviours this product is held to, by number, and the tests that show them: writes tests/behaviours.md.

A test shows a behaviour when its docstring begins with the number (`P9: a source's first scan ...`). Run
`.venv/bin/python -m tests.behaviours` after adding one; a test fails when the page and the tests differ.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS / "behaviours.md"
_NUMBER = re.compile(r"\b([PWA])(\d{1,2})\b")
_NAME = re.compile(r"^test_((?:[pwa]\d{1,2}_)+)")
_HEAD = re.compile(r"^((?:[PWA]\d{1,2}(?:, | and |-)?)+)[:.]")

POLLING = """
a failed or timed-out page removes nothing, and the scan counts as incomplete
an empty list where much was known removes nothing until confirmed
removal needs several complete scans, or a get-by-id that says 404 or 410
removals above a share of what is known are held, told, and released by an operator
a scan that was resumed counts earlier pages as seen, or removes nothing
rows that slide between pages while a list is read are neither removed nor lost
one id on two pages with the same content is at most one event
one id twice with different content has one winner and no ping-pong
the first scan tells no entity events, but one baseline with counts
a baseline that was killed on the way tells no `created` for what was there before
a new source gets its own silent baseline; others are undisturbed
a field that the provider adds is no entity event, and at most one notice
a field missing from an answer is not a field set to null
volatile fields never cause events
key order, number form, timestamp form, Unicode form and the order of sets are no event
there and back inside the settle window is no event
there and back across the window is two events with rising revisions
a return after removal is `restored`, and the revisions go on
revisions have no gap, and a target sees them in order whatever else fails
a kill at any instruction: every change has its event, and each repetition the same id
a worker paused past its lease cannot change anything
one slot scanned twice tells nothing the second time
an answer older than the record is ignored and counted
host clocks that are ten minutes wrong lose and repeat nothing
many rows sharing the cursor's value at a boundary are neither lost nor repeated
a watermark never passes a walk that was not complete
repeated or circling page tokens end with an error and remove nothing
a 304 vouches for that very request alone, and is stored with the diff it belongs to
429 and 503 pause all scans of that credential only; 401 and 403 pause and tell once
after downtime one scan catches up; clock changes move no interval
"""

WEBHOOKS = """
a redirect is a failed attempt with its status, and is never followed
a 500 is in the list of attempts with status and body
500 then 200: the same bytes come again, attempts in order, the second delivered
n delays are exactly n + 1 attempts, then silence
of several targets only the failing one is retried
the id is the same on all attempts, the timestamp fresh, and the signature verifies elsewhere
after rotations a delivery verifies with every secret that still signs
more old secrets than allowed are refused
the same event twice is one delivery
two calls with one idempotency key make one thing
many tasks, many consumers: each once, none starved
what is not acknowledged comes back after its lease; what is, never does
work longer than its lease is not done twice while its worker lives
what fails in here again and again is set aside with its content
what is delayed is never early, and an idle worker is on time
a manual retry takes the place of the automatic one
a disabled target is not called; enabled again it gets what came later
nothing but failures for long disables; one success in between does not
each alarm is raised once, however many fail at once
news about targets arrives signed and in order: failing, exhausted, disabled, recovered
recovering since a time sends again what failed after it, once each
Retry-After as integer, fraction or date is honoured; garbage is ignored
private and special addresses are refused before a byte is sent; a list opens them
bytes are the same on every call; an answer of any size or form is recorded
stopping waits for calls in flight; waiting for a rate spends no attempt
"""

ALERTING = """
an event that no child route takes goes to the parent; the first match wins unless it continues
two events inside group_wait are one message; a third comes with the next interval
resolved inside group_wait: no message at all
an unchanged open group is repeated after repeat_interval, never sooner
a target that wants no resolves still hears of a new opening
of two targets one fails: the other gets exactly one message
a target slower than its timeout has failed and is tried again
a restart or reload sends nothing again
a broken file on reload leaves the old config at work, and says so
the check refuses what cannot work, at any depth
while a cause is open its consequences stay quiet
the end of a silence announces what is still open
opened, silenced, resolved, opened again: a message is sent
a resolve under silence still closes
so many bad polls open, so many good ones close
what was not sent stays unsent and is tried again
reminders keep their interval, each target its own
a dead Slack target gets one request, is flagged, and the error is visible
server errors and timeouts are retried within bounds, and no secret is logged
429 from Slack: nothing for that long, then in order, nothing lost
200 with ok:false, or a body other than ok, is a failure
any amount of text is delivered, cut visibly; a failing template still delivers
many first events of a group make one message
a click with a bad or old signature changes nothing
each rung once; of several only the tightest; a later date arms anew
"""

TEXTS = {"P": POLLING, "W": WEBHOOKS, "A": ALERTING}
TITLES = {"P": "Polling", "W": "Webhooks", "A": "Alerting"}


def shown() -> dict[str, list[str]]:
    """Every behaviour that a docstring claims, with the tests that claim it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for letter, number in _claims(node):
                    found[f"{letter}{int(number)}"].append(f"{path.relative_to(TESTS).as_posix()}::{node.name}")
    return found


def _claims(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[str, str]]:
    """The numbers at the head of a test's docstring, or of its name (`test_p24_p26_...`)."""
    head, name = _HEAD.match(ast.get_docstring(node) or ""), _NAME.match(node.name)
    said = f"{head[1] if head else ''} {name[1].upper().replace('_', ' ') if name else ''}"
    return list(dict.fromkeys(_NUMBER.findall(said)))


def page() -> str:
    """The page as it must read now."""
    tests = shown()
    lines = ["# Behaviours and the tests that show them", ""]
    lines += ["Written by `.venv/bin/python -m tests.behaviours`; a test fails when it is not up to date.", ""]
    for letter, texts in TEXTS.items():
        lines += [f"## {TITLES[letter]}", "", "| | behaviour | shown by |", "| --- | --- | --- |"]
        for number, text in enumerate(texts.strip().splitlines(), 1):
            by = "<br>".join(f"`{test}`" for test in tests.get(f"{letter}{number}", [])) or "not yet"
            lines.append(f"| {letter}{number} | {text} | {by} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
