"""Asking for items by id: what became of those that a walk did not show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec import Raw

from monitor.errors import (
    CredentialsRejected,
    JobwireError,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    TransportError,
    UnexpectedAnswer,
)
from monitor.exchange import Exchange, Page, Request, Response, ask_together
from monitor.providers.base import LookUp

TOGETHER = 8
"""Ids that are asked for at once; the runner keeps within the source's own limits."""


def look_up_each(
    ids: Sequence[str],
    request: Callable[[str], Request],
    read: Callable[[Request, Response], Page],
    *,
    where: str,
    elsewhere: frozenset[int] = frozenset(),
) -> Exchange[LookUp]:
    """Ask for each id by itself, several at once; 404 and 410 say that it is gone.

    `read` gives the page of one item in an answer; one about another id is an UnexpectedAnswer. Statuses
    in `elsewhere` say that an id is neither here nor gone. An id that cannot be learnt about leaves a flaw and holds
    up no other; no answer, rejected credentials and a wish to be left alone end the asking. The first flaw is raised
    when nothing was learnt at all.
    """
    found = _Found(where)
    for start in range(0, len(ids), TOGETHER):
        group = ids[start : start + TOGETHER]
        requests = [request(id_) for id_ in group]
        try:
            for id_, asked, response in zip(group, requests, (yield from ask_together(requests)), strict=True):
                if response.status in {404, 410}:
                    found.gone.append(id_)
                elif response.status not in elsewhere:
                    found.take(id_, asked, response, read)
        except (TransportError, ProviderThrottled, CredentialsRejected) as error:
            found.flaws.append(error)
            break
    if found.flaws and not found.ids and not found.gone:
        raise found.flaws[0]
    return LookUp(Page(found.ids, found.raws), tuple(found.gone), tuple(map(str, found.flaws)))


@dataclass(slots=True)
class _Found:
    """What a look-up has learnt so far."""

    where: str
    ids: list[str] = field(default_factory=list)
    raws: list[Raw | bytes] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    flaws: list[JobwireError] = field(default_factory=list)

    def take(self, id_: str, asked: Request, response: Response, read: Callable[[Request, Response], Page]) -> None:
        try:
            page = read(asked, response)
        except (ProviderUnavailable, ProviderRejected, UnexpectedAnswer) as error:
            self.flaws.append(error)
            return
        if list(page.ids) == [id_]:
            self.ids.extend(page.ids)
            self.raws.extend(page.raws)
        else:
            said = f"{self.where}: asked for {id_}, answered with {', '.join(page.ids)}"
            self.flaws.append(UnexpectedAnswer(said))
