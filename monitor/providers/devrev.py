"""devrev: the background jobs of a DevRev organisation: exports, merges, bulk upgrades.

`POST /jobs.list` and `/jobs.get`; https://developer.devrev.ai and the types of @devrev/typescript-sdk.
The absent `next_cursor` ends the list. A failed job carries no error text: title and metadata have to do.

The list knows no filter for changes, so a narrow walk is two: all jobs in an active state, and, newest first,
those that changed since the walk before it, which shows the jobs that began and ended in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import msgspec
from pydantic import Field

from monitor.exchange import Exchange, Page, Request, Response, ScanEnd
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
from monitor.providers.devrev_list import ACTIVE, JobsList, modified
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
from monitor.providers.lookups import look_up_each
from monitor.providers.walks import Refused
from monitor.providers.watermark import Newest, floor_of
from monitor.resources import FieldChange, Resource
from monitor.values import Duration, Text
from monitor.vocabulary import Kind, NamedChange, Vocabulary, as_set

NAME = "devrev"
FILTERS = ("category", "created_by", "owned_by_id", "parent_ids")
MOVED = frozenset({301})
"""jobs.get answers 301 for an object whose id has changed: it is in the list under its new id."""


class Options(SourceOptions):
    """Options of a devrev source: a token and what the list is narrowed to."""

    SCOPE = (*FILTERS, "state")

    provider: Literal["devrev"]
    base_url: RootUrl = Field(default="https://api.devrev.ai", description="host root of the API")
    token: HeaderSecret = Field(description="personal access token or service account token")
    category: Many[Text] | None = Field(default=None, description="only jobs of these categories")
    created_by: Many[Text] | None = Field(default=None, description="only jobs created by these users")
    owned_by_id: Many[Text] | None = Field(default=None, description="only jobs owned by these users")
    parent_ids: Many[Text] | None = Field(default=None, description="only jobs of these parents")
    state: Many[Text] | None = Field(
        default=None, description="only jobs in these states; every walk is then a full one"
    )
    sort_by: Many[Text] | None = Field(default=None, description="such as created_date:desc")
    limit: int = Field(default=50, ge=1, le=100, description="jobs a page")
    mode: Literal["after", "before"] = Field(default="after", description="before: walk from the end backwards")
    beta: bool = Field(default=True, description="send X-Devrev-Scope: beta, where the API keeps its jobs")
    full_every: Duration | None = Field(default=21_600.0, description="how often everything is walked")


def _grew(change: FieldChange) -> bool:
    """Whether a counter is higher than before; one that was not sent before counts as 0."""
    before, after = (0 if value is None else value for value in (change.before, change.after))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after))
    return numbers and after > before


# States: enum JobState of @devrev/typescript-sdk 1.1.71
VOCABULARY = Vocabulary(
    provider=NAME,
    kinds={
        "job": Kind(
            tracked=("title", "job_category", "retry_count", "output_artifacts"),
            busy=frozenset({"queued", "started", "in_progress"}),
            states=frozenset({"queued", "started", "in_progress", "completed", "failed"}),
            shapes={"output_artifacts": as_set},
            named=(
                NamedChange("retried", frozenset({"retry_count"}), _grew),
                NamedChange("progressed", frozenset({"progress"})),
            ),
            optional=frozenset(
                {"created_by", "created_date", "modified_by", "modified_date", "display_id", "metadata_list"}
            ),
        )
    },
)


class DevRev:
    """One devrev source."""

    vocabulary = VOCABULARY

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self._options = options
        self._narrows = options.state is None
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if options.beta:
            self._headers["X-Devrev-Scope"] = "beta"
        self._reader = Reader(
            NAME,
            check=f"{', '.join(FILTERS)}, sort_by, state, limit and mode",
            said=_said,
            hint=self.wait_hint,
            secrets=(options.token,),
        )
        fixed = {"limit": options.limit} | {name: getattr(options, name) for name in FILTERS}
        post = partial(self._post, "jobs.list")
        self._list = JobsList(NAME, self._reader, post, fixed, options.max_pages)
        self._one = msgspec.json.Decoder(Wrapped)

    def credentials(self) -> Credentials:
        """A fixed bearer token, with the end that its JWT names; it cannot be renewed."""
        token = self._options.token
        return Credentials(headers={"Authorization": bearer(token)}, expires_at=token_end(token))

    def scan(self, plan: ScanPlan) -> Exchange[ScanEnd]:
        """Walk what is active and what has changed or, in a full walk, all jobs that the options let through.

        Every walk is full where the user names states, where nothing tells how far the walk before it came, and
        where the API does not take our states, which is tried again after each full walk that is due.
        """
        hints = {} if plan.full else dict(plan.hints)
        newest = Newest(modified)
        floor = floor_of(plan.since)
        if not plan.full and self._narrows and floor is not None and hints.get("state") != "refused":
            try:
                end = yield from self._list.narrow(floor, newest, hints)
                return replace(end, watermark=newest.watermark(plan.since), hints=hints)
            except Refused:
                hints["state"] = "refused"
        mode = {"mode": "before"} if self._options.mode == "before" else {}
        given = {"sort_by": self._options.sort_by, "state": self._options.state, **mode}
        end = yield from self._list.whole(given, newest if self._narrows else None)
        return replace(end, full=not plan.full, watermark=newest.watermark(plan.since), hints=hints)

    def expects(self, item: Resource) -> bool:
        """Every job in an active state."""
        return self._narrows and item.state in ACTIVE

    def look_up(self, ids: Sequence[str]) -> Exchange[LookUp] | None:
        """Ask for each job by its id."""

        def request(id_: str) -> Request:
            return self._post("jobs.get", {"id": id_})

        def read(asked: Request, response: Response) -> Page:
            one = self._reader.data(asked, response, self._one)
            return split([unwrap(one, response.body)], f"{NAME}: {asked.url}")

        return look_up_each(ids, request, read, where=NAME, elsewhere=MOVED)

    def _post(self, call: str, body: Mapping[str, Any]) -> Request:
        url = f"{self._options.base_url}/{call}"
        return Request("POST", url, headers=self._headers, body=msgspec.json.encode(body))

    def resources(self, raw: bytes) -> list[Resource]:
        """One job in, the same as a resource out."""
        id_, item = parse(raw, NAME)
        title = words(item.get("title"), item.get("job_id"), item.get("display_id"))
        return [
            Resource(
                kind="job",
                id=id_,
                title=title or f"Job {id_}",
                state=state_of(item.get("state")),
                fields=without(item, {"id", "state"}),
                stamp=stamp_of(item.get("modified_date")),
            )
        ]

    def wait_hint(self, response: Response) -> float | None:
        """`retry_after` in the body of a 429 or 503, in seconds; else X-RateLimit-Reset of a 429."""
        try:
            body = msgspec.json.decode(response.body)
        except (ValueError, RecursionError):
            body = None
        asked = body.get("retry_after") if isinstance(body, dict) else None
        if isinstance(asked, int | float) and not isinstance(asked, bool) and asked >= 0:
            return float(asked)
        return until_reset(response)


def _said(body: Any) -> str | None:
    """`{type, message, detail}`, with `reference_id` on a 500 and `allowed_values` on a wrong enum value."""
    if not isinstance(body, dict):
        return None
    texts = dict.fromkeys(filter(None, (words(body.get(name)) for name in ("type", "message", "detail"))))
    said = ": ".join(texts)
    if reference := words(body.get("reference_id")):
        said += f" (reference {reference})"
    if isinstance(allowed := body.get("allowed_values"), list):
        said += f" (allowed: {', '.join(filter(None, map(words, allowed)))})"
    return said or None


def build(name: str, options: Options) -> Provider:
    """The source's name and its validated options in, the provider out."""
    return DevRev(name, options)


PLUGIN: Plugin[Options, Provider] = Plugin(Options, build)
