"""Which pages of a source a 304 or their own bytes may vouch for, and what is remembered of them.

A validator, or the hash of a page's bytes, is kept by the very commit that stores what stands on the page: a
commit that is lost takes it along. It is kept only when everything on the page was stored, and it counts only when
the scan just before was complete and met no item twice, so that no other page can have changed an item since. Now
and then a scan asks for everything all the same, to find servers whose validators lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain

import structlog

from monitor.exchange import Page, Proof, Request
from monitor.pipeline.source import Source
from monitor.pipeline.tally import Tally
from monitor.providers.base import identity
from monitor.store.pages import PageCommit, Pages, Remembered

AUDIT_EVERY = 20
"""Scans; every one of so many asks for all pages unconditionally."""


@dataclass(slots=True)
class Proofs:
    """The validators of one source during one scan: `trusted` ones are sent, unless this is an `audit`.

    `alive` holds the hashes of the keys of pages that are remembered at the end of the scan.
    """

    pages: Pages
    source: str
    naming: bytes
    trusted: bool
    audit: bool
    alive: set[int] = field(default_factory=set)
    lies: int = 0
    used: bool = False
    _known: dict[bytes, Remembered] = field(default_factory=dict)

    async def recall(self, requests: Sequence[Request]) -> Sequence[Proof]:
        """The proof of each request; one without etag and digest where nothing may be vouched for."""
        self.used = True
        keys = [self._key(request) for request in requests]
        found = await self.pages.recall(self.source, keys)
        self._known |= {key: page for key, page in zip(keys, found, strict=True) if page is not None}
        if not self.trusted or self.audit:
            return [Proof(key) for key in keys]
        return [
            Proof(key, page.etag, page.headers, page.ids, page.size, page.digest) if page is not None else Proof(key)
            for key, page in zip(keys, found, strict=True)
        ]

    def _key(self, request: Request) -> bytes:
        texts = [request.method, request.url, *chain.from_iterable(sorted(request.params.items()))]
        parts = [*map(str.encode, texts), request.body or b""]
        # With their lengths, so that no two requests read alike.
        named = b"%b\n%b" % (b" ".join([b"%d" % len(part) for part in parts]), b"".join(parts))
        return blake2b(named, digest_size=16, key=self.naming).digest()

    def vouched(self, proof: Proof) -> None:
        """A 304 or the same bytes have come for this page."""
        self._known.pop(proof.key, None)
        self.alive.add(hash(proof.key))

    def unchanged(self, page: Page) -> PageCommit | None:
        """A page that was read and holds nothing new in, what to write of it out: nothing if that is remembered."""
        known = self._known.get(page.proof.key) if page.proof is not None else None
        if page.proof is not None and known and (known.etag, known.digest) == (page.proof.etag, page.proof.digest):
            self.vouched(page.proof)
            return None
        return self.stored(page, whole=True, told=False)

    def stored(self, page: Page, *, whole: bool, told: bool) -> PageCommit | None:
        """A page with changes in, what to write in the commit of its items out.

        It is remembered when its items are stored `whole`. `told` says that there is news on it: then a server
        that calls it the page it was before lies.
        """
        proof = page.proof
        if proof is None:
            return None
        known = self._known.pop(proof.key, None)
        self.lies += told and self.trusted and bool(proof.etag) and known is not None and known.etag == proof.etag
        if not (whole and (proof.etag or proof.digest)):
            self.alive.discard(hash(proof.key))
            return PageCommit(proof.key, None)
        self.alive.add(hash(proof.key))
        return PageCommit(proof.key, Remembered(proof.etag, proof.headers, page.ids, proof.size, proof.digest))

    async def close(self, source: Source, tally: Tally, reason: str | None, epoch: int) -> dict[str, str | int]:
        """A scan that ended with this reason in, what to remember of it out: fields of the source's state."""
        if not self.used:
            return {}
        if self.lies:
            await self.pages.forget_others(self.source, frozenset())
            structlog.get_logger().warning("source.validators_lie", source=source.name, pages=self.lies)
            return {"lied": source.config.hex()}
        if reason is None and not tally.duplicates:
            await self.pages.forget_others(self.source, self.alive)
            audited = {} if self.trusted and not self.audit else {"audited": epoch}
            return {"vouched": epoch, **audited}
        untouched = tally.changed == tally.removed == tally.unreadable == 0
        return {"vouched": epoch} if reason == "throttled" and self.trusted and untouched else {}


def proofs_of(pages: Pages, source: Source, state: Mapping[str, str], epoch: int) -> Proofs | None:
    """What a scan of this epoch may take for unchanged; None once the server's validators were found to lie.

    Pages are remembered by request, credentials and config: another config or account asks for all anew.
    """
    if state.get("lied") == source.config.hex():
        return None
    provider, options = source.provider, source.options
    who = identity(provider.vocabulary.provider, options.base_url, provider.credentials(), source.name)
    naming = blake2b(who.encode(), digest_size=32, key=source.config).digest()
    trusted = state.get("vouched") == str(epoch - 1)
    audit = epoch - int(state.get("audited", "0")) >= AUDIT_EVERY
    return Proofs(pages, source.name, naming, trusted, audit)
