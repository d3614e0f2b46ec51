"""Which version the stored state has: what this program cannot read it leaves alone, and says so."""

from __future__ import annotations

from monitor.errors import StateRefused
from monitor.store.db import Db, text

VERSION = 1
"""The version of the stored state that this program reads and writes. It grows when an older program could not read it.

State without a version is of the time before there was one, which is version 1: documents name their own format.
"""


async def agree_on_state(db: Db) -> None:
    """An open store in; StateRefused when its state cannot be read. A new store gets its version.

    Nothing is written where there is one: a store that is full, or a replica, can still be looked at.
    """
    key = db.keys.state
    found = await db.run("GET", key)
    if found is None:
        _, found = await db.run_all([("SET", key, VERSION, "NX"), ("GET", key)])
    if text(found) != str(VERSION):
        raise StateRefused(
            f"the state in this store under `{db.keys.prefix}:` has version {text(found) or 'none'}, and this jobwire "
            f"reads version {VERSION}: start the jobwire that wrote it, or give this one another `store.prefix`"
        )
