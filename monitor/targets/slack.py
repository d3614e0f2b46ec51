"""Slack: one message a group, kept up to date in place by bot token, posted anew each time by incoming webhook.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/methods/chat.postMessage https://docs.slack.dev/reference/methods/chat.update
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from monitor import __version__
from monitor.errors import Paused, TransportError
from monitor.exchange import Exchange, Request, Response, ask
from monitor.grouping.message import Group, Reason
from monitor.moments import stamp
from monitor.plugin import Plugin
from monitor.targets import slack_blocks, slack_catchup, slack_digest, slack_groups
from monitor.targets.address import HiddenUrl, secrets_in
from monitor.targets.answers import asked_wait, excerpt
from monitor.targets.base import Message, Outcome, Target, Verdict
from monitor.targets.beside import occurrences
from monitor.targets.slack_answers import api_error, posted, webhook_error
from monitor.targets.slack_budgets import slack_budgets
from monitor.targets.slack_errors import Class, classify, outcome, pause
from monitor.targets.slack_layout import layout, own_fault, own_message
from monitor.targets.slack_options import SlackOptions
from monitor.targets.slack_text import unlinked
from monitor.targets.telling import Facts, read

__all__ = ["PLUGIN", "Slack", "SlackOptions"]

_BLOCKS = 49
"""Blocks beside a mention: a layout of the operator's own may have as many as Slack takes."""

_NOTICED = frozenset({Reason.ESCALATION, Reason.REPEAT})
"""Reasons that exist to be noticed: their replies are shown in the channel too, as an edit pings nobody."""


