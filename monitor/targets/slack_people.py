"""People in Slack: who belongs to a group of the workspace, and a word to one of them alone. Pure.

https://docs.slack.dev/reference/methods/usergroups.users.list (scope usergroups:read)
https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import msgspec

from monitor.exchange import Exchange, Request, Response, ask
from monitor.targets.slack_answers import api_error
from monitor.targets.slack_options import SlackOptions


class NotTold(Exception):
    """Slack does not say who belongs to a group; why, in its own word."""


def is_group(id: str) -> bool:
    """Whether an id of `users` is that of a group (S0123...) and not a user's."""
    return id.startswith("S")


def members(options: SlackOptions, group: str) -> Exchange[frozenset[str]]:
    """A target that has a token and the id of a group in, the ids of its users out; NotTold where Slack refuses."""
    token = options.token.get_secret_value() if options.token else ""
    headers = {"content-type": "application/x-www-form-urlencoded", "authorization": f"Bearer {token}"}
    url = f"{options.api_url.rstrip('/')}/usergroups.users.list"
    response = yield from ask(
        Request("POST", url, headers=headers, body=urlencode({"usergroup": group}).encode(), authorise=False)
    )
    word = api_error(response)
    if word is not None:
        raise NotTold(f"usergroups.users.list says {word}: the bot needs the scope usergroups:read")
    users = msgspec.json.decode(response.body).get("users")
    return frozenset(str(one) for one in users) if isinstance(users, list) else frozenset()


def whisper(url: str, text: str) -> Exchange[Response]:
    """An address that came with a click, and text in; the answer to a message that only who clicked can see out."""
    body = msgspec.json.encode({"response_type": "ephemeral", "replace_original": False, "text": text})
    headers = {"content-type": "application/json; charset=utf-8"}
    return (yield from ask(Request("POST", url, headers=headers, body=body, authorise=False, idempotent=False)))


def whispers_at(url: str, options: SlackOptions) -> bool:
    """Whether an address that a click names is Slack's own."""
    host = urlsplit(url).hostname or ""
    return host == "slack.com" or host.endswith(".slack.com") or host == urlsplit(options.api_url).hostname
