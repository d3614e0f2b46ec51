"""From a store URL to connections: redis://, rediss://, unix:// and redis+sentinel://; passwords stay out of texts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import redis.asyncio
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.sentinel import Sentinel
from redis.connection import HiredisRespSerializer
from redis.exceptions import RedisError

from monitor.errors import JobwireError, StoreUnavailable
from monitor.store.db import Db
from monitor.store.keys import Keys
from monitor.store.state import agree_on_state

MINIMUM = (7, 0)
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 20.0
_CHECK_SECONDS = 30
_CONNECTIONS = 200


class _Packed(AbstractConnection):
    """A connection whose commands are put into bytes in C, as redis-py does it where it is not asyncio."""

    def pack_command(self, *args: Any) -> list[bytes]:
        packed: list[bytes] = HiredisRespSerializer().pack(*args)
        return packed


def pool_of(url: str) -> ConnectionPool:
    """A pool of connections to the store; nothing is connected yet. StoreUnavailable when the URL is none."""
    try:
        pool = _sentinel_pool(url) if url.startswith("redis+sentinel://") else _pool(url)
    except ValueError as error:
        raise StoreUnavailable(f"store url {shown(url)} cannot be used: {error}") from None
    pool.connection_class = type("Packed", (_Packed, pool.connection_class), {})
    return pool


async def connect(url: str, prefix: str = "jobwire") -> Db:
    """A store URL in, an open door out, once the server has answered and is new enough, and its state can be read."""
    db = Db(redis.asyncio.Redis(connection_pool=pool_of(url)), Keys(prefix))
    try:
        version = await db.version()
    except (StoreUnavailable, RedisError, OSError) as error:
        await db.close()
        raise StoreUnavailable(
            f"no Redis answers at {shown(url)} ({type(error.__cause__ or error).__name__}): "
            "start one, or set `store.url` in the config or JOBWIRE_STORE_URL"
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
    return ConnectionPool.from_url(
        url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        health_check_interval=_CHECK_SECONDS,
        max_connections=_CONNECTIONS,
    )


def _sentinel_pool(url: str) -> ConnectionPool:
    """`redis+sentinel://[user:password@]host[:port][,host[:port]...]/service[/db]` in, the master's pool out."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    service, _, db = parts.path.strip("/").partition("/")
    if not service or not hosts:
        raise ValueError("write redis+sentinel://host:26379,host:26379/service[/db]")
    nodes = [(host, int(port or 26379)) for host, _, port in (one.partition(":") for one in hosts.split(","))]
    query = parse_qs(parts.query)
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py is untyped here
        nodes,
        sentinel_kwargs={"password": query["sentinel_password"][0]} if "sentinel_password" in query else None,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
    )
    master = sentinel.master_for(
        service, username=unquote(user) or None, password=unquote(password) or None, db=int(db or 0)
    )
    pool: ConnectionPool = master.connection_pool
    return pool