class Slack:
    """A Slack target: renders events and groups as blocks, posts and edits them, and understands the answers."""

    grouped = True

    def __init__(self, options: SlackOptions) -> None:
        further = {name: value.get_secret_value() for name, value in options.headers.items()}
        self._headers = {
            **further,
            "content-type": "application/json; charset=utf-8",
            "user-agent": f"jobwire/{__version__}",
        }
        self._hidden = [*secrets_in(options.api_url, further)]
        self._extra: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
        self._clicks = options.token is not None and bool(options.signing_secret or options.signing_secrets)
        self._mention, self._broadcast = options.mention, options.broadcast
        self._zone = ZoneInfo(options.timezone)
        self._layout = layout(options.body) if options.body is not None else None
        self.attends = self.narrates = options.webhook_url is None
        if options.webhook_url is not None:
            self._post_url = self._edit_url = HiddenUrl(options.webhook_url.get_secret_value())
            self._address = f"incoming webhook at {urlsplit(self._post_url).hostname}"
            path = urlsplit(self._post_url).path.strip("/")
            self._hidden += [path, path.rpartition("/")[2]]
            self._judge = webhook_error
            self._posts = self._edits = slack_budgets(options.rate, self._post_url, "")[0]
        else:
            token = options.token.get_secret_value() if options.token else ""
            root = options.api_url.rstrip("/")
            self._post_url, self._edit_url = HiddenUrl(f"{root}/chat.postMessage"), HiddenUrl(f"{root}/chat.update")
            self._address = f"channel {options.channel} at {urlsplit(self._post_url).hostname}"
            self._headers["authorization"] = f"Bearer {token}"
            self._hidden.append(token)
            # link_names and parse keep @names and addresses in provider text from becoming live, in edits as well.
            self._extra |= {"channel": options.channel, "link_names": False, "parse": "none"}
            self._judge = api_error
            self._posts, self._edits = slack_budgets(options.rate, f"{root} {token}", options.channel or "")

    def address(self) -> str:
        """The kind of way in, with channel and host; neither token nor webhook path."""
        return self._address

    def fault(self, message: Message) -> str | None:
        """Why the layout of the operator's own gives way over this message; None where it does not."""
        return own_fault(self._layout, message)

    def stands(self, group: Group) -> bool:
        """Whether a message of this group stands in the channel, and is edited."""
        return self.attends and bool(group.memory.get("ts")) and group.memory.get("since") == stamp(group.since)

    def send(self, message: Message) -> Exchange[Outcome]:
        """Occurrences as a message of their own; conditions as one that is edited, with the news in its thread."""
        if message.catch_up is not None:
            told, plain = slack_catchup.message(message.catch_up), slack_catchup.text_only(message.catch_up)
            return (yield from self._once(told, plain, message.sent_at))
        group = message.group
        if group is None or not group.members:
            events = [read(body) for body in message.events]
            usual = slack_digest.message(events, message.sent_at, self._zone) or slack_blocks.message(
                events, message.sent_at, message.severity, group.route if group else None
            )
            payload = own_message(self._layout, message) or usual
            return (yield from self._once(payload, slack_blocks.text_only(usual, events), message.sent_at))
        others = [read(body) for body in occurrences(message)]
        own = own_message(self._layout, message)
        if not self.attends:
            return (yield from self._all_in_one(group, others, message.sent_at, own))
        return (yield from self._in_place(group, others, message.sent_at, own))

    def _all_in_one(
        self, group: Group, others: list[Facts], now: datetime, own: dict[str, Any] | None
    ) -> Exchange[Outcome]:
        """By webhook nothing can be edited: the state and the news in one message."""
        payload = own or slack_groups.parent(group, clicks=False, zone=self._zone)
        payload["blocks"] = [*payload.get("blocks", []), *slack_groups.beside(others)][:_BLOCKS]
        if group.reason is Reason.ESCALATION and self._mention:
            payload["text"] = f"{self._mention} {payload['text']}"
            payload["blocks"].insert(1, slack_blocks.section(self._mention))
        if not payload["blocks"]:
            del payload["blocks"]
        return (yield from self._once(payload, {"text": payload["text"]}, now))

    def _in_place(
        self, group: Group, others: list[Facts], now: datetime, own: dict[str, Any] | None
    ) -> Exchange[Outcome]:
        """By token: the group's message is brought up to date, and what is new stands in its thread."""
        memory, life = group.memory, stamp(group.since)
        fresh = memory.get("since") != life or not memory.get("ts")
        done: Outcome | None = None
        if not fresh:
            payload = own or slack_groups.parent(
                group, clicks=self._clicks, before=memory.get("before"), zone=self._zone
            )
            where = {"channel": memory["channel"], "ts": memory["ts"]}
            done, word = yield from self._written(
                self._edit_url, payload | where, {"text": payload["text"]} | where, now
            )
            fresh = word is not None and classify(word, done.status or 0) is Class.EDIT
        if fresh:
            before = _link(memory) if memory.get("since") != life else memory.get("before")
            payload = own or slack_groups.parent(group, clicks=self._clicks, before=before, zone=self._zone)
            done, _ = yield from self._written(self._post_url, payload, {"text": payload["text"]}, now)
            memory = {**(done.remember or {}), "since": life, **({"before": before} if before else {})}
        assert done is not None  # noqa: S101 - it was edited, or posted anew
        if done.verdict is not Verdict.DELIVERED:
            return replace(done, remember=None)
        try:
            thread = yield from self._tell_thread(group, others, memory, now, fresh=fresh)
        except TransportError as error:
            # The message itself is there: it is remembered, or the next attempt would post it once more.
            thread = _unheard(error)
        if thread is None:
            return replace(done, remember=memory)
        return replace(thread, remember=memory, taken=True)

    def _tell_thread(
        self, group: Group, others: list[Facts], memory: Mapping[str, Any], now: datetime, *, fresh: bool
    ) -> Exchange[Outcome | None]:
        """The reply under a group's message; None where the message says it all itself."""
        escalation = group.reason is Reason.ESCALATION
        if "ts" not in memory or (fresh and not others and not escalation):
            return None
        mention = self._mention if escalation else None
        payload = slack_groups.reply(group, others, mention, alone=fresh, zone=self._zone)
        if payload is None:
            return None
        where = {"channel": memory.get("channel") or self._extra["channel"], "thread_ts": memory["ts"]}
        # Who clicked knows, and the channel sees it in the message above.
        if (self._broadcast and group.reason is not Reason.ACKNOWLEDGED) or group.reason in _NOTICED:
            where["reply_broadcast"] = True
        told, _ = yield from self._written(self._post_url, payload | where, {"text": payload["text"]} | where, now)
        return replace(told, remember=None)

    def _once(self, payload: dict[str, Any], plain: dict[str, Any], now: datetime) -> Exchange[Outcome]:
        told, _ = yield from self._written(self._post_url, payload, plain, now)
        return replace(told, remember=None)

    def _written(
        self, url: HiddenUrl, payload: dict[str, Any], plain: dict[str, Any], now: datetime
    ) -> Exchange[tuple[Outcome, str | None]]:
        """One message written; once more as `plain` text if Slack refuses the blocks. `remember` is Slack's answer."""
        response = yield from self._post(url, payload)
        word = self._judge(response)
        if word is None or classify(word, response.status) is not Class.PAYLOAD:
            return self._outcome(word, response, now), word
        refused = excerpt(response.body, self._hidden)
        response = yield from self._post(url, plain | {"text": unlinked(plain["text"])})
        word = self._judge(response)
        note = f"sent as plain text, because the blocks were refused: {refused}"
        return replace(self._outcome(word, response, now), response=note), word

    def _post(self, url: HiddenUrl, payload: dict[str, Any]) -> Exchange[Response]:
        body = msgspec.json.encode({**self._extra, **payload})
        budget = self._posts if url is self._post_url else self._edits
        request = Request(
            "POST",
            url,
            headers=self._headers,
            body=body,
            authorise=False,
            idempotent=False,
            budget=budget,
            # The channel is paused, not this target alone: others post there too, in other workers as well.
            quiet=lambda response: pause(self._judge(response)),
        )
        return (yield from ask(request))

    def _outcome(self, word: str | None, response: Response, now: datetime) -> Outcome:
        shown = excerpt(response.body, self._hidden)
        if word is None:
            answer = posted(response.body)
            return Outcome(
                Verdict.DELIVERED, response.status, address=response.address, response=shown, remember=answer
            )
        return replace(outcome(word, response.status, asked_wait(response, now), shown), address=response.address)


def _unheard(error: TransportError) -> Outcome:
    """What kept a reply from being sent or heard of in, what becomes of the attempt out."""
    paused = error if isinstance(error, Paused) else None
    return Outcome(
        Verdict.RETRY,
        error=f"the message is there, its reply is not: {error.reason}: {error}",
        retry_after=paused.retry_after if paused else None,
        hold=paused is not None and paused.asked,
        address=error.address,
    )


def _link(memory: Mapping[str, Any]) -> str | None:
    """What was remembered of an earlier message in, a link to it out."""
    channel, ts = memory.get("channel"), memory.get("ts")
    return f"https://slack.com/archives/{channel}/p{str(ts).replace('.', '')}" if channel and ts else None


def build(_: str, options: SlackOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Slack(options)


PLUGIN: Plugin[SlackOptions, Target] = Plugin(SlackOptions, build)
