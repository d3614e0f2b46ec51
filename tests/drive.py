"""Drives a provider's or target's generator with recorded answers: no event loop, no sockets, bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from monitor.exchange import Blocking, Exchange, Page, Request, Response, Returned
from monitor.providers import PROVIDERS
from monitor.providers.base import LookUp, Provider

T = TypeVar("T")
Answering: TypeAlias = Callable[[Request], Response]

SAMPLES = Path(__file__).parent / "samples"
STEPS = 100_000


@dataclass(slots=True)
class Driven(Generic[T]):
    """What an exchange did: every request in order, the groups they went out in, every page, its result."""

    result: T | None = None
    requests: list[Request] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    calls: list[Blocking] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The ids of all pages, in order, repeated ones too."""
        return [id_ for page in self.pages for id_ in page.ids]

    @property
    def items(self) -> list[bytes]:
        """The raw items of all pages, in order."""
        return [bytes(raw) for page in self.pages for raw in page.raws]


def drive(
    exchange: Exchange[T],
    answer: Answering,
    driven: Driven[T] | None = None,
    returning: Callable[[Blocking], object] | None = None,
) -> Driven[T]:
    """Run an exchange to its end with the responses that `answer` gives; a `driven` of yours survives a failure.

    What a blocking call returns is what `returning` says; without it there must be none.
    """
    seen: Driven[T] = driven if driven is not None else Driven()
    reply: Response | tuple[Response, ...] | Returned | None = None
    for _ in range(STEPS):
        try:
            step = exchange.send(reply)
        except StopIteration as stop:
            seen.result = stop.value
            return seen
        if isinstance(step, Blocking):
            assert returning is not None, "a call that blocks, where only requests were expected"
            seen.calls.append(step)
            reply = Returned(returning(step))
            continue
        if isinstance(step, Page):
            seen.pages.append(step)
            reply = None
            continue
        requests = step if isinstance(step, tuple) else (step,)
        seen.requests.extend(requests)
        seen.groups.append(len(requests))
        responses = tuple(answer(request) for request in requests)
        reply = responses if isinstance(step, tuple) else responses[0]
    raise AssertionError(f"the exchange did not end within {STEPS} steps")


def reply(body: Any = b"", status: int = 200, **headers: str | int) -> Response:
    """A response from a JSON value, text or bytes; header names are written with underscores."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): str(value) for name, value in headers.items()}, raw)


def recorded(responses: Iterable[Response]) -> Answering:
    """Answers in the order given, whatever is asked; one request too many fails the test."""
    left = iter(responses)

    def answer(request: Request) -> Response:
        try:
            return next(left)
        except StopIteration:
            raise AssertionError(f"nothing was recorded for {request.method} {request.url} {request.params}") from None

    return answer


def sample(provider: str, name: str) -> bytes:
    """The bytes of tests/samples/PROVIDER/NAME."""
    return (SAMPLES / provider / name).read_bytes()


def sample_answers(provider: str, answers: Sequence[Mapping[str, Any]]) -> list[Response]:
    """Recorded answers `{status, headers, body}` out of a sample file; `file` names a body kept beside it."""
    return [
        Response(
            answer["status"],
            answer["headers"],
            sample(provider, answer["file"]) if "file" in answer else json.dumps(answer["body"]).encode(),
        )
        for answer in answers
    ]


def sample_scan(provider: str) -> Answering:
    """The answers of tests/samples/PROVIDER/scan.json, in the order in which a scan asks for them."""
    return recorded(sample_answers(provider, json.loads(sample(provider, "scan.json"))))


def source(provider: str, **changes: Any) -> Provider:
    """The provider built from tests/samples/PROVIDER/options.json, with other options on top."""
    plugin = PROVIDERS[provider]
    options = json.loads(sample(provider, "options.json")) | changes
    return plugin.build("here", plugin.options.model_validate(options))


def look_up(provider: Provider, *ids: str) -> Exchange[LookUp]:
    """The look-up of these ids at a provider that has one."""
    exchange = provider.look_up(ids)
    assert exchange is not None
    return exchange
