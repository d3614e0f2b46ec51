"""What every provider is and takes: the protocol the pipeline calls, the options common to all sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from monitor.budget import credential_id
from monitor.exchange import Exchange, Page, Response, ScanEnd
from monitor.resources import Resource
from monitor.values import Duration, Rate, Secret, Size, ZoneName
from monitor.vocabulary import Vocabulary


def _root(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, login = parts.hostname if parts.port != 0 else None, "@" in parts.netloc
    except ValueError:  # a broken IPv6 address or port
        host, login = None, False
    if not url.startswith(("http://", "https://")) or not host or not url.isprintable() or " " in url:
        raise ValueError("not an address: write http:// or https:// and a host")
    if "?" in url or "#" in url:
        raise ValueError("not a host root: leave out everything from the ? or # on")
    if login:
        raise ValueError("holds a user or password: the credentials of a source are options of their own")
    return url.rstrip("/")


def _sendable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    text = text[7:].lstrip() if text[:7].lower() == "bearer " else text
    if not text:
        raise ValueError("is empty: is the variable behind it set?")
    if not all("!" <= char <= "~" for char in text):
        raise ValueError("cannot be sent in a header: it holds a space, a line break or a letter beyond ASCII")
    return SecretStr(text)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


T = TypeVar("T")
RootUrl = Annotated[str, AfterValidator(_root)]
HeaderSecret: TypeAlias = Annotated[Secret, AfterValidator(_sendable)]
"""A token or key that is sent in a header; spaces around it and a leading `Bearer` are dropped."""
Many: TypeAlias = Annotated[list[T], BeforeValidator(_as_list), Field(min_length=1)]
"""One value or a list of them, at least one."""


class SourceOptions(BaseModel):
    """Options that every source takes; each provider's own model adds its credentials and filters."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    SCOPE: ClassVar[tuple[str, ...]] = ()
    """Names of the options that say which items there are: when one of them changes, everything is read anew, and
    what comes into view by it is not news."""

    provider: str = Field(description="which API this source speaks")
    base_url: RootUrl = Field(description="host root of the API; a path prefix is kept")
    enabled: bool = Field(default=True, description="false: not scanned, what is known is kept")
    every: Duration = Field(default=60.0, ge=1.0, description="how often the source is scanned; at least 1s")
    every_min: Duration | None = Field(
        default=None, ge=1.0, description="how often at the most while jobs are in flight; not adapted if not given"
    )
    every_max: Duration | None = Field(
        default=None, ge=1.0, description="how seldom at the most while nothing changes; not adapted if not given"
    )
    timezone: ZoneName = Field(default="UTC", description="zone in which this source's calendar dates count")
    track: list[str] = Field(default_factory=list, description="further field paths whose change is an event")
    ignore: list[str] = Field(default_factory=list, description="field paths whose change is no event")
    confirm_removal: int = Field(
        default=2, ge=1, description="complete scans that must miss an item before it is removed"
    )
    removal_limit: float = Field(
        default=0.5, gt=0, le=1, description="share of known items above which removals are held"
    )
    rate: Rate | None = Field(
        default=None, description="requests a second at the most, of all sources with these credentials together"
    )
    concurrency: int = Field(
        default=2,
        ge=1,
        le=64,
        description="requests in flight at the most, of all sources with these credentials together",
    )
    timeout: Duration = Field(default=30.0, gt=0, description="time for one request, body included")
    max_body: Size = Field(default=25_000_000, description="largest answer that is read, after decompression")
    max_pages: int = Field(default=20_000, ge=1, description="a walk longer than this is a failed scan")
    baseline: Literal["silent", "emit"] = Field(
        default="silent", description="emit: the first scan tells `created` for everything"
    )
    settle: Duration = Field(default=0.0, description="how long a new state must hold before it is told")
    full_every: Duration | None = Field(
        default=None, description="how often a source with a narrower regular walk is walked whole"
    )
    stale_after: Duration | None = Field(
        default=None, description="age at which data counts as stale; default 3 x every, at least 2m"
    )
    hook_secret: Secret | None = Field(
        default=None, description="secret of the provider's own webhooks to /hooks/{source}"
    )


@dataclass(frozen=True, slots=True)
class Token:
    """A bought access token and how many seconds it lives."""

    value: SecretStr
    lifetime: float


@dataclass(frozen=True, slots=True)
class Credentials:
    """How requests of a source are authorised.

    `headers` are sent as they are. With `buy`, a token is bought by that exchange, sent as
    `Authorization: Bearer`, kept by the runner and renewed at 80 % of its life or once after a 401;
    `account` is then all that it is bought with, so that sources with the same account share it and its
    budget (None: they do not). `expires_at` is when a fixed token ends, read from the token itself, None when
    it does not say.
    """

    headers: Mapping[str, SecretStr] = field(default_factory=dict)
    buy: Callable[[], Exchange[Token]] | None = None
    account: SecretStr | None = None
    expires_at: datetime | None = None


def identity(provider: str, base_url: str, credentials: Credentials, source: str) -> str:
    """The name under which these credentials are known to all workers: 32 hex digits, and no secret in them.

    Sources with the same credentials have the same name; where nothing says who buys the tokens of a
    `source`, it has one of its own.
    """
    proof = [f"{name}: {secret.get_secret_value()}" for name, secret in sorted(credentials.headers.items())]
    if credentials.account is not None:
        proof.append(credentials.account.get_secret_value())
    elif credentials.buy is not None:
        proof.append(f"source {source}")
    return credential_id(provider, base_url, proof)


def bearer(token: SecretStr) -> SecretStr:
    """A token in, the value of its Authorization header out (https://www.rfc-editor.org/rfc/rfc6750#section-2.1)."""
    return SecretStr(f"Bearer {token.get_secret_value()}")


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """How wide a walk is: `full` sees everything; else only what the provider narrows it to.

    `since` is the watermark of the last complete walk, `hints` what the provider asked to be told again.
    `widened` says that the source may show more than at the last full walk, because its options have changed.
    """

    full: bool = True
    since: str | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    widened: bool = False


@dataclass(frozen=True, slots=True)
class LookUp:
    """What asking for items by id gave: those found, as a page, and the ids that are said not to exist.

    `flaws` say why nothing was learnt about some of the others.
    """

    found: Page
    gone: tuple[str, ...]
    flaws: tuple[str, ...] = ()


class Provider(Protocol):
    """One source at one provider: sans-I/O, no clock, no state."""

    vocabulary: Vocabulary

    def credentials(self) -> Credentials:
        """How the requests of this source are authorised."""
        ...

    def scan(self, plan: ScanPlan) -> Exchange[ScanEnd]:
        """Walk all lists: yields requests and pages; returns whether every item was provably seen."""
        ...

    def expects(self, item: Resource) -> bool:
        """Whether a narrow walk shows this item: one that is expected and was not seen is looked up by id.

        False for all where walks are always full, or where a narrow walk shows changes only.
        """
        ...

    def look_up(self, ids: Sequence[str]) -> Exchange[LookUp] | None:
        """Ask for items by id; None when the provider has no such call."""
        ...

    def resources(self, raw: bytes) -> list[Resource]:
        """Parse one item into its resources, its own first; UnexpectedAnswer says which part is wrong."""
        ...

    def wait_hint(self, response: Response) -> float | None:
        """Seconds a 429 or 503 asks to wait in its body; the Retry-After header is read by the runner."""
        ...
