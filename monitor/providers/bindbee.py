"""bindbee: the jobs of an applicant tracking system, as Bindbee's unified API shows them.

`GET /api/ats/v1/jobs`, by cursor; https://docs.bindbee.dev. Only `cursor: null` ends the list; a short or
empty page does not. Relations come as text, list, objects or null, which must not read as a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import BeforeValidator, Field

from monitor.exchange import Exchange, Page, Request, Response, ScanEnd
from monitor.moments import parse_date, parse_instant
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
    Text,
    bearer,
)
from monitor.providers.items import (
    Wrapped,
    parse,
    split,
    stamp_of,
    state_of,
    token_end,
    unwrap,
    without,
    words,
)
from monitor.providers.walks import look_up_each, walk_by_cursor
from monitor.resources import Resource
from monitor.values import Duration
from monitor.vocabulary import Kind, Vocabulary, as_set

NAME = "bindbee"
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

    provider: Literal["bindbee"]
    base_url: RootUrl = Field(default="https://api.bindbee.dev", description="or https://api-eu.bindbee.dev")
    token: HeaderSecret = Field(description="API key of the environment, sent as bearer token")
    connector_token: HeaderSecret = Field(description="x-connector-token of one customer's ATS connector")
    ids: Many[Text] | None = Field(default=None, description="only these jobs")
    remote_id: Text | None = Field(default=None, description="only the job with this id in the customer's ATS")
    code: Text | None = Field(default=None, description="only jobs with this code")
    status: Text | None = Field(default=None, description="only jobs with this status, such as OPEN")
    offices: Many[Text] | None = Field(default=None, description="only jobs in these offices")
    include_raw_data: bool = Field(default=False, description="keep the ATS's own data too")
    include_custom_fields: bool = Field(default=False, description="keep custom fields too")
    page_size: int = Field(default=100, ge=1, le=200, description="jobs a page")
    modified_after: Annotated[str, BeforeValidator(_moment)] | None = Field(
        default=None, description="only jobs that Bindbee wrote after this time (ISO 8601)"
    )
    expand: Many[Text] | None = Field(default=None, description="relations in full: departments[id,name]")
    full_every: Duration | None = Field(default=21_600.0, description="how often everything is walked")


# States: https://docs.bindbee.dev, enum values of AtsJob.status; `-` means that the source gave none.
VOCABULARY = Vocabulary(
    provider=NAME,
    kinds={
        "job": Kind(
            tracked=(
                "name",
                "code",
                "confidential",
                "departments",
                "offices",
                "hiring_managers",
                "recruiters",
                "job_posting_urls",
            ),
            states=frozenset({"OPEN", "CLOSED", "DRAFT", "ARCHIVED", "PENDING"}),
            shapes=dict.fromkeys(
                ("departments", "offices", "hiring_managers", "recruiters", "job_posting_urls"), as_set
            ),
        )
    },
)


class _List(msgspec.Struct):
    items: list[msgspec.Raw]
    cursor: str | UnsetType | None = UNSET


class Bindbee:
    """One bindbee source."""

    vocabulary = VOCABULARY

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self._options = options
        self._url = f"{options.base_url}/api/ats/v1/jobs"
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

    def scan(self, plan: ScanPlan) -> Exchange[ScanEnd]:  # noqa: ARG002 - every walk is a full one
        """Walk all jobs that the options let through, with the same parameters on every page."""
        fixed = self._narrowing() | self._form()

        def request(cursor: str | None) -> Request:
            params = fixed if cursor is None else fixed | {"cursor": cursor}
            return Request("GET", self._url, params=params, headers=JSON)

        def read(number: int, asked: Request, response: Response) -> tuple[Page, str | UnsetType | None]:
            answer = self._reader.data(asked, response, self._list)
            return split(answer.items, f"{NAME}: page {number}"), answer.cursor

        return walk_by_cursor(request, read, where=NAME, max_pages=self._options.max_pages)

    def expects(self, item: Resource) -> bool:  # noqa: ARG002 - see below
        """Every walk is a full one."""
        return False

    def look_up(self, ids: Sequence[str]) -> Exchange[LookUp] | None:
        """Ask for each job by its id, in the same form as the list gives it."""

        def request(id_: str) -> Request:
            return Request("GET", f"{self._url}/{quote(id_, safe='')}", params=self._form(), headers=JSON)

        def read(asked: Request, response: Response) -> Page:
            one = self._reader.data(asked, response, self._one)
            return split([unwrap(one, response.body)], f"{NAME}: {asked.url}")

        return look_up_each(ids, request, read, where=NAME)

    def _narrowing(self) -> dict[str, str]:
        """The parameters that say which jobs are listed, and how many a page."""
        options = self._options
        given = {
            "ids": ",".join(options.ids or ()),
            "remote_id": options.remote_id,
            "code": options.code,
            "status": options.status,
            "offices": ",".join(options.offices or ()),
            "modified_after": options.modified_after,
            "page_size": str(options.page_size),
        }
        return {name: value for name, value in given.items() if value}

    def _form(self) -> dict[str, str]:
        """The parameters that say how much of each job is shown."""
        options = self._options
        given = {
            "include_raw_data": "true" if options.include_raw_data else "",
            "include_custom_fields": "true" if options.include_custom_fields else "",
            "expand": "".join(",".join(options.expand or ()).split()),
        }
        return {name: value for name, value in given.items() if value}

    def resources(self, raw: bytes) -> list[Resource]:
        """One job in, the same as a resource out."""
        id_, item = parse(raw, NAME)
        return [
            Resource(
                kind="job",
                id=id_,
                title=words(item.get("name"), item.get("code")) or f"Job {id_}",
                state=state_of(item.get("status")),
                fields=without(item, {"id", "status"}),
                stamp=stamp_of(item.get("modified_at")),
            )
        ]

    def wait_hint(self, response: Response) -> float | None:
        """X-RateLimit-Reset of a 429 that has no Retry-After."""
        return until_reset(response)


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
