"""One cheap call to each source: its scan is run to its first page and no further."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

from monitor.bootstrap import open_sources
from monitor.clock import Clock
from monitor.errors import ProviderError, TransportError
from monitor.exchange import Answer, Exchange, Page, Response, ScanEnd
from monitor.moments import parse_instant, stamp
from monitor.pipeline.source import Source
from monitor.providers.base import ScanPlan
from monitor.settings import Settings
from monitor.values import elapsed

_QUOTA = {"limit": "ratelimit-limit", "remaining": "ratelimit-remaining"}


@dataclass(frozen=True, slots=True)
class Answered:
    """What a source answered: `items` on its first page (None when it failed), `error` in words, `quota` if it says.

    `ms` is the time until then, `expires_at` the end of its token where that is known.
    """

    source: str
    provider: str
    ok: bool
    items: int | None
    ms: int
    reason: str | None
    error: str | None
    quota: dict[str, int] | None
    expires_at: str | None

    def in_words(self) -> str:
        """The answer on a line."""
        said = [f"{self.items} items on the first page, {self.ms} ms"] if self.ok else [self.error or "no answer"]
        if self.quota:
            said.append(
                "quota: " + " of ".join(str(self.quota[one]) for one in ("remaining", "limit") if one in self.quota)
            )
        end = parse_instant(self.expires_at)
        if end is not None:
            left = end - Clock().now()
            said.append(
                f"token ends in {elapsed(left)}" if left.total_seconds() > 0 else f"token ended {self.expires_at}"
            )
        return "; ".join(said)


@dataclass(slots=True)
class _Seen:
    items: int = 0
    quota: dict[str, int] = field(default_factory=dict)


async def ask_sources(settings: Settings) -> list[Answered]:
    """Settings in, the answer of every enabled source out, in the order of the file; nothing is stored."""
    async with AsyncExitStack() as stack:
        sources = await open_sources(settings, Clock(), stack)
        asked = [one for one in sources.values() if one.options.enabled]
        return list(await asyncio.gather(*(_ask(one) for one in asked)))


async def _ask(source: Source) -> Answered:
    seen, began = _Seen(), time.perf_counter()
    reason = error = None
    try:
        await source.runner.run(_first_page(source.provider.scan(ScanPlan()), seen))
    except (ProviderError, TransportError) as caught:
        reason, error = caught.reason, str(caught)
    expires: datetime | None = source.provider.credentials().expires_at
    return Answered(
        source=source.name,
        provider=source.provider.vocabulary.provider,
        ok=reason is None,
        items=seen.items if reason is None else None,
        ms=round((time.perf_counter() - began) * 1000),
        reason=reason,
        error=error,
        quota=seen.quota or None,
        expires_at=stamp(expires) if expires else None,
    )


def _first_page(scan: Exchange[ScanEnd], seen: _Seen) -> Exchange[None]:
    """The same exchange, ended at its first page (or where it ends by itself: empty lists)."""
    answer: Answer = None
    try:
        while True:
            step = scan.send(answer)
            if isinstance(step, Page):
                seen.items = len(step.ids)
                return
            answer = yield step
            responses = answer if isinstance(answer, tuple) else (answer,)
            for response in responses:
                if isinstance(response, Response):
                    seen.quota.update(_quota(response))
    except StopIteration:
        return
    finally:
        scan.close()


def _quota(response: Response) -> dict[str, int]:
    """What the rate limit headers say, with or without the `x-` (Bindbee and DevRev send them)."""
    found = {}
    for name, header in _QUOTA.items():
        text = response.headers.get(header) or response.headers.get(f"x-{header}") or ""
        if text.isdecimal():
            found[name] = int(text)
    return found
