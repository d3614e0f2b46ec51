"""The error tree: what went wrong, named by what can be done about it.

JobwireError
├── ConfigError             the config file is wrong: nothing was started; holds every problem found
├── UsageError              a command was asked for something that does not exist
├── StoreUnavailable        Redis cannot be reached, started or used
│   └── StoreFull           it answers, but takes nothing more
├── StateRefused            what is stored is of a version that this program cannot read
├── Unreadable              something in the store is damaged: what, where, and how to go on without it
├── Fenced                  another worker holds the lease now: stop, it has taken over
├── TargetDisabled          nothing is sent to a target until it is enabled
├── TransportError          no answer came back
│   ├── TransportTimeout    ... in time
│   ├── ConnectFailed       ... because no connection could be made or it broke
│   ├── AddressBlocked      ... because the address is not allowed by the egress guard
│   ├── SecretsLocked       ... because nothing was sent: what signs it cannot be read
│   ├── Paused              ... because nothing was sent: the receiver asked for a pause
│   └── BodyTooLarge        ... because the answer is larger than `max_body`
└── ProviderError           a provider answered, but not with what was asked for
    ├── ProviderUnavailable 5xx, HTML, half a body: try again at the next slot
    ├── ProviderThrottled   429 or 503: wait `retry_after` seconds
    ├── CredentialsRejected 401 or 403: stop calling, tell an operator
    ├── ProviderNotFound    404 on a list: the address or path is wrong
    ├── ProviderRejected    400 or 422: a filter or parameter is wrong
    └── UnexpectedAnswer    200, but the body is not what the provider documents
"""

from __future__ import annotations

from dataclasses import dataclass


class JobwireError(Exception):
    """Base of every error this package raises on purpose; its text is meant for people."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a config file: where it is, what is wrong and what is allowed."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class ConfigError(JobwireError):
    """The config cannot be used; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class UsageError(JobwireError):
    """A command named something that does not exist or does not fit together."""


class StoreUnavailable(JobwireError):
    """Redis cannot be reached, started or used as it is."""


class StoreFull(StoreUnavailable):
    """Redis answers, but has reached its maxmemory: it is read as ever and takes nothing more."""


class StateRefused(JobwireError):
    """What is stored is of a version that this program cannot read: it is left alone."""


class Unreadable(JobwireError):
    """What is stored cannot be read any more; the text says what and how to go on. `reason` is a short closed word."""

    reason = "unreadable"


class Fenced(JobwireError):
    """The lease of this scan has passed to another worker: nothing more may be written."""


class TargetDisabled(JobwireError):
    """A target is disabled and `backlog` deliveries wait for it: nothing is sent again before it is enabled."""

    def __init__(self, target: str, backlog: int) -> None:
        waits = f"; {backlog:,} that wait for it go first then" if backlog else ""
        super().__init__(
            f"{target} is disabled and is sent nothing: run `jobwire target enable {target}`, then replay{waits}"
        )


class TransportError(JobwireError):
    """No usable HTTP answer came back. `reason` is a short closed word for logs and metrics.

    `address` is the one that was connected to before it failed; None when there was no connection. `sent` says whether
    something may have gone out all the same.
    """

    reason = "transport"
    address: str | None = None
    sent = True


class TransportTimeout(TransportError):
    """The answer did not come, or did not end, within the time allowed for one attempt."""

    reason = "timeout"


class ConnectFailed(TransportError):
    """The connection could not be made, or broke before the answer was complete."""

    reason = "connect"


class AddressBlocked(TransportError):
    """The address behind the name is private or special and `egress.allow` does not open it."""

    reason = "blocked"
    sent = False


class SecretsLocked(TransportError):
    """Nothing was sent: the secrets that rotation made for this target cannot be read from the store."""

    reason = "secrets_locked"
    sent = False


class Paused(TransportError):
    """Nothing was sent: the receiver `asked` for a pause, or others use up what it takes.

    `retry_after` is in seconds.
    """

    reason = "paused"
    sent = False

    def __init__(self, message: str, retry_after: float, *, asked: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.asked = asked


class BodyTooLarge(TransportError):
    """The answer is larger than the limit, counted in bytes after decompression."""

    reason = "too_large"


class ProviderError(JobwireError):
    """A provider answered, but not with what was asked for. `reason` is a short closed word."""

    reason = "error"


class ProviderUnavailable(ProviderError):
    """The provider is down, or its proxy answered for it; the next slot tries again."""

    reason = "unavailable"


class ProviderThrottled(ProviderError):
    """The provider asks to wait; `retry_after` is in seconds, None when it did not say."""

    reason = "throttled"

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class CredentialsRejected(ProviderError):
    """The provider refuses the credentials (401) or what they may do (403)."""

    reason = "credentials_rejected"


class ProviderNotFound(ProviderError):
    """The list itself is not there: base_url or path is wrong."""

    reason = "not_found"


class ProviderRejected(ProviderError):
    """The provider refuses the request as it was asked: a parameter or filter is wrong."""

    reason = "rejected"


class UnexpectedAnswer(ProviderError):
    """The answer is not what the provider documents: no JSON, a missing list, an item without id."""

    reason = "unexpected_answer"
