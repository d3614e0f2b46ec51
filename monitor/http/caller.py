"""Calls providers: authorised, paced, limited and, for reads, repeated within reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol, TypeAlias, TypeVar

from aiohttp import ClientResponse, ClientSession, ClientTimeout

from monitor.backoff import exponential, retry_after
from monitor.budget import LONGEST_WAIT, Outcome, Quota, made_at, quota_of
from monitor.clock import Clock
from monitor.errors import BodyTooLarge, ConnectFailed, TransportTimeout
from monitor.exchange import Answer, Blocking, Exchange, Page, Proof, Request, Response, Step
from monitor.http.authorise import Authoriser, Credentials, Token, Tokens
from monitor.http.connect import NETWORK_ERRORS, full_url, headers_of, peer_of, transport_error
from monitor.http.drive import drive, together
from monitor.http.governor import Governor
from monitor.http.pace import Pace

T = TypeVar("T")
OnPage: TypeAlias = Callable[[Page], Awaitable[None]]
WaitHint: TypeAlias = Callable[[Response], float | None]

RETRIES = 2
"""More tries of one read after a broken connection, a timeout or a 5xx."""
_DIGEST_SIZE = 16
WAITS = 5
"""Waits of one read because the provider asked for them."""


class Memory(Protocol):
    """What is remembered of earlier answers (`monitor.pipeline.proofs`)."""

    async def recall(self, requests: Sequence[Request]) -> Sequence[Proof]:
        """The proof of each request; one without an etag where nothing may be vouched for."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may cost: seconds a request, decompressed bytes a body, requests a second and at once."""

    timeout: float = 30.0
    max_body: int = 25_000_000
    rate: float | None = None
    concurrency: int = 2


@dataclass(slots=True)
class Stats:
    """What a caller did so far: requests sent, body bytes read, retries, waits the provider asked for.

    `waited` is seconds spent waiting for a turn, whoever asked for it.
    """

    requests: int = 0
    bytes: int = 0
    retries: int = 0
    waits: int = 0
    waited: float = 0.0


@dataclass(slots=True)
class _Patience:
    """What is left of the tries and waits of one request."""

    retries: int = RETRIES
    waits: int = WAITS


