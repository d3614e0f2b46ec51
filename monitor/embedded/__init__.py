"""The bundled store: a Redis-compatible server of our own on one data directory.

programs      which server program there is
directory     the data directory: whose it is, what lies in it
supervisor    EmbeddedStore, which starts, watches and stops the server
"""

from __future__ import annotations

from monitor.embedded.directory import running_url
from monitor.embedded.supervisor import EmbeddedStore

__all__ = ["EmbeddedStore", "running_url"]
