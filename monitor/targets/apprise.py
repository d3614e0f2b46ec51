"""apprise: a hundred other services and e-mail, by the library Apprise, the extra `apprise`.

Each URL names a service (https://appriseit.com/services/). The library blocks and has connections of its own, so it is
called in a thread, and `egress.allow` does not reach it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from monitor.errors import TransportTimeout
from monitor.exchange import Blocking, Exchange, ask_thread
from monitor.grouping.message import Group
from monitor.plugin import Plugin
from monitor.targets.base import GroupedOptions, Message, Outcome, Target, Verdict
from monitor.targets.lines import lines_of
from monitor.targets.telling.cleaning import CUT, unping
from monitor.targets.worded import worded
from monitor.values import Secret

MISSING = "the library is not installed: pip install -r requirements-extras.lock, in the .venv of the checkout"
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
        before = memory if memory.get("mark") == mark else {}
        heard = set(before.get("heard", ()))
        left = [index for index in _from(before.get("next", 0), len(self._urls)) if index not in heard]
        said = worded(message, told)
        words = {"title": unping(said.summary), "body": unping(said.text) or "–"}
        over = told and not message.catch_up and all(one.over for one in told)
        kind = "success" if over else _KINDS.get(message.severity or "", "info")
        call = _Call(tuple(self._urls[index] for index in left), words, kind)
        try:
            answer = yield from ask_thread(Blocking(call, words))
            answers = list(answer) if isinstance(answer, Sequence) else []
            late = ""
        except TransportTimeout as error:
            if len(self._urls) == 1:
                raise
            answers, late = list(call.answers), f"; {error}"
        finally:
            call.abandoned.set()
        took = [index for index, one in zip(left, answers, strict=False) if one is True]
        failed = [index for index in left if index not in took]
        if not failed:
            return Outcome(Verdict.DELIVERED, response=f"told {len(self._urls)}", remember={})
        which = ", ".join(str(index + 1) for index in sorted(failed))
        # Whoever took all the time comes last next time, so that it keeps the message from nobody else.
        begin = {"next": (left[len(answers)] + 1) % len(self._urls)} if late and len(answers) < len(left) else {}
        return Outcome(
            Verdict.RETRY,
            error=f"of {len(self._urls)} services these did not take it: {which} (by their place in urls){late}",
            remember={"mark": mark, "heard": sorted({*heard, *took}), **begin},
        )


class OneService(Services):
    """An apprise target with a single service: it either hears of all in a catch-up message, or of nothing."""

    def stands(self, _: Group) -> bool:
        """Never: what was sent is not edited."""
        return False


class _Call:
    """What runs in the thread: each service told by itself, in Apprise's `kind` of message.

    `answers` grows with whether Apprise says that a service took it; once `abandoned` no other is told.
    """

    def __init__(self, urls: Sequence[Secret], words: Mapping[str, str], kind: str) -> None:
        self.answers: list[bool] = []
        self.abandoned = threading.Event()
        self.kind = kind
        self._urls, self._words = urls, words

    def __call__(self) -> list[bool]:
        library = _library()
        for url in self._urls:
            if self.abandoned.is_set():  # the time was up: the next attempt tells the others
                break
            try:
                told = self._told(library, url.get_secret_value())
            except Exception:  # noqa: BLE001 - one service's fault must not keep the others from being told; it counts as untold
                told = False
            self.answers.append(told)
        return self.answers

    def _told(self, library: Any, url: str) -> bool:
        # The attempt's own time counts: Apprise's puts calls into a pool, whose threads keep a process from ending.
        timed = hasattr(library.AppriseAsset, "_service_timeout")  # since 2.1
        service = library.Apprise(asset=library.AppriseAsset(**({"service_timeout": 0} if timed else {})))
        service.add(url)
        title, body = self._words["title"], fitted(service[0], self._words)
        # True, False, None or, since 2.0, a result that is true or false.
        return bool(service.notify(title=title, body=body, notify_type=self.kind, body_format="text"))


def fitted(service: Any, words: Mapping[str, str]) -> str:
    """The body as long as this service takes it, its cut seen; where its URL says how to cut, the library does."""
    title, body = words["title"], words["body"]
    room = int(service.body_maxlen) - (len(title) + 2 if service.title_maxlen <= 0 else 0)
    if service.overflow_mode != "upstream" or len(body) <= room:
        return body
    return body[: max(0, room - 1)].rstrip() + CUT


def _from(first: int, many: int) -> Sequence[int]:
    """The places 0 to `many`, beginning with one of them."""
    return [(first + step) % many for step in range(many)]


def _library() -> Any:
    """The library; ValueError says how to get it. Its log, which quotes URLs, is kept nowhere (`monitor.log`)."""
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
    return OneService(options) if len(options.urls) == 1 else Services(options)


PLUGIN: Plugin[AppriseOptions, Target] = Plugin(AppriseOptions, build)
