"""HTTP as values: providers and targets talk in generators, and `monitor.http` does the talking.

A provider or a target never opens a connection. It is a generator that yields a `Request` and is sent
the `Response`, yields a tuple of requests that do not depend on each other and is sent a tuple of
responses, or (a provider) yields a `Page` of items that it has read. What it returns is its result::

    def scan(self) -> Exchange[ScanEnd]:
        response = yield from ask(Request("GET", url))
        yield from hand_over(Page(ids, raws))
        return ScanEnd(complete=True)

So a test drives it with recorded answers and no event loop (`tests/drive.py`), while timeouts,
retries, rates, size caps and error mapping are written once, in `monitor.http`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from msgspec import Raw


@dataclass(frozen=True, slots=True)
class Budget:
    """What a receiver takes: `rate` requests a second after a burst of `burst`, by everybody who uses this `name`."""

    name: str
    rate: float
    burst: float


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as a value: method, absolute URL, query parameters, headers, body bytes.

    `params` are URL-encoded by the runner. `headers` may carry secrets, so `repr` leaves them out.
    `authorise` asks the runner to add the credentials of the source, freshly at each attempt.
    `idempotent` says that the runner may repeat it by itself (a read, whatever its method). `validate` asks
    conditionally where the last answer to this very request left a validator; it names the headers of a page
    that are then remembered with it, because a 304 need not repeat them. `budget` is what it spends from, beside
    those of other workers and targets (targets only); for how many seconds nobody may spend from it after an answer,
    beyond what a 429 asks for, `quiet` says (0: no pause).
    """

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    authorise: bool = True
    idempotent: bool = True
    validate: tuple[str, ...] | None = None
    budget: Budget | None = None
    quiet: Callable[[Response], float] | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What is remembered of the answer to one request, so that a 304 or the same bytes can vouch for it and no other.

    `key` names the request, `etag` is the validator exactly as it was sent ("": none, no 304 can vouch),
    `ids` are the items of the page, `size` the bytes that a 304 saves, `digest` a hash of them (empty: none, no
    bytes can vouch).
    """

    key: bytes
    etag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    ids: Sequence[str] = ()
    size: int = 0
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Blocking:
    """Work of a library that speaks for itself and blocks: called in a thread, its result is the answer (targets only).

    `shown` is what it would send, for people, without secrets. It may be cut off by the attempt's timeout and
    go on behind our back, so like any message it may arrive although nobody heard so.
    """

    call: Callable[[], object] = field(repr=False)
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Returned:
    """What such a call returned."""

    value: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer as a value: status, headers with lower-case names, body bytes.

    `elapsed` is seconds for the whole attempt, `address` the address really connected to,
    `truncated` says that the body was cut at the runner's limit (targets only). `proof` comes with the answer
    to a request with `validate`: with a 304 it is what is remembered of the page, with a 200 what there is to
    remember, to be handed on with the page. A 200 that is `repeated` has the very bytes that are remembered, and
    its proof is the remembered one.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float = 0.0
    address: str | None = None
    truncated: bool = False
    proof: Proof | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Items of one list answer, unparsed: their ids and, at the same positions, their raw JSON slices.

    A page that is `vouched` for, by a 304 or (`read`) by its own bytes, has no slices: its items are as they were
    when `proof` was kept. `proof` of another page is to be kept with what is stored of it.
    """

    ids: Sequence[str]
    raws: Sequence[Raw | bytes]
    proof: Proof | None = None
    vouched: bool = False
    read: bool = True


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is wrong with a source although its lists can be read.

    `what` is one short word for programs (`relink_needed`), `text` says it to people, `since` is when it
    began, as the provider says.
    """

    what: str
    text: str
    since: str | None = None


@dataclass(frozen=True, slots=True)
class ScanEnd:
    """How a walk ended: `complete` only if the provider proved that everything in it was seen; else `reason`.

    `full` says that the walk saw everything although a narrow one was planned. `watermark` is the newest
    change that a complete walk vouches for, by the provider's own clock; the next narrow walk is given it.
    `hints` are what the provider learnt about the API (a sort field that is refused, say) and wants to be
    told at its next walk. `notices` are what is wrong although the lists can be read.
    """

    complete: bool
    reason: str | None = None
    full: bool = False
    watermark: str | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


T = TypeVar("T")
Step: TypeAlias = Request | tuple[Request, ...] | Page | Blocking
Answer: TypeAlias = Response | tuple[Response, ...] | Returned | None
Exchange: TypeAlias = Generator[Step, Answer, T]


def ask(request: Request) -> Exchange[Response]:
    """Yield one request, return its response."""
    answer = yield request
    if not isinstance(answer, Response):
        raise TypeError(f"a request must be answered by a Response, got {type(answer).__name__}")
    return answer


def ask_thread(work: Blocking) -> Exchange[object]:
    """Yield a call that blocks, return what it returned."""
    answer = yield work
    if not isinstance(answer, Returned):
        raise TypeError(f"a call must be answered by what it returned, got {type(answer).__name__}")
    return answer.value


def ask_together(requests: Sequence[Request]) -> Exchange[tuple[Response, ...]]:
    """Yield requests that do not depend on each other, return their responses in the same order."""
    answer = yield tuple(requests)
    if not isinstance(answer, tuple):
        raise TypeError(f"requests must be answered by a tuple, got {type(answer).__name__}")
    return answer


def hand_over(page: Page) -> Exchange[None]:
    """Yield one page of items to whoever runs the scan; it comes back when the page is judged.

    It is stored before anything of the next page is, and by the end of the scan.
    """
    yield page
