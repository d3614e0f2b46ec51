"""bindbee: the jobs of an applicant tracking system, as Bindbee's unified API shows them.

`GET /api/ats/v1/jobs`, by cursor; https://docs.bindbee.dev. Only `cursor: null` ends the list; a short or
empty page does not. Relations come as text, list, objects or null, which must not read as a change.

A narrow walk asks for what Bindbee has written since the walk before it (`modified_after`). That is its own
clock: after a full resync everything comes back unchanged. Deletions show in full walks only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import BeforeValidator, Field

from monitor.exchange import Exchange, Page, Request, Response, ScanEnd
from monitor.moments import parse_date, parse_instant, stamp
from monitor.plugin import Plugin
from monitor.providers.answers import Reader, until_reset
from monitor.providers.base import (
    Credentials,
    HeaderSecret,
    LookUp,
    Many,
    Provider,
    RootUrl,
    ScanPlan,
    SourceOptions,
    bearer,
)
from monitor.providers.bindbee_connector import Connector
from monitor.providers.bindbee_kinds import LISTS, NAME, VOCABULARY, KindName, marked, parted, resource_of
from monitor.providers.items import Wrapped, json_text, split, token_end, unwrap, words
from monitor.providers.lookups import look_up_each
from monitor.providers.walks import Refused, probing, walk_by_cursor
from monitor.providers.watermark import Newest, floor_of
from monitor.resources import Resource
from monitor.values import Duration, Text

JSON = {"Accept": "application/json"}


def _moment(value: Any) -> Any:
    """YAML reads an unquoted time as one; the API takes ISO 8601, and counts one without a zone as UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if parse_instant(value) is None and parse_date(value) is None:
        raise ValueError("is not a time: write ISO 8601, such as 2024-02-21T21:22:12.993Z")
    return value


class Options(SourceOptions):
    """Options of a bindbee source: an API key, the customer's connector token, and what the list is narrowed to."""

    SCOPE = ("kinds", "ids", "remote_id", "code", "status", "offices", "modified_after")

    provider: Literal["bindbee"]
    base_url: RootUrl = Field(default="https://api.bindbee.dev", description="or https://api-eu.bindbee.dev")
    token: HeaderSecret = Field(description="API key of the environment, sent as bearer token")
    connector_token: HeaderSecret = Field(description="x-connector-token of one customer's ATS connector")
    kinds: Many[KindName] = Field(
        default=["job"], description="which lists are watched: `job`, `interview`, `offer`, `application`"
    )
    ids: Many[Text] | None = Field(default=None, description="only these jobs")
    remote_id: Text | None = Field(default=None, description="only the job with this id in the customer's ATS")
    code: Text | None = Field(default=None, description="only jobs with this code")
    status: Text | None = Field(default=None, description="only jobs with this status, such as OPEN")
    offices: Many[Text] | None = Field(default=None, description="only jobs in these offices")
    include_raw_data: bool = Field(default=False, description="keep the ATS's own data too")
    include_custom_fields: bool = Field(default=False, description="keep custom fields too")
    page_size: int = Field(default=100, ge=1, le=200, description="records a page")
    modified_after: Annotated[str, BeforeValidator(_moment)] | None = Field(
        default=None, description="only records that Bindbee wrote after this time (ISO 8601)"
    )
    expand: Many[Text] | None = Field(default=None, description="relations of jobs in full: departments[id,name]")
    full_every: Duration | None = Field(default=21_600.0, description="how often everything is walked")


class _List(msgspec.Struct):
    items: list[msgspec.Raw]
    cursor: str | UnsetType | None = UNSET


class _Stamped(msgspec.Struct):
    modified_at: Any = None


_stamped = msgspec.json.Decoder(_Stamped).decode
_marks = msgspec.json.Decoder(dict[str, str])


def _modified(row: msgspec.Raw | bytes) -> object:
    return _stamped(row).modified_at


