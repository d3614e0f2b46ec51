"""driver_jobs: drivers in jobs, with their contracts and interviews, at a driver-recruitment service.

`GET /api/v1/job_drivers`, one list per `by_state`, paged by number: https://drvn-test.click/api/docs.
An item is a job_driver with its contracts and interviews. The order of a list is undefined, so rows slide
between pages while it is walked: a walk counts only when it has seen as many ids as the header `total` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Exchange, Page, Request, Response, ScanEnd
from monitor.plugin import Plugin
from monitor.providers.answers import Reader
from monitor.providers.base import (
    Credentials,
    HeaderSecret,
    LookUp,
    Many,
    Provider,
    ScanPlan,
    SourceOptions,
    bearer,
)
from monitor.providers.items import (
    identity,
    kind_of,
    parse,
    split,
    stamp_of,
    state_of,
    token_end,
    without,
    words,
)
from monitor.providers.walks import unchanged, walk_by_number
from monitor.renewal import succession
from monitor.resources import Resource, pick
from monitor.values import ZoneName
from monitor.vocabulary import DeadlineRule, FollowUp, Kind, NamedChange, Vocabulary

NAME = "driver_jobs"
WALKS = 3
DAY = 86_400.0
HOUR = 3_600.0

# Walked in the order rows move through them: one that moves on is seen twice rather than not at all.
ByState = Literal["application", "accepted", "all_rejected"]
ORDER: tuple[ByState, ...] = ("application", "accepted", "all_rejected")


class Options(SourceOptions):
    """Options of a driver_jobs source."""

    SCOPE = ("by_state",)

    provider: Literal["driver_jobs"]
    token: HeaderSecret = Field(description="bearer token of the user whose drivers are watched; a JWT of 30 days")
    timezone: ZoneName = Field(default="Europe/London", description="zone in which contract dates count")
    by_state: Many[ByState] = Field(default=list(ORDER), description="the lists that are watched; each is its own walk")
    per_page: int = Field(default=100, ge=1, le=1000, description="rows a page; the API's own default is 20")


def _renewal_offered(created: Resource, siblings: Sequence[Resource]) -> Sequence[FollowUp]:
    """A new pending contract is an offer to renew the contract it stands beside."""
    if created.kind != "contract" or created.role != "pending":
        return ()
    current = [one for one in siblings if one.kind == "contract" and one.role == "last"]
    return [FollowUp(one.ref, "renewal_offered", (created.ref,)) for one in current if one.ref != created.ref]


# What contracts and interviews are told with of their job, where it has it.
_CONTEXT = frozenset({"job_title", "company", "postcode"})

# States: the samples of the API documents, "Jobs > Drivers", "Contracts" and "Interviews".
VOCABULARY = Vocabulary(
    provider=NAME,
    kinds={
        "job_driver": Kind(
            tracked=(
                "job.title",
                "job.number",
                "job.job_type",
                "job.start_date",
                "job.end_date",
                "job.company.name",
            ),
            states=frozenset(
                {"accepted", "compliance_check", "interview", "verified", "rejected", "rejected_verified"}
            ),
        ),
        "contract": Kind(
            tracked=("start_date", "end_date"),
            states=frozenset({"active", "pending", "expired", "rejected"}),
            deadlines=(
                DeadlineRule(
                    type="driver_jobs.contract.expiring",
                    after="driver_jobs.contract.overdue",
                    field="end_date",
                    unit="date",
                    before=(30 * DAY, 14 * DAY, 7 * DAY, 3 * DAY, 1 * DAY),
                    alive=lambda state: state == "active",
                    followed_by=succession(
                        "start_date", "end_date", agreed={"active"}, over={"expired"}, refused={"rejected"}
                    ),
                ),
            ),
            child_of="job_driver",
            optional=_CONTEXT,
        ),
        "interview": Kind(
            tracked=(
                "kind",
                "location",
                "start_at",
                "end_at",
                "amend_start_at",
                "amend_end_at",
                "amended_by",
            ),
            states=frozenset({"pending", "scheduled", "amended", "rejected", "cancelled"}),
            named=(NamedChange("rescheduled", frozenset({"start_at", "end_at"})),),
            deadlines=(
                DeadlineRule(
                    type="driver_jobs.interview.upcoming",
                    after="driver_jobs.interview.overdue",
                    field="start_at",
                    unit="instant",
                    before=(24 * HOUR, 1 * HOUR),
                    alive=lambda state: state in {"pending", "scheduled", "amended"},
                    # Once agreed on, it has taken place: nobody needs to hear of it.
                    missed=lambda state: state in {"pending", "amended"},
                ),
            ),
            child_of="job_driver",
            optional=_CONTEXT,
        ),
    },
    follow_ups=_renewal_offered,
    announces=("contract.renewal_offered",),
)


class _List(msgspec.Struct):
    job_drivers: list[msgspec.Raw]


class DriverJobs:
    """One driver_jobs source."""

    vocabulary = VOCABULARY

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self._options = options
        self._url = f"{options.base_url}/api/v1/job_drivers"
        self._reader = Reader(NAME, check="by_state and per_page", secrets=(options.token,))
        self._decoder = msgspec.json.Decoder(_List)

    def credentials(self) -> Credentials:
        """A fixed bearer token, with the end that its JWT names."""
        token = self._options.token
        return Credentials(headers={"Authorization": bearer(token)}, expires_at=token_end(token))

    def scan(self, plan: ScanPlan) -> Exchange[ScanEnd]:
        """Walk every list; the scan is complete when each list had one walk that missed nothing.

        An API that has told totals once is held to it: a list without one proves nothing from then on.
        """
        flaws, hints = [], dict(plan.hints)
        for by_state in (one for one in ORDER if one in self._options.by_state):
            flaw = yield from self._walk_until_whole(by_state, hints)
            if flaw is not None:
                flaws.append(f"list {by_state}: {flaw}")
        return ScanEnd(complete=not flaws, reason="; ".join(flaws) or None, hints=hints)

    def expects(self, item: Resource) -> bool:  # noqa: ARG002 - see below
        """Every walk is a full one."""
        return False

    def look_up(self, ids: Sequence[str]) -> Exchange[LookUp] | None:  # noqa: ARG002 - see below
        """The API has no call for one job_driver."""
        return None

    def wait_hint(self, response: Response) -> float | None:  # noqa: ARG002 - see below
        """No hint in bodies is documented."""
        return None

    def _walk_until_whole(self, by_state: ByState, hints: dict[str, str]) -> Exchange[str | None]:
        flaw: str | None = None
        for attempt in range(WALKS):
            # A 304 may leave out what proves a walk, so a walk in doubt is made again without any.
            flaw = yield from self._walk(by_state, ("total",) if attempt == 0 else None, hints)
            if flaw is None:
                break
        return flaw

    def _walk(self, by_state: ByState, validate: tuple[str, ...] | None, hints: dict[str, str]) -> Exchange[str | None]:
        def request(number: int) -> Request:
            params = {"by_state": by_state, "page": str(number), "per_page": str(self._options.per_page)}
            return Request("GET", self._url, params=params, headers={"Accept": "application/json"}, validate=validate)

        def read(number: int, response: Response) -> tuple[Page, int | None]:
            total = _total(response)
            hints.update({"total": "told"} if total is not None else {})
            return unchanged(response) or rows(number, response), total

        def rows(number: int, response: Response) -> Page:
            found = self._reader.data(request(number), response, self._decoder).job_drivers
            return split(found, f"{NAME}: page {number} of list {by_state}")

        limits = {"per_page": self._options.per_page, "max_pages": self._options.max_pages}
        return walk_by_number(request, read, where=f"{NAME}: list {by_state}", counted="total" in hints, **limits)

    def resources(self, raw: bytes) -> list[Resource]:
        """One row in; the job_driver, its contracts and its interviews out."""
        id_, item = parse(raw, NAME)
        context = _context(item)
        about = " at ".join(context[name] for name in ("job_title", "company") if name in context)
        own = Resource(
            kind="job_driver",
            id=id_,
            title=about or f"Job driver {id_}",
            state=state_of(item.get("kind")),
            fields=without(item, {"id", "kind", "interviews", "last_contract", "pending_contract"}),
            stamp=stamp_of(item.get("updated_at")),
        )
        unique: dict[str, Resource] = {}
        for one in (own, *_contracts(item, own, about, context), *_interviews(item, own, about, context)):
            unique.setdefault(one.ref, one)
        return list(unique.values())


def _context(item: dict[str, Any]) -> dict[str, str]:
    """What an alert about a contract or interview needs to say of its job."""
    said = {
        "job_title": words(pick(item, "job.title")),
        "company": words(pick(item, "job.company.name")),
        "postcode": words(pick(item, "job.postcode")),
    }
    return {name: text for name, text in said.items() if text is not None}


def _contracts(item: dict[str, Any], own: Resource, about: str, context: dict[str, str]) -> Iterator[Resource]:
    # `pending_contract` is absent, not null, when there is none; both are taken as none.
    for role in ("last", "pending"):
        contract = item.get(f"{role}_contract")
        if contract is not None:
            id_ = identity(contract, f"{NAME}: `{role}_contract` of job_driver {own.id}")
            yield Resource(
                kind="contract",
                id=id_,
                title=f"Contract {id_}: {about}" if about else f"Contract {id_}",
                state=state_of(contract.get("state")),
                fields=_with(context, without(contract, {"id", "state"})),
                parent=own.ref,
                role=role,
            )


def _interviews(item: dict[str, Any], own: Resource, about: str, context: dict[str, str]) -> Iterator[Resource]:
    interviews = item.get("interviews")
    if not isinstance(interviews, list | None):
        what = kind_of(interviews)
        raise UnexpectedAnswer(f"{NAME}: `interviews` of job_driver {own.id} is {what} where a list was due")
    for position, interview in enumerate(interviews or [], 1):
        id_ = identity(interview, f"{NAME}: interview {position} of job_driver {own.id}")
        yield Resource(
            kind="interview",
            id=id_,
            title=f"Interview {id_}: {about}" if about else f"Interview {id_}",
            state=state_of(interview.get("status")),
            fields=_with(without(context, {"postcode"}), without(interview, {"id", "status"})),
            parent=own.ref,
        )


def _with(context: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {name: text for name, text in context.items() if name not in fields}


def _total(response: Response) -> int | None:
    text = response.headers.get("total", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def build(name: str, options: Options) -> Provider:
    """The source's name and its validated options in, the provider out."""
    return DriverJobs(name, options)


PLUGIN: Plugin[Options, Provider] = Plugin(Options, build)
