"""Whether Bindbee's copy of a customer's data is kept up: the connector behind the lists.

`GET /api/ats/v1/connectors`, with the API key alone; https://docs.bindbee.dev/api-reference/connectors/get-connectors.
Reads go on answering 200 with old data when the customer's credentials or a sync have failed: only this call tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from pydantic import SecretStr

from monitor.errors import TransportError
from monitor.exchange import Exchange, Notice, Request, Response, ask
from monitor.moments import stamp
from monitor.providers.answers import date_of
from monitor.providers.items import words
from monitor.providers.watermark import moment_of

EVERY = timedelta(minutes=5)
LATE_BY = timedelta(hours=1)
"""A sync that is so much behind its own schedule is late."""
LONGEST_SYNC = timedelta(hours=24)
_PAGES = 10


class _Connector(msgspec.Struct):
    connector_token: Any = None
    status: Any = None
    sync_status: Any = None
    last_sync_start_time: Any = None
    next_sync_start_time: Any = None
    relink_needed_at: Any = None
    is_test_connector: Any = None
    avg_sync_duration: Any = msgspec.UNSET
    end_user: Any = None
    integration_slug: Any = None

    @property
    def name(self) -> str:
        """Whose connector it is, for people."""
        slug = words(self.integration_slug)
        return f"The connector of {words(self.end_user) or 'this customer'}" + (f" ({slug})" if slug else "")


class _Connectors(msgspec.Struct):
    items: list[_Connector]
    cursor: str | None = None


_decoder = msgspec.json.Decoder(_Connectors)
_told = msgspec.json.Decoder(tuple[str, str, str | None])


class _NoAnswer(Exception):
    """Nothing was learnt this time."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of the connector: what is wrong, if anything, and hints for the next look.

    `first_sync` says that it has never yet finished a sync: lists show a part of the data, unmarked.
    """

    notices: tuple[Notice, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)
    first_sync: bool = False


@dataclass(frozen=True, slots=True)
class Connector:
    """The connector of one source: where connectors are listed, and the token that tells ours from the others."""

    url: str
    token: SecretStr

    def look(self, hints: Mapping[str, str], now: datetime | None) -> Exchange[Health]:
        """Ask how the connector is, or repeat what was learnt less than five minutes before `now`.

        `now` is the provider's own clock. An API that does not show connectors is taken as it is.
        """
        before = _notices(hints.get("connector"))
        last = moment_of(hints.get("connector_at"))
        if now is not None and last is not None and timedelta() <= now - last < EVERY:
            return Health(before, hints)
        asked = {"connector_at": stamp(now)} if now is not None else {}
        try:
            found, at = yield from self._find()
        except (TransportError, _NoAnswer):
            return Health(before, _hints(before) | asked)
        notice = _judge(found, at) if found is not None else None
        notices = (notice,) if notice is not None else ()
        return Health(notices, _hints(notices) | asked, found is not None and _first_sync(found))

    def _find(self) -> Exchange[tuple[_Connector | None, datetime | None]]:
        # The call could filter by token, but a secret has no place in a URL.
        params = {"page_size": "100"}
        for _ in range(_PAGES):
            response = yield from ask(Request("GET", self.url, params=params, headers={"Accept": "application/json"}))
            if response.status in {401, 403, 404}:
                return None, None
            answer = _read(response)
            for one in answer.items:
                if one.connector_token == self.token.get_secret_value():
                    return one, date_of(response)
            if not answer.cursor:
                break
            params = {"page_size": "100", "cursor": answer.cursor}
        return None, None


def _read(response: Response) -> _Connectors:
    try:
        answer = _decoder.decode(response.body) if response.status == 200 else None
    except (ValueError, RecursionError):
        answer = None
    if answer is None:
        raise _NoAnswer
    return answer


def _judge(one: _Connector, now: datetime | None) -> Notice | None:
    """https://docs.bindbee.dev: `status` says whether the credentials are good, `sync_status` whether data arrives."""
    old = "Its data can still be read and is not brought up to date."
    if one.status == "RELINK_NEEDED":
        since = _text(one.relink_needed_at)
        return Notice("relink_needed", f"{one.name} has to be linked again by the customer. {old}", since)
    if one.status == "INCOMPLETE":
        return Notice("not_linked", f"{one.name} has not been linked by the customer yet: there is no data.")
    if one.sync_status == "Failed":
        since = _text(one.last_sync_start_time)
        return Notice("sync_failed", f"The last sync failed. {one.name} needs a look in Bindbee. {old}", since)
    return _late(one, now, old) if now is not None and one.is_test_connector is not True else None


def _late(one: _Connector, now: datetime, old: str) -> Notice | None:
    due, began = moment_of(one.next_sync_start_time), moment_of(one.last_sync_start_time)
    if one.sync_status == "Syncing":
        if began is None or now - began < LONGEST_SYNC:
            return None
        return Notice("sync_late", f"{one.name} has been syncing for more than a day. {old}", stamp(began))
    if due is None or now - due < LATE_BY:
        return None
    return Notice("sync_late", f"{one.name} should have synced and did not. {old}", stamp(due))


def _first_sync(one: _Connector) -> bool:
    """The average duration is null until a sync has ended; older answers do not have the field at all."""
    return one.sync_status == "Syncing" and one.avg_sync_duration is None


def _text(value: Any) -> str | None:
    moment = moment_of(value)
    return stamp(moment) if moment is not None else None


def _hints(notices: tuple[Notice, ...]) -> dict[str, str]:
    if not notices:
        return {}
    one = notices[0]
    return {"connector": msgspec.json.encode((one.what, one.text, one.since)).decode()}


def _notices(told: str | None) -> tuple[Notice, ...]:
    try:
        return (Notice(*_told.decode(told)),) if told is not None else ()
    except ValueError:
        return ()
