"""`jobwire target rotate`: a new secret on standard output, once."""

from __future__ import annotations

import asyncio
import base64

from monitor.simulator import Receiver
from tests.integration.cli.commands import Jobwire

KEY = base64.b64encode(bytes(range(32))).decode()


async def test_the_command_prints_the_secret_once_and_nothing_else_shows_it(
    shared: Jobwire, receiver: Receiver
) -> None:
    """Standard output holds the secret alone, so that it can be piped; a test message is signed with it."""
    shared.environ["JOBWIRE_KEY"] = KEY
    done = await shared("target", "rotate", "hook", "--kind", "whsk", "--overlap", "1h")
    secret, public = done.lines
    assert (done.code, secret[:5], public[:5]) == (0, "whsk_", "whpk_")
    assert secret not in done.err

    receiver.secrets[:] = [public]
    sent = await shared("send-test", "hook", "--json")
    assert sent.code == 0
    assert receiver.deliveries[-1].verified
    assert secret not in sent.out + sent.err


async def test_the_command_refuses_with_what_to_do(shared: Jobwire) -> None:
    """No key, no such duration: exit code 2, one line."""
    keyless, overlong = await asyncio.gather(
        shared("target", "rotate", "hook"), shared("target", "rotate", "hook", "--overlap", "soon")
    )
    assert [one.code for one in (keyless, overlong)] == [2, 2]
    assert "openssl rand -base64 32" in keyless.err
    assert "--overlap: 'soon' is not a duration" in overlong.err
