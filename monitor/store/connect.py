"""From a store URL to connections: redis://, rediss://, unix://, redis+sentinel:// and rediss+sentinel://.

Certificates are checked, names in them too; passwords stay out of texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import redis.asyncio
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.connection import HiredisRespSerializer
from redis.exceptions import RedisError

from monitor.errors import JobwireError, StoreUnavailable
from monitor.store.db import Db
from monitor.store.keys import Keys
from monitor.store.refusal import why
from monitor.store.state import agree_on_state

MINIMUM = (7, 0)
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 20.0
_CHECK_SECONDS = 30
_CONNECTIONS = 200
_SENTINELS = ("redis+sentinel", "rediss+sentinel")
_TLS = ("rediss", "rediss+sentinel")
_WANTED = "write redis+sentinel://host:26379,host:26379/service[/db]"
_UNKNOWN = re.compile(r"unexpected keyword argument '(\w+)'")


class _Packed(AbstractConnection):
    """A connection whose commands are put into bytes in C, as redis-py does it where it is not asyncio."""

    def pack_command(self, *args: Any) -> list[bytes]:
        packed: list[bytes] = HiredisRespSerializer().pack(*args)
        return packed


class _MasterPool(SentinelConnectionPool):
    """Connections to the master that sentinels name; those to the sentinels end with it, which redis-py forgets."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """End all connections, or those that nobody uses now."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for one in self.sentinel_manager.sentinels:
                await one.aclose()


def pool_of(url: str) -> ConnectionPool:
    """A pool of connections to the store; nothing is connected yet. StoreUnavailable when the URL is none."""
    try:
        pool = _sentinel_pool(url) if urlsplit(url).scheme in _SENTINELS else _pool(url)
        pool.connection_class = type("Packed", (_Packed, pool.connection_class), {})
        # Not connected: it says whether all options are known.
        pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py is untyped here
    except ValueError as error:
        raise StoreUnavailable(f"store url {shown(url)} cannot be used: {error}") from None
    except (TypeError, RedisError) as error:
        unknown = _UNKNOWN.search(str(error))
        what = f"the option {unknown[1]} is not known" if unknown else "an option has a value that is not known"
        raise StoreUnavailable(f"store url {shown(url)} cannot be used: {what}") from None
    return pool


async def connect(url: str, prefix: str = "jobwire") -> Db:
    """A store URL in, an open door out, once the server has answered and is new enough, and its state can be read."""
    db = Db(redis.asyncio.Redis(connection_pool=pool_of(url)), Keys(prefix))
    try:
        version = await db.version()
    except (StoreUnavailable, RedisError, OSError) as error:
        await db.close()
        raise StoreUnavailable(
            f"no Redis answers at {shown(url)} {why(error, tls=urlsplit(url).scheme in _TLS)}"
        ) from error
    if version < MINIMUM:
        await db.close()
        found = ".".join(map(str, version))
        raise StoreUnavailable(f"the Redis at {shown(url)} is version {found}; jobwire needs 7.0 or newer")
    try:
        await agree_on_state(db)
    except JobwireError:
        await db.close()
        raise
    return db


def shown(url: str) -> str:
    """The URL as it may be shown: without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _pool(url: str) -> ConnectionPool:
    parts = urlsplit(url)
    # redis-py checks names in certificates only where it is told to; what the URL says wins.
    secure = {"ssl_check_hostname": _checked(_options(parts.query))} if parts.scheme in _TLS else {}
    return ConnectionPool.from_url(
        url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        health_check_interval=_CHECK_SECONDS,
        max_connections=_CONNECTIONS,
        **secure,
    )


def _sentinel_pool(url: str) -> ConnectionPool:
    """`redis[s]+sentinel://[user:password@]host[:port][,host[:port]...]/service[/db][?...]` in, the master's pool out.

    Options: sentinel_user and sentinel_password for the sentinels, and with rediss+sentinel the ssl_... of redis-py,
    which count for sentinels and master alike.
    """
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    service, _, db = parts.path.strip("/").partition("/")
    if not service or not hosts:
        raise ValueError(_WANTED)
    options = _options(parts.query)
    theirs = {"username": options.pop("sentinel_user", None), "password": options.pop("sentinel_password", None)}
    patience: dict[str, Any] = {"socket_connect_timeout": _CONNECT_SECONDS, "socket_timeout": _ANSWER_SECONDS}
    secure = _secure(options, tls=parts.scheme in _TLS)
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py is untyped here
        [_node(one) for one in hosts.split(",")], sentinel_kwargs={**theirs, **patience, **secure}, **patience
    )
    master = sentinel.master_for(
        service,
        connection_pool_class=_MasterPool,
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(db or 0),
        health_check_interval=_CHECK_SECONDS,
        max_connections=_CONNECTIONS,
        **secure,
    )
    pool: ConnectionPool = master.connection_pool
    return pool


def _node(one: str) -> tuple[str, int]:
    """`host`, `host:port` or `[address]:port` in, host and port out."""
    parts = urlsplit(f"//{one}")
    if not parts.hostname:
        raise ValueError(_WANTED)
    return parts.hostname, parts.port or 26379


def _secure(options: Mapping[str, str], *, tls: bool) -> dict[str, Any]:
    """The options of TLS that a URL gives; ValueError for any other."""
    for name in options:
        if not name.startswith("ssl_"):
            raise ValueError(f"the option {name} is not known")
        if not tls:
            raise ValueError(f"{name} takes TLS: write rediss+sentinel://")
    if not tls:
        return {}
    return {**options, "ssl": True, "ssl_check_hostname": _checked(options)}


def _options(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _checked(options: Mapping[str, str]) -> bool:
    """Whether names in certificates are checked: unless the URL says that they, or certificates at all, are not."""
    if options.get("ssl_cert_reqs") == "none":
        return False
    return options.get("ssl_check_hostname", "true").lower() in {"true", "yes", "y", "1", "t"}
