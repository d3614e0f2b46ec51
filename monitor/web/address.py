"""Where to listen, and whether that can be done."""

from __future__ import annotations

import socket

from monitor.settings import WebSettings


def free_to_listen(settings: WebSettings) -> str | None:
    """Why the address cannot be listened on, for people; None when it can."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return taken(settings, error)
    return None


def where(settings: WebSettings, port: int | None = None) -> str:
    """HOST:PORT as a URL has it; every interface is called by this machine's own name."""
    host = settings.host or "localhost"
    return f"{f'[{host}]' if ':' in host else host}:{settings.port if port is None else port}"


def taken(settings: WebSettings, error: OSError) -> str:
    """Why it cannot be done, in words."""
    return f"web.listen: {settings.listen} cannot be listened on ({error.strerror or error})"
