"""Why a store could not be opened, in words for people, with what to do. Passwords never stand in them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError
from redis.exceptions import TimeoutError as NotInTime

_START = "start one, or set `store.url` in the config or JOBWIRE_STORE_URL"
_CERTIFICATE = "Does it want a certificate of ours (?ssl_certfile=...&ssl_keyfile=...)?"
_CHAIN = 10
_HUNG_UP = ("closed by server", "Connection lost")
_SAYS: tuple[tuple[type[BaseException], str], ...] = (
    (AuthenticationError, "(it refuses user and password): correct them in `store.url`"),
    (NoPermissionError, "(its user may not do what is needed): deploy/redis/users.acl has what it must be allowed"),
    (BusyLoadingError, "(it is loading its data): wait until it has"),
    (NotInTime, "(no answer in time): is the address right, and does it speak TLS there (if not: redis://)?"),
    (MasterNotFoundError, "(no sentinel answers, or none knows this master): correct hosts and service of the URL"),
)


def why(error: BaseException, *, tls: bool) -> str:
    """What was raised, and whether TLS was spoken, in; `(what happened): what to do` out."""
    chain = list(_behind(error))
    for one in chain:
        if (known := _of_tls(one) or _of_redis(one, tls=tls)) is not None:
            return known
    return f"({type(error.__cause__ or error).__name__}): {_START}"


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came of, the deepest last."""
    for _ in range(_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _of_tls(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message
        if "match" in said or "mismatch" in said:
            return f"(its certificate is for another name: {said}): connect by a name that stands in it"
        return (
            f"(its certificate cannot be trusted: {said}): name the authority that signed it, "
            "?ssl_ca_certs=/path/ca.crt in the URL, if it is yours"
        )
    if isinstance(error, ssl.SSLError):
        said = (error.reason or "no handshake").lower().replace("_", " ")
        return f"(TLS failed: {said}): does it speak TLS on this port (else redis://)? {_CERTIFICATE}"
    if isinstance(error, FileNotFoundError | PermissionError) and error.filename is None:
        return f"(a file of certificates cannot be read: {error.strerror}): correct ssl_... in the URL"
    return None


def _of_redis(error: BaseException, *, tls: bool) -> str | None:
    if isinstance(error, ConnectionResetError) or any(word in str(error) for word in _HUNG_UP):
        return f"(it hangs up at once): {_CERTIFICATE if tls else 'does it want TLS (rediss://)?'}"
    return next((text for kind, text in _SAYS if isinstance(error, kind)), None)
