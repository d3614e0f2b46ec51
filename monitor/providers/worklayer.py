"""worklayer: the jobs of a workspace at Taxfyle's Worklayer.

`GET /v1.0/jobs`, by page token; https://docs.taxfyle.com/jobs/list-jobs and .../concepts/authentication.
The filter knows no update time, so a narrow walk is one of all jobs that are not closed: what has left it is
asked for by id. Times carry 3, 6 or 7 fraction digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field, SecretStr, model_validator

from monitor.exchange import Exchange, Page, Request, Response, ScanEnd, ask
from monitor.plugin import Plugin
from monitor.providers.answers import Reader
from monitor.providers.base import (
    Credentials,
    HeaderSecret,
    LookUp,
    Provider,
    RootUrl,
    ScanPlan,
    SourceOptions,
    Token,
    bearer,
)
from monitor.providers.items import (
    Wrapped,
    json_text,
    parse,
    split,
    stamp_of,
    state_of,
    token_end,
    unwrap,
    without,
    words,
)
from monitor.providers.lookups import look_up_each
from monitor.providers.walks import ReadPage, Refused, probing, walk_by_cursor
from monitor.providers.worklayer_filter import open_jobs
from monitor.resources import Resource
from monitor.values import Duration, Secret, Text
from monitor.vocabulary import DeadlineRule, Kind, NamedChange, Vocabulary

NAME = "worklayer"
HOUR = 3_600.0
JSON = {"Accept": "application/json"}

CLOSED = "CLOSED"

# The literal of the cancelled state is published nowhere, so both spellings count as over.
OVER = frozenset({CLOSED, "CANCELED", "CANCELLED"})


class Options(SourceOptions):
    """Options of a worklayer source: a fixed `token`, or `client_id` and `client_secret` to buy tokens with."""

    SCOPE = ("filter",)

    provider: Literal["worklayer"]
    base_url: RootUrl = Field(default="https://api.worklayer.com", description="host root of the API")
    token: HeaderSecret | None = Field(default=None, description="a fixed bearer token")
    client_id: Text | None = Field(default=None, description="client of the OAuth2 client credentials grant")
    client_secret: Secret | None = Field(default=None, min_length=1, description="its secret")
    token_url: RootUrl = Field(default="https://taxfyle.auth0.com/oauth/token", description="where tokens are bought")
    audience: Text = Field(
        default="https://api.worklayer.com/public/", description="audience that tokens are asked for"
    )
    filter: Text | None = Field(
        default=None, description='which jobs are listed, as documented: status!="CLOSED" AND ...'
    )
    page_size: int = Field(default=100, ge=1, le=1000, description="jobs a page; the API's own default is 50")
    full_every: Duration | None = Field(default=86_400.0, description="how often everything is walked")

    @model_validator(mode="after")
    def _one_way_in(self) -> Options:
        pair = (self.client_id, self.client_secret)
        if self.token is None and None in pair:
            missing = [name for name, value in zip(("client_id", "client_secret"), pair, strict=True) if not value]
            raise ValueError(f"needs token, or client_id and client_secret: {' and '.join(missing)} missing")
        if self.token is not None and pair != (None, None):
            raise ValueError("has both token and client_id or client_secret: give one way in")
        return self


def _by_user_and_role(members: Any) -> Any:
    """Shape of `members`: who is on the job and as what, in any order; names and pictures do not count."""
    if not isinstance(members, list):
        return [] if members is None else members
    return sorted(
        json_text([member.get("user_id"), member.get("role")]) if isinstance(member, dict) else json_text(member)
        for member in members
    )


# States: https://docs.taxfyle.com/jobs/job-resource
VOCABULARY = Vocabulary(
    provider=NAME,
    kinds={
        "job": Kind(
            tracked=("name", "description", "total_amount", "deadline_time", "transmit_time", "members"),
            busy=frozenset({"INFO_GATHERING", "UNCLAIMED"}),
            states=frozenset({"UNDER_CONSTRUCTION", "INFO_GATHERING", "UNCLAIMED", "CLAIMED", "CLOSED"}),
            shapes={"members": _by_user_and_role},
            named=(NamedChange("members_changed", frozenset({"members"})),),
            optional=frozenset({"workspace_id"}),
            deadlines=(
                DeadlineRule(
                    type="worklayer.job.deadline_approaching",
                    after="worklayer.job.deadline_missed",
                    field="deadline_time",
                    unit="instant",
                    before=(72 * HOUR, 24 * HOUR, 4 * HOUR),
                    alive=lambda state: state not in OVER,
                ),
            ),
        )
    },
)


class _List(msgspec.Struct):
    data: list[msgspec.Raw]
    next_page_token: str | None = None


class _Bought(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class Worklayer:
    """One worklayer source."""

    vocabulary = VOCABULARY

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self._options = options
        self._url = f"{options.base_url}/v1.0/jobs"
        self._open = open_jobs(options.filter)
        secrets = tuple(secret for secret in (options.token, options.client_secret) if secret is not None)
        self._reader = Reader(NAME, check="filter and page_size", secrets=secrets)
        self._list = msgspec.json.Decoder(_List)
        self._one = msgspec.json.Decoder(Wrapped)
        self._bought = msgspec.json.Decoder(_Bought)

    def credentials(self) -> Credentials:
        """A fixed bearer token, or one that is bought by the client credentials grant and lives an hour."""
        token = self._options.token
        if token is None:
            return Credentials(buy=self._buy, account=self._account())
        return Credentials(headers={"Authorization": bearer(token)}, expires_at=token_end(token))

    def _account(self) -> SecretStr:
        options, secret = self._options, self._options.client_secret
        known = (options.token_url, options.audience, options.client_id, secret and secret.get_secret_value())
        return SecretStr("\n".join(part or "" for part in known))

    def _buy(self) -> Exchange[Token]:
        """https://docs.taxfyle.com/concepts/authentication and RFC 6749, section 4.4."""
        secret = self._options.client_secret
        grant = {
            "grant_type": "client_credentials",
            "client_id": self._options.client_id,
            "client_secret": secret.get_secret_value() if secret else None,
            "audience": self._options.audience,
        }
        headers = JSON | {"Content-Type": "application/json"}
        body = msgspec.json.encode(grant)
        request = Request("POST", self._options.token_url, headers=headers, body=body, authorise=False)
        response = yield from ask(request)
        if response.status in {400, 401, 403}:
            raise self._reader.refused(request, response, "check client_id, client_secret and audience")
        bought = self._reader.data(request, response, self._bought)
        if not bought.access_token or not all("!" <= char <= "~" for char in bought.access_token):
            raise self._reader.unexpected(request, "holds a token that cannot be sent in a header")
        return Token(SecretStr(bought.access_token), max(1.0, bought.expires_in))

    def scan(self, plan: ScanPlan) -> Exchange[ScanEnd]:
        """Walk the jobs that are not closed or, in a full walk, all that the user's filter lets through.

        Where no filter of ours can be joined to the user's, or the API does not take it, every walk is full;
        it is tried again after each full walk that is due.
        """
        hints = {} if plan.full else dict(plan.hints)
        if not plan.full and self._open is not None and hints.get("filter") != "refused":
            try:
                return (yield from self._walk(self._open, probing(self._read)))
            except Refused:
                hints["filter"] = "refused"
        end = yield from self._walk(self._options.filter, self._read)
        return replace(end, full=not plan.full, hints=hints)

    def _walk(self, filter_: str | None, read: ReadPage) -> Exchange[ScanEnd]:
        """One walk; the filter has to be the same on every page, and the empty page token ends the list."""
        fixed = {"page_size": str(self._options.page_size)}
        if filter_ is not None:
            fixed["filter"] = filter_

        def request(cursor: str | None) -> Request:
            params = fixed if cursor is None else fixed | {"page_token": cursor}
            return Request("GET", self._url, params=params, headers=JSON)

        return walk_by_cursor(request, read, where=NAME, max_pages=self._options.max_pages)

    def _read(self, number: int, asked: Request, response: Response) -> tuple[Page, str | None]:
        answer = self._reader.data(asked, response, self._list)
        return split(answer.data, f"{NAME}: page {number}"), answer.next_page_token

    def expects(self, item: Resource) -> bool:
        """Every job that is not closed; a cancelled one too, since the filter can name CLOSED alone."""
        return self._open is not None and item.state != CLOSED

    def look_up(self, ids: Sequence[str]) -> Exchange[LookUp] | None:
        """Ask for each job by its id."""

        def request(id_: str) -> Request:
            return Request("GET", f"{self._url}/{quote(id_, safe='')}", headers=JSON)

        def read(asked: Request, response: Response) -> Page:
            one = self._reader.data(asked, response, self._one)
            return split([unwrap(one, response.body)], f"{NAME}: {asked.url}")

        return look_up_each(ids, request, read, where=NAME)

    def resources(self, raw: bytes) -> list[Resource]:
        """One job in, the same as a resource out."""
        id_, item = parse(raw, NAME)
        title = words(item.get("description"), item.get("name"), item.get("short_id"))
        return [
            Resource(
                kind="job",
                id=id_,
                title=title or f"Job {id_}",
                state=state_of(item.get("status")),
                fields=without(item, {"id", "status"}),
                stamp=stamp_of(item.get("update_time")),
            )
        ]

    def wait_hint(self, response: Response) -> float | None:  # noqa: ARG002 - no hint in bodies is published
        """Nothing beyond the Retry-After header."""
        return None


def build(name: str, options: Options) -> Provider:
    """The source's name and its validated options in, the provider out."""
    return Worklayer(name, options)


PLUGIN: Plugin[Options, Provider] = Plugin(Options, build)
