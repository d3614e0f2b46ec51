"""Real TLS and a real sentinel: who is believed, and what people read when something does not fit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import TimeoutError as RedisTimeout

from monitor.errors import StoreUnavailable
from monitor.store.connect import connect, pool_of
from monitor.store.refusal import why
from tests import stores
from tests.integration.store.authorities import Authority, Files
from tests.integration.store.redis_servers import redis_server, tcp_server

PASSWORD = "hunter2-of-the-store"


async def server_program() -> Path:
    """A server of Redis itself, which speaks TLS and may be a sentinel."""
    programs = [path for path in await stores.programs() if path.name == "redis-server"]
    if not programs:
        pytest.skip("redis-server is not installed (.ci/run installs it)")
    return programs[0]


@dataclass(frozen=True, slots=True)
class Tls:
    """A server that speaks TLS alone: its port, who signed for it, what it signed for a client, and a stranger."""

    port: int
    authority: Authority
    client: Files
    stranger: Authority

    def url(self, host: str = "localhost", *options: str, scheme: str = "rediss") -> str:
        query = "&".join(options)
        return f"{scheme}://:{PASSWORD}@{host}:{self.port}/0{'?' if query else ''}{query}"

    async def refusal(self, url: str) -> str:
        """What people read when a store cannot be opened; no secret stands in it."""
        with pytest.raises(StoreUnavailable) as caught:
            await connect(url)
        assert PASSWORD not in str(caught.value)
        return str(caught.value)


async def serve(*more: str) -> AsyncIterator[Tls]:
    """A server whose certificate is for `localhost` alone."""
    program = await server_program()
    with stores.short_directory() as directory:
        authority, stranger = Authority(directory), Authority(directory, "stranger")
        own, client = authority.sign("server", "localhost"), authority.sign("client", "worker")
        files: Sequence[str] = ("--tls-cert-file", str(own.certificate), "--tls-key-file", str(own.key))
        files = (*files, "--tls-ca-cert-file", str(authority.ca), *more)
        async with tcp_server(program, directory, "--requirepass", PASSWORD, tls=files) as port:
            yield Tls(port, authority, client, stranger)


@pytest.fixture(scope="module")
async def tls() -> AsyncIterator[Tls]:
    """A server that asks for no certificate."""
    async for one in serve("--tls-auth-clients", "no"):
        yield one


@pytest.fixture(scope="module")
async def mutual() -> AsyncIterator[Tls]:
    """A server that takes only who brings a certificate of its authority."""
    async for one in serve("--tls-auth-clients", "yes"):
        yield one


async def test_a_server_of_an_authority_of_ours_is_believed(tls: Tls) -> None:
    """`ssl_ca_certs` names it; its commands work."""
    db = await connect(tls.url("localhost", f"ssl_ca_certs={tls.authority.ca}"))
    assert await db.run("PING")
    await db.close()


async def test_a_server_that_nobody_vouches_for_is_refused(tls: Tls) -> None:
    """Without its authority, or with another one: what is wrong and which option helps."""
    for options in ((), (f"ssl_ca_certs={tls.stranger.ca}",)):
        said = await tls.refusal(tls.url("localhost", *options))
        assert "its certificate cannot be trusted" in said
        assert "ssl_ca_certs=" in said
        assert str(tls.port) in said


async def test_a_certificate_for_another_name_is_refused(tls: Tls) -> None:
    """Signed by the right authority, but for `localhost` and not for the address that was asked for."""
    ca = f"ssl_ca_certs={tls.authority.ca}"
    said = await tls.refusal(tls.url("127.0.0.1", ca))
    assert "its certificate is for another name" in said

    for spoken_out in ("ssl_check_hostname=false", "ssl_cert_reqs=none"):
        db = await connect(tls.url("127.0.0.1", ca, spoken_out))
        await db.close()


async def test_a_client_certificate_is_sent_where_it_is_wanted(mutual: Tls) -> None:
    """Without one the server hangs up, and the options that name one are said."""
    ca = f"ssl_ca_certs={mutual.authority.ca}"
    said = await mutual.refusal(mutual.url("localhost", ca))
    assert "ssl_certfile=" in said

    own = (f"ssl_certfile={mutual.client.certificate}", f"ssl_keyfile={mutual.client.key}")
    db = await connect(mutual.url("localhost", ca, *own))
    assert await db.run("PING")
    await db.close()


async def test_what_else_is_wrong_is_said_in_words(tls: Tls, tmp_path: Path) -> None:
    """A password, a port without TLS, files that are not there, options that nobody knows."""
    ca = f"ssl_ca_certs={tls.authority.ca}"
    assert "it refuses user and password" in await tls.refusal(tls.url("localhost", ca).replace(PASSWORD, "wrong"))
    assert "cannot be read" in await tls.refusal(tls.url("localhost", f"ssl_ca_certs={tmp_path / 'no.crt'}"))
    assert "the option ssl_ca is not known" in await tls.refusal(tls.url("localhost", "ssl_ca=x"))
    assert "does it want TLS" in await tls.refusal(tls.url("localhost", scheme="redis"))
    assert "does it speak TLS there" in why(RedisTimeout("Timeout connecting to server"), tls=True)


async def test_a_user_who_may_too_little_is_told_what_is_needed(tmp_path: Path) -> None:
    """Not even INFO: the file of users that works is named."""
    with stores.short_directory() as directory:
        (directory / "users.acl").write_text("user default off\nuser poor on >x ~* +ping\n")
        options = ("--aclfile", str(directory / "users.acl"))
        async with redis_server(await server_program(), directory, *options) as url:
            with pytest.raises(StoreUnavailable, match=r"may not do what is needed\): deploy/redis/users\.acl"):
                await connect(url.replace("unix://", "unix://poor:x@"))


async def test_sentinels_lead_to_the_master(tmp_path: Path) -> None:
    """With a password of their own; the first of the list may be gone; a name that they do not know is said."""
    program = await server_program()
    with stores.short_directory() as directory:
        (directory / "redis").mkdir()
        (directory / "sentinel").mkdir()
        async with tcp_server(program, directory / "redis", "--requirepass", PASSWORD) as port:
            config = directory / "sentinel" / "sentinel.conf"
            watched = f"sentinel monitor main 127.0.0.1 {port} 1\nsentinel auth-pass main {PASSWORD}\n"
            config.write_text(f"{watched}requirepass of-sentinel\n")
            async with tcp_server(program, directory / "sentinel", str(config), "--sentinel") as watching:
                url = f"redis+sentinel://:{PASSWORD}@127.0.0.1:1,127.0.0.1:{watching}/main/0?sentinel_password=of-sentinel"
                db = await connect(url)
                await db.run("SET", "a", "1")
                async with stores.client(f"redis://:{PASSWORD}@127.0.0.1:{port}/0") as redis:
                    assert await redis.get("a") == b"1"
                await db.close()
                for wrong in (url.replace("/main/", "/other/"), url.replace("of-sentinel", "wrong")):
                    with pytest.raises(StoreUnavailable, match="no sentinel answers, or none knows this master"):
                        await connect(wrong)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis+sentinel://a:26379/", "write redis"),
        ("redis+sentinel://a:26379,:1/main", "write redis"),
        ("redis+sentinel://a:no/main", "cannot be used"),
        ("redis+sentinel://a/main?ssl_ca_certs=/ca", "ssl_ca_certs takes TLS"),
        ("rediss+sentinel://a/main?ca=/ca", "the option ca is not known"),
        ("redis://a/0?colour=red", "the option colour is not known"),
        ("rediss://a/0?ssl_cert_reqs=perhaps", "an option has a value that is not known"),
    ],
)
def test_a_url_that_cannot_be_used_says_why(url: str, said: str) -> None:
    """Before anything is connected."""
    with pytest.raises(StoreUnavailable, match=said):
        pool_of(url)


def test_tls_counts_for_sentinels_and_master_alike() -> None:
    """One set of options; names are checked unless the URL says otherwise."""
    pool = pool_of("rediss+sentinel://u:p@[::1]:7,b/main/2?ssl_ca_certs=/ca&sentinel_user=s&sentinel_password=q")
    assert isinstance(pool, SentinelConnectionPool)
    kwargs = pool.connection_kwargs
    assert (kwargs["username"], kwargs["password"], kwargs["db"]) == ("u", "p", 2)
    assert (kwargs["ssl_ca_certs"], kwargs["ssl_check_hostname"]) == ("/ca", True)
    nodes = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]
    assert [(node["host"], node["port"]) for node in nodes] == [("::1", 7), ("b", 26379)]
    assert {(node["username"], node["password"]) for node in nodes} == {("s", "q")}
    assert {(node["ssl_ca_certs"], node["ssl_check_hostname"], node["socket_timeout"]) for node in nodes} == {
        ("/ca", True, kwargs["socket_timeout"])
    }
