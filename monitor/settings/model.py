"""What the config file means once it is read: frozen values, checked, with every default filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator

from monitor.egress import Egress
from monitor.errors import Problem
from monitor.ladders import Timing
from monitor.moments import parse_date
from monitor.providers.base import SourceOptions
from monitor.settings.routes import Route
from monitor.settings.section import Names, Section
from monitor.settings.telemetry import TelemetrySettings
from monitor.settings.times import TimeInterval
from monitor.store.vault import key_bytes
from monitor.stuck import StuckRule as Rule
from monitor.targets.base import TargetOptions
from monitor.values import Duration, Secret, Text, TimeOfDay, parse_rate

EMBEDDED = "embedded"
_STORE = re.compile(r"(rediss?|rediss?\+sentinel)://[^/\s]+(/\S*)?|unix://\S+")
_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):(?P<port>[0-9]{1,5})")


def _store(url: str) -> str:
    if url != EMBEDDED and not _STORE.fullmatch(url):
        raise ValueError(
            "is not a store: write embedded, redis://HOST:PORT/DB, rediss://..., unix:///PATH or redis[s]+sentinel://..."
        )
    return url


def _sealing(key: SecretStr) -> SecretStr:
    key_bytes(key.get_secret_value())
    return key


def _directory(path: Path) -> Path:
    if path.parts[:1] == ("~",):
        raise ValueError("~ is not a directory here: write ${HOME}")
    return path


def _listen(listen: str) -> str:
    match = _LISTEN.fullmatch(listen)
    if not match or int(match["port"]) > 65535:
        raise ValueError("is not an address to listen on: write HOST:PORT, such as 127.0.0.1:8080 or 0.0.0.0:8080")
    return listen


def _network(network: str) -> str:
    Egress([network])
    return network


def _day(given: Any) -> Any:
    day = parse_date(given)
    if day is None:
        raise ValueError("is not a day: write YYYY-MM-DD, such as 2026-12-25")
    return day


def _tightest_last(rungs: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted(set(rungs), reverse=True))


def _allowed(given: Any) -> float:
    return 0.0 if str(given).strip() == "0" else parse_rate(given)


Allowed: TypeAlias = Annotated[
    float,
    BeforeValidator(_allowed),
    WithJsonSchema(
        {"type": ["string", "number"], "description": "requests a second: 5, 5/s or 200/m; 0 for any number"}
    ),
]
Day: TypeAlias = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"})
]
Rungs: TypeAlias = Annotated[tuple[Annotated[Duration, Field(ge=0)], ...], AfterValidator(_tightest_last)]


class StoreSettings(Section):
    """Where everything is kept. The variables JOBWIRE_STORE_URL and JOBWIRE_KEY win over `url` and `key`."""

    url: Annotated[str, AfterValidator(_store)] = Field(
        default=EMBEDDED,
        repr=False,
        description="embedded (a server of its own), or redis://, rediss://, unix://, redis+sentinel://, rediss+sentinel://",
    )
    data_dir: Annotated[Path, AfterValidator(_directory)] = Field(
        default=Path("var"), description="directory of the embedded store, from where jobwire is started"
    )
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = Field(
        default="jobwire", description="what all keys begin with; installations that share a Redis each have their own"
    )
    key: Annotated[Secret, AfterValidator(_sealing)] | None = Field(
        default=None,
        description="base64 of 32 bytes; seals access tokens and rotated secrets in the store (docs/operations.md)",
    )
    retention: Duration = Field(
        default=14 * 86400.0,
        ge=86400,
        le=366 * 86400,
        description="how long events, deliveries and their attempts are kept; at least as long as any target retries",
    )

    @property
    def address(self) -> str:
        """The store for people: its URL without user, password and parameters."""
        if self.url == EMBEDDED:
            return EMBEDDED
        scheme, rest = self.url.split("://", 1)
        place, _, query = rest.partition("?")
        if "@" in query:  # a password may hold a ?, and a query an @: which it is cannot be told
            return f"{scheme}://..."
        return f"{scheme}://{place.rsplit('@', 1)[-1]}"


class WebSettings(Section):
    """The page and the API."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(default="127.0.0.1:8080", description="HOST:PORT")
    tokens: tuple[Annotated[Secret, Field(min_length=1)], ...] = Field(
        default=(),
        description="tokens of operators, for people and programs; one is required to listen beyond loopback",
    )
    read_tokens: tuple[Annotated[Secret, Field(min_length=1)], ...] = Field(
        default=(), description="tokens that may read and change nothing"
    )

    rate: Allowed = Field(
        default=50.0,
        description="requests a second of each token, signed-in person or, without tokens, address; per web process. "
        "0: no limit",
    )
    burst: int = Field(default=200, ge=1, le=100_000, description="how many of them may come at once")

    @property
    def host(self) -> str:
        """The host part of `listen`; empty for every interface."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `listen`."""
        return int(self.listen.rpartition(":")[2])

    @model_validator(mode="after")
    def _guarded(self) -> WebSettings:
        if not self.tokens and not is_loopback(self.host):
            raise ValueError("listens beyond loopback, which takes a token: add tokens, or listen on 127.0.0.1")
        if not self.tokens and self.read_tokens:
            raise ValueError("read_tokens without tokens: nobody could change anything; add tokens")
        return self