class Bindbee:
    """One bindbee source."""

    vocabulary = VOCABULARY

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self._options = options
        self._kinds = tuple(dict.fromkeys(options.kinds))
        self._filters = _filters(options)
        self._connector = Connector(f"{options.base_url}/api/ats/v1/connectors", options.connector_token)
        self._reader = Reader(
            NAME,
            check="the options that narrow the list, and page_size",
            said=_said,
            hint=self.wait_hint,
            secrets=(options.token, options.connector_token),
        )
        self._list = msgspec.json.Decoder(_List)
        self._one = msgspec.json.Decoder(Wrapped)

    def credentials(self) -> Credentials:
        """The API key and the connector token, both fixed."""
        token, connector = self._options.token, self._options.connector_token
        headers = {"Authorization": bearer(token), "x-connector-token": connector}
        return Credentials(headers=headers, expires_at=token_end(token))

    def scan(self, plan: ScanPlan) -> Exchange[ScanEnd]:
        """Walk each list: all that the options let through, or what was written since the walk before it.

        Where the API does not take our time, every walk is full; it is tried again after each full walk that is due.
        """
        before = _marks_of(plan.since)
        refused = not plan.full and plan.hints.get("modified_after") == "refused"
        marks: dict[str, str | None] = {}
        flaws, whole, now = [], True, None
        for kind in self._kinds:
            newest = Newest(_modified)
            after = None if plan.full or refused else self._after(kind, before.get(kind))
            try:
                end = yield from self._walk(kind, after, newest)
            except Refused:
                refused, after, newest = True, None, Newest(_modified)
                end = yield from self._walk(kind, after, newest)
            flaws += [f"list {LISTS[kind]}: {end.reason}"] if not end.complete else []
            marks[kind] = newest.watermark(before.get(kind))
            whole, now = whole and after is None, newest.began
        health = yield from self._connector.look(plan.hints, now)
        if health.first_sync and not before:
            flaws.append("the connector's first sync is still running: the lists show a part of the data")
        return ScanEnd(
            complete=not flaws,
            reason="; ".join(flaws) or None,
            full=whole and not plan.full,
            watermark=_since_of(marks),
            hints=_with_refusal(health.hints, refused=refused),
            notices=health.notices,
        )

    def _after(self, kind: KindName, mark: str | None) -> str | None:
        """From when on a narrow walk asks for changes; None where it has to be a full one.

        What a filter of the user's lets go is in no list of changes, so a filtered list is walked whole.
        """
        floor = floor_of(mark)
        if floor is None or (kind == "job" and self._filters):
            return None
        own = self._options.modified_after
        wanted = parse_instant(own) or parse_instant(f"{own}T00:00:00Z") if own is not None else None
        return own if wanted is not None and wanted > floor else stamp(floor)

    def _walk(self, kind: KindName, after: str | None, newest: Newest) -> Exchange[ScanEnd]:
        """One list, with the same parameters on every page: the cursor holds no filter."""
        fixed = {"page_size": str(self._options.page_size)} | self._form(kind)
        fixed |= self._filters if kind == "job" else {}
        if since := after or self._options.modified_after:
            fixed["modified_after"] = since

        def request(cursor: str | None) -> Request:
            params = fixed if cursor is None else fixed | {"cursor": cursor}
            return Request("GET", self._url(kind), params=params, headers=JSON)

        def read(number: int, asked: Request, response: Response) -> tuple[Page, str | UnsetType | None]:
            answer = self._reader.data(asked, response, self._list)
            return split(answer.items, f"{NAME}: page {number} of {LISTS[kind]}"), answer.cursor

        def mark(number: int, asked: Request, response: Response) -> tuple[Page, str | UnsetType | None]:
            page, following = seeing(number, asked, response)
            return marked(kind, page), following

        seeing = newest.seeing(read)
        seen = mark if after is None else probing(mark)
        return walk_by_cursor(request, seen, where=f"{NAME}: {LISTS[kind]}", max_pages=self._options.max_pages)

    def expects(self, item: Resource) -> bool:  # noqa: ARG002 - see below
        """A narrow walk shows changes only."""
        return False

    def look_up(self, ids: Sequence[str]) -> Exchange[LookUp] | None:
        """Ask for each record by its id, in the same form as its list gives it."""

        def request(item_id: str) -> Request:
            kind, id_ = parted(item_id)
            return Request("GET", f"{self._url(kind)}/{quote(id_, safe='')}", params=self._form(kind), headers=JSON)

        def read(asked: Request, response: Response) -> Page:
            one = self._reader.data(asked, response, self._one)
            page = split([unwrap(one, response.body)], f"{NAME}: {asked.url}")
            return marked(next(kind for kind in LISTS if asked.url.startswith(f"{self._url(kind)}/")), page)

        return look_up_each(ids, request, read, where=NAME)

    def _url(self, kind: KindName) -> str:
        return f"{self._options.base_url}/api/ats/v1/{LISTS[kind]}"

    def _form(self, kind: KindName) -> dict[str, str]:
        """The parameters that say how much of each record is shown."""
        options = self._options
        expand = "current_stage[id,name]" if kind == "application" else ""
        given = {
            "include_raw_data": "true" if options.include_raw_data else "",
            "include_custom_fields": "true" if options.include_custom_fields else "",
            "expand": "".join(",".join(options.expand or ()).split()) if kind == "job" else expand,
        }
        return {name: value for name, value in given.items() if value}

    def resources(self, raw: bytes) -> list[Resource]:
        """One record in, the same as a resource out."""
        return [resource_of(raw)]

    def wait_hint(self, response: Response) -> float | None:
        """X-RateLimit-Reset of a 429 that has no Retry-After."""
        return until_reset(response)


def _with_refusal(hints: Mapping[str, str], *, refused: bool) -> dict[str, str]:
    kept = {name: value for name, value in hints.items() if name != "modified_after"}
    return kept | ({"modified_after": "refused"} if refused else {})


def _filters(options: Options) -> dict[str, str]:
    """The parameters that say which jobs are listed."""
    given = {
        "ids": ",".join(options.ids or ()),
        "remote_id": options.remote_id,
        "code": options.code,
        "status": options.status,
        "offices": ",".join(options.offices or ()),
    }
    return {name: value for name, value in given.items() if value}


def _marks_of(since: str | None) -> Mapping[str, str]:
    """A watermark in, how far each list was read out."""
    if since is None or not since.startswith("{"):
        return {} if since is None else {"job": since}
    try:
        return _marks.decode(since)
    except (ValueError, RecursionError):
        return {}


def _since_of(marks: Mapping[str, str | None]) -> str | None:
    """How far each list was read in, the watermark out: a time where it is for jobs alone, else one for each."""
    known = {kind: mark for kind, mark in marks.items() if mark is not None}
    return known.get("job") if known.keys() <= {"job"} else json_text(known)


def _said(body: Any) -> str | None:
    """`detail` is a text, or on 422 a list of `{loc, msg, type}`."""
    detail = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(detail, list):
        return words(detail)
    return "; ".join(_complaint(one) for one in detail if isinstance(one, dict)) or None


def _complaint(one: dict[str, Any]) -> str:
    where = one.get("loc")
    place = ".".join(str(part) for part in where) if isinstance(where, list) else words(where)
    return ": ".join(filter(None, (place, words(one.get("msg"), one.get("type")))))


def build(name: str, options: Options) -> Provider:
    """The source's name and its validated options in, the provider out."""
    return Bindbee(name, options)


PLUGIN: Plugin[Options, Provider] = Plugin(Options, build)
