"""What Slack takes: about one message a second in a channel, and edits by a budget of their own. Pure.

https://docs.slack.dev/apis/web-api/rate-limits: chat.postMessage and incoming webhooks 1 a second for each channel,
short bursts tolerated; chat.update is of tier 3, 50 a minute and more for each workspace and app.
"""

from __future__ import annotations

import hashlib

from monitor.exchange import Budget

BURST = 3
EDITS, EDIT_BURST = 2 / 3, 10
"""Edits for each message that may be posted, and how many at once: 40 a minute, 50 in the first."""


UNLIMITED = 10_000.0
"""Messages a second where the config sets no limit: a pause that Slack asks for is shared all the same."""


def slack_budgets(rate: float | None, way_in: str, channel: str) -> tuple[Budget, Budget]:
    """Messages a second (None: no limit), whose way in and which channel in; the budgets of posts and edits out.

    Targets that name the same channel by the same token or webhook share them; the names tell neither.
    """
    rate = rate or UNLIMITED
    posts = Budget(_name("posts", way_in, channel), rate, max(BURST, rate))
    return posts, Budget(_name("edits", way_in), rate * EDITS, max(EDIT_BURST, rate * EDITS))


def _name(*parts: str) -> str:
    return f"slack-{hashlib.blake2b(chr(0).join(parts).encode(), digest_size=16).hexdigest()}"