class Caller:
    """Runs the exchanges of one source: authorised, paced, limited and, for reads, repeated within reason."""

    def __init__(
        self,
        session: ClientSession,
        credentials: Credentials,
        limits: Limits,
        wait_hint: WaitHint | None = None,
        clock: Clock | None = None,
        governor: Governor | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.stats = Stats()
        self._session = session
        self._limits = limits
        self._timeout = ClientTimeout(total=limits.timeout)
        self._wait_hint = wait_hint
        self._clock = clock or Clock()
        self._governor = governor or Pace(limits.rate, self._clock)
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._authoriser = Authoriser(credentials, self._purchase, self._clock.monotonic, tokens)

    async def run(self, exchange: Exchange[T], on_page: OnPage | None = None, memory: Memory | None = None) -> T:
        """Run one exchange; its pages go to `on_page`, which is awaited before the exchange goes on.

        With a `memory`, requests that may be validated ask conditionally. Raises what the exchange raises, and
        the provider's error when a token cannot be bought.
        """

        async def answer(step: Step) -> Answer:
            if isinstance(step, Page):
                if on_page is not None:
                    await on_page(step)
                return None
            if isinstance(step, Blocking):
                raise TypeError("a provider makes no calls that block")
            requests = (step,) if isinstance(step, Request) else step
            proofs = await _recalled(requests, memory)
            if isinstance(step, Request):
                return await self._slotted(step, proofs[0])
            return await together([self._slotted(*pair) for pair in zip(requests, proofs, strict=True)])

        return await drive(exchange, answer)

    async def _slotted(self, request: Request, proof: Proof | None) -> Response:
        asked = request
        if proof is not None and proof.etag:
            # The very text that was sent: W/ and quotes belong to it (RFC 9110, section 8.8.3).
            asked = replace(request, headers={**request.headers, "If-None-Match": proof.etag})
        async with self._slots:
            response = await self._insist(asked, authorise=request.authorise)
        return response if proof is None else _proven(request, response, proof)

    async def _purchase(self, exchange: Exchange[Token]) -> Token:
        return await drive(exchange, self._unslotted)

    async def _unslotted(self, step: Step) -> Answer:
        # A token is bought inside the slot of the request that needs it: a second slot might never come free.
        if not isinstance(step, Request):
            raise TypeError(f"buying a token takes single requests, not {type(step).__name__}")
        return await self._insist(step, authorise=False)

    async def _insist(self, request: Request, *, authorise: bool) -> Response:
        patience = _Patience()
        while True:
            try:
                response = await (self._authorised(request) if authorise else self._once(request, {}))
            except (TransportTimeout, ConnectFailed):
                if not request.idempotent or not patience.retries:
                    raise
                await self._clock.sleep(self._retry(patience))
            else:
                asked = await self._heed(response)
                if not request.idempotent or not await self._again(response, asked, patience):
                    return response

    async def _heed(self, response: Response) -> float | None:
        """Seconds that the answer asks to wait, None if it does not: all requests of the credential wait so long."""
        if response.status != 429 and response.status < 500:
            return None
        asked = self._asked(response)
        if asked is not None:
            await self._governor.pause(max(asked, exponential(1, 0.5, 8.0, self._clock.random)))
        return asked

    async def _again(self, response: Response, asked: float | None, patience: _Patience) -> bool:
        """Whether to ask again; a wait that was asked for is waited by the next request itself."""
        if response.status != 429 and response.status < 500:
            return False
        if asked is not None:
            if asked > LONGEST_WAIT or not patience.waits:
                return False
            patience.waits -= 1
            self.stats.waits += 1
            return True
        if not patience.retries:
            return False
        # Too many requests concern all that use this credential; a server error concerns this one alone.
        hold = self._governor.pause if response.status == 429 else self._clock.sleep
        await hold(self._retry(patience))
        return True

    def _asked(self, response: Response) -> float | None:
        header = retry_after(response.headers.get("retry-after"), made_at(response.headers, self._clock.now()))
        hint = self._wait_hint(response) if self._wait_hint and response.status in {429, 503} else None
        return max((wait for wait in (header, hint) if wait is not None), default=None)

    def _retry(self, patience: _Patience) -> float:
        """Use one retry; seconds to wait before it."""
        attempt = RETRIES - patience.retries + 1
        patience.retries -= 1
        self.stats.retries += 1
        return exponential(attempt, 0.5, 8.0, self._clock.random)

    async def _authorised(self, request: Request) -> Response:
        headers = await self._authoriser.headers()
        response = await self._once(request, headers)
        if response.status in {401, 403} and self._authoriser.renews:
            response = await self._once(request, await self._authoriser.headers(refused=headers))
        return response

    async def _once(self, request: Request, authorisation: Mapping[str, str]) -> Response:
        asked = self._clock.monotonic()
        await self._governor.acquire()
        started = self._clock.monotonic()
        self.stats.waited += started - asked
        self.stats.requests += 1
        outcome: Outcome = "lost"
        quota: Quota | None = None
        try:
            async with self._session.request(
                request.method,
                full_url(request),
                headers={**request.headers, **authorisation},
                data=request.body,
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                headers, address = headers_of(answer), peer_of(answer)
                outcome, quota = _load_of(answer.status), quota_of(headers, self._clock.now())
                body = await _whole_body(answer, self._limits.max_body)
        except NETWORK_ERRORS as error:
            ours = transport_error(error, request.url, self._limits.timeout)
            outcome = "bad" if isinstance(ours, TransportTimeout) else "lost"
            # `from None`: the chained aiohttp error may print the full URL, secrets included.
            raise ours from None
        finally:
            self._governor.observe(outcome, quota)
        self.stats.bytes += len(body)
        return Response(answer.status, headers, body, self._clock.monotonic() - started, address)


async def _recalled(requests: Sequence[Request], memory: Memory | None) -> Sequence[Proof | None]:
    """The proof for each request, None for those that are not validated."""
    asking = [request for request in requests if request.validate is not None]
    if memory is None or not asking:
        return [None] * len(requests)
    recalled = iter(await memory.recall(asking))
    return [next(recalled) if request.validate is not None else None for request in requests]


def _proven(request: Request, response: Response, proof: Proof) -> Response:
    """An answer with its proof: the remembered one with a 304 or the same bytes, else what there is to remember."""
    if response.status == 304 and proof.etag:
        headers = {**proof.headers, **response.headers}
        return Response(304, headers, response.body, response.elapsed, response.address, proof=proof)
    if response.status != 200:
        return response
    etag, digest = response.headers.get("etag", ""), sha256(response.body).digest()[:_DIGEST_SIZE]
    if digest == proof.digest and etag == proof.etag:
        return replace(response, proof=proof, repeated=True)
    kept = {name: response.headers[name] for name in request.validate or () if name in response.headers}
    fresh = Proof(proof.key, etag, kept, size=len(response.body), digest=digest)
    return replace(response, proof=fresh)


def _load_of(status: int) -> Outcome:
    if status in {429, 503}:
        return "bad"
    return "good" if status < 500 else "lost"


async def _whole_body(answer: ClientResponse, limit: int) -> bytes:
    """The body, decompressed; BodyTooLarge as soon as it is longer than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    while part := await answer.content.readany():
        size += len(part)
        if size > limit:
            answer.close()
            raise BodyTooLarge(f"{answer.url.host} answered more than {limit:,} bytes: raise max_body, or ask for less")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
