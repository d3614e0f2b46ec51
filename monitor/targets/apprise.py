"""apprise: a hundred other services and e-mail, by the library Apprise, the extra `jobwire[apprise]`.

Each URL names a service (https://appriseit.com/services/). The library blocks and has connections of its own, so it is
called in a thread, and `egress.allow` does not reach it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from monitor.exchange import Blocking, Exchange, ask_thread
from monitor.plugin import Plugin
from monitor.targets.base import GroupedOptions, Message, Outcome, Target, Verdict
from monitor.targets.lines import lines_of, summary, text
from monitor.values import Secret

MISSING = "the library is not installed: install the extra, pip install 'jobwire[apprise]'"
_KINDS: Mapping[str, str] = {"critical": "failure", "warning": "warning"}


class AppriseOptions(GroupedOptions):
    """Options of an apprise target: which services it tells."""

    urls: list[Secret] = Field(
        min_length=1, max_length=50, description="services in Apprise's own form: mailto://, ntfy://, tgram://, ..."
    )
    concurrency: int = Field(default=1, ge=1, le=4, description="calls in flight at the most, per worker")

    @field_validator("urls")
    @classmethod
    def _known(cls, urls: list[Secret]) -> list[Secret]:
        library = _library()
        for index, url in enumerate(urls):
            if not library.Apprise().add(url.get_secret_value()):
                raise ValueError(f"number {index + 1} names no service that Apprise knows, or not as Apprise wants it")
        return urls

    @model_validator(mode="after")
    def _no_headers(self) -> Self:
        if self.headers:
            raise ValueError(
                "headers: are not sent by apprise; services take theirs in the URL (json://HOST/?+NAME=VALUE)"
            )
        return self


class Services:
    """One apprise target: tells each service in words, and remembers which have heard when some have not."""

    grouped = True

    def __init__(self, options: AppriseOptions) -> None:
        self._urls = tuple(options.urls)
        schemes = sorted({url.get_secret_value().partition("://")[0] for url in options.urls})
        self._address = f"{len(self._urls)} by Apprise: {', '.join(schemes)}"[:200]

    def address(self) -> str:
        """How many services, and of which kinds; the rest of their URLs is secret."""
        return self._address

    def send(self, message: Message) -> Exchange[Outcome]:
        """One call that tells every service which has not heard this message yet."""
        told = lines_of(message)
        mark = _mark(message)
        memory = message.group.memory if message.group else {}
        before = set(memory.get("heard", ())) if memory.get("mark") == mark else set()
        left = [index for index in range(len(self._urls)) if index not in before]
        words = {"title": summary(told), "body": text(told) or "–"}
        kind = "success" if told and all(one.over for one in told) else _KINDS.get(message.severity or "", "info")
        urls = [self._urls[index] for index in left]
        answer = yield from ask_thread(Blocking(lambda: _notify(urls, words, kind), words))
        answers = list(answer) if isinstance(answer, Sequence) else []
        took = [index for index, one in zip(left, answers, strict=False) if one is True]
        failed = [index + 1 for index in left if index not in took]
        if not failed:
            return Outcome(Verdict.DELIVERED, response=f"told {len(self._urls)}", remember={})
        which = ", ".join(map(str, failed))
        return Outcome(
            Verdict.RETRY,
            error=f"of {len(self._urls)} services these did not take it: {which} (by their place in urls)",
            remember={"mark": mark, "heard": sorted({*before, *took})},
        )


def _notify(urls: Sequence[Secret], words: Mapping[str, str], kind: str) -> list[bool]:
    """Each service told by itself: whether Apprise says that it took the message."""
    library = _library()
    answers: list[bool] = []
    for url in urls:
        service = library.Apprise()
        service.add(url.get_secret_value())
        try:
            told = service.notify(title=words["title"], body=words["body"], notify_type=kind, body_format="text")
            answers.append(bool(told))  # True, False, None or, since 2.0, a result that is true or false
        except Exception:  # noqa: BLE001 - one service's fault must not keep the others from being told; it counts as untold
            answers.append(False)
    return answers


def _library() -> Any:
    """The library, whose own log would quote URLs; ValueError says how to get it."""
    try:
        library = import_module("apprise")
    except ImportError:
        raise ValueError(MISSING) from None
    logging.getLogger("apprise").disabled = True
    return library


def _mark(message: Message) -> str:
    """What a message says, in short: another message is told to all again."""
    reason = str(message.group.reason) if message.group else ""
    return hashlib.blake2b(b"\0".join((reason.encode(), *message.events)), digest_size=8).hexdigest()


def build(_: str, options: AppriseOptions) -> Target:
    """The target's name and its validated options in, the target out."""
    return Services(options)


PLUGIN: Plugin[AppriseOptions, Target] = Plugin(AppriseOptions, build)
