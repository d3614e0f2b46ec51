"""What is given to reach a server by: its URL, a token, certificates."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from monitor.cli.options import Where
from monitor.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is: `root` without a slash at its end, with whatever path it is mounted under."""

    root: str
    host: str
    secure: bool

    @classmethod
    def of(cls, text: str) -> Address:
        """A URL as it is given in; UsageError, with what is allowed, for anything else."""
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError as error:
            raise UsageError(f"--server: {error}: {_ALLOWED}") from None
        if parts.username is not None or parts.password is not None:
            raise UsageError("--server: a URL with a password is seen by others: use JOBWIRE_TOKEN or --token-file")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise UsageError(f"--server {text!r} is no such URL: {_ALLOWED}")
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        place = name if port is None else f"{name}:{port}"
        return cls(f"{parts.scheme}://{place}{parts.path.rstrip('/')}", parts.hostname, parts.scheme == "https")

    @property
    def is_near(self) -> bool:
        """Whether what is sent there stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.rstrip(".") == "localhost"


_ALLOWED = "write http://127.0.0.1:8080 or https://jobwire.example.org, with the path it is mounted under if any"


def token_of(where: Where) -> str | None:
    """The token of --token-file, else of JOBWIRE_TOKEN, or None; UsageError, which does not show it, if it is none."""
    if where.token_file is not None:
        place = f"--token-file {where.token_file}"
        try:
            token = where.token_file.read_text().strip()
        except (OSError, ValueError) as error:
            raise UsageError(f"{place} cannot be read: {getattr(error, 'strerror', None) or 'no text'}") from None
        if not token:
            raise UsageError(f"{place} is empty: write one of web.tokens into it")
    else:
        place, token = "JOBWIRE_TOKEN", os.environ.get("JOBWIRE_TOKEN", "").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"{place} holds no token: it is one word of letters, digits and signs")
    return token or None


def certificates(ca_file: Path | None) -> ssl.SSLContext:
    """What the certificate of a server is verified with: the file, else those of the system (or SSL_CERT_FILE)."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
        raise UsageError(f"--ca-file {ca_file} holds no certificates in PEM{f': {what}' if what else ''}") from None