class EgressSettings(Section):
    """Which addresses targets may reach: every public one, and those named here."""

    allow: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(), description="private networks that targets may reach, such as 10.0.0.0/8"
    )


class Ladder(Section):
    """When a deadline is told: how long before it, the widest first."""

    before: Rungs | None = Field(
        default=None,
        description="how long before; whole days for dates. [] tells nothing before; else as above",
    )
    send_at: TimeOfDay | None = Field(
        default=None, description="local time at which rungs of a date are told; midnight if not given"
    )
    business_days: bool = Field(
        default=False,
        description="rungs of a date that fall on a weekend or holiday are told on the next business day, or on the "
        "last one before where the date would be over by then",
    )
    holidays: tuple[Day, ...] = Field(default=(), description="days that are no business days, such as 2026-12-25")
    notice: Annotated[Duration, Field(gt=0)] | None = Field(
        default=None,
        description="whole days before a date by which notice must be given: a rung of its own, named `notice`",
    )

    @property
    def timing(self) -> Timing:
        """The same as the ladders of `monitor.ladders` take it."""
        at = self.send_at or time.min
        return Timing(self.before, at, self.business_days, frozenset(self.holidays), self.notice)


class StuckRule(Section):
    """A state that lasts too long."""

    type: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")] = Field(
        description="provider and kind, such as worklayer.job"
    )
    state: Text = Field(description="the state, as the provider writes it")
    for_: Duration = Field(alias="for", gt=0, description="how long it may last")
    unless_changed: Names = Field(default=(), description="fields whose change starts the time anew")

    @property
    def rule(self) -> Rule:
        """The same as `monitor.stuck` takes it."""
        return Rule(self.type, self.state, self.for_, tuple(self.unless_changed))


@dataclass(frozen=True, slots=True)
class Source:
    """One configured account at a provider, with the provider's own options."""

    name: str
    provider: str
    options: SourceOptions


@dataclass(frozen=True, slots=True)
class TargetSetting:
    """One configured target, with the target type's own options."""

    name: str
    type: str
    options: TargetOptions


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole config file. `deadlines` holds what the file says; the rest of the ladders are the providers' own."""

    store: StoreSettings = field(default_factory=StoreSettings)
    web: WebSettings = field(default_factory=WebSettings)
    egress: EgressSettings = field(default_factory=EgressSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    sources: Mapping[str, Source] = field(default_factory=dict)
    deadlines: Mapping[str, Ladder] = field(default_factory=dict)
    stuck: tuple[StuckRule, ...] = ()
    targets: Mapping[str, TargetSetting] = field(default_factory=dict)
    intervals: Mapping[str, tuple[TimeInterval, ...]] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What checking a config file found: the settings unless there are problems, and what deserves a look."""

    settings: Settings | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone: localhost or a loopback address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host of a URL that was checked before; empty when it has none."""
    return urlsplit(url).hostname or ""
