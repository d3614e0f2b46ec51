"""What Slack's error words mean for a delivery: who is to blame, whether to try again, whether to stop. Pure.

https://docs.slack.dev/reference/methods/chat.postMessage#errors and
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from monitor.targets.base import Outcome, Verdict


class Class(StrEnum):
    """What kind of trouble an error word is."""

    TRANSIENT = "transient"
    RATE = "rate"
    MIGRATION = "migration"
    CREDENTIAL = "credential"
    DESTINATION = "destination"
    PAYLOAD = "payload"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class _Rule:
    verdict: Verdict
    advice: str
    disable: bool = False
    hold: bool = False
    wait: float | None = None


_WORDS = {
    Class.RATE: "ratelimited rate_limited message_limit_exceeded",
    Class.MIGRATION: "team_added_to_org org_login_required external_channel_migrating",
    Class.CREDENTIAL: (
        "invalid_auth not_authed token_revoked token_expired account_inactive missing_scope not_allowed_token_type "
        "no_permission access_denied ekm_access_denied team_access_not_granted invalid_token action_prohibited "
        "no_service no_active_hooks no_service_id no_team team_disabled"
    ),
    Class.DESTINATION: (
        "channel_not_found channel_is_archived is_archived is_inactive not_in_channel user_not_found "
        "posting_to_general_channel_denied"
    ),
    Class.PAYLOAD: (
        "invalid_payload invalid_blocks invalid_blocks_format invalid_attachments msg_too_long msg_blocks_too_long "
        "too_many_attachments no_text invalid_arguments"
    ),
    Class.EDIT: "message_not_found cant_update_message edit_window_closed block_mismatch streaming_state_conflict",
}
_CLASSES: Mapping[str, Class] = MappingProxyType(
    {word: name for name, words in _WORDS.items() for word in words.split()}
)
_RULES: Mapping[Class, _Rule] = MappingProxyType(
    {
        Class.TRANSIENT: _Rule(Verdict.RETRY, "it is tried again"),
        Class.RATE: _Rule(Verdict.RETRY, "the channel is given a pause", hold=True),
        # The workspace is being moved: minutes, not seconds.
        Class.MIGRATION: _Rule(Verdict.RETRY, "the workspace is being moved, it is tried again later", wait=300.0),
        Class.CREDENTIAL: _Rule(Verdict.FAILED, "check the token or webhook URL of this target", disable=True),
        Class.DESTINATION: _Rule(
            Verdict.FAILED, "check that the channel exists and the app is a member of it", disable=True
        ),
        # The message is gone, or too old to be edited: it is posted anew within the same attempt.
        Class.EDIT: _Rule(Verdict.RETRY, "a new message takes its place"),
        Class.PAYLOAD: _Rule(Verdict.FAILED, "Slack did not take the message, not even as plain text"),
    }
)
# The workspace's free messages are used up: going on would get the app blocked.
_LIMIT_EXCEEDED_WAIT = 600.0
# What a word asks for that comes without Retry-After, with HTTP 200.
_RATE_WAIT = 30.0


def classify(word: str, status: int) -> Class:
    """An error word and HTTP status in, its class out; what nobody documents counts as transient."""
    if status == 429:
        return Class.RATE
    if word.startswith("restricted_action"):
        return Class.DESTINATION
    return _CLASSES.get(word, Class.TRANSIENT)


def pause(word: str | None) -> float:
    """An error word in, for how many seconds nobody should post to that channel out; 0 for none, 429 apart."""
    if word is None or _CLASSES.get(word) is not Class.RATE:
        return 0.0
    return _LIMIT_EXCEEDED_WAIT if word == "message_limit_exceeded" else _RATE_WAIT


def outcome(word: str, status: int, asked: float | None, response: str) -> Outcome:
    """An error word in, the outcome of the attempt out; `asked` is Retry-After in seconds."""
    name = classify(word, status)
    rule = _RULES[name]
    wait = _LIMIT_EXCEEDED_WAIT if word == "message_limit_exceeded" else rule.wait
    waits = [seconds for seconds in (asked, wait) if seconds is not None]
    return Outcome(
        rule.verdict,
        status,
        f"Slack says {word} ({name}): {rule.advice}",
        retry_after=max(waits, default=None) if rule.verdict is Verdict.RETRY else None,
        hold=rule.hold or status == 503,
        disable=rule.disable,
        response=response,
        # A word of refusal comes with HTTP 200 too; of its own trouble Slack says that a part may have been done.
        taken=None if name is Class.TRANSIENT else False,
    )
