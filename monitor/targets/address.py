"""Where a target sends to: URLs and further headers of the config checked, and shown without their secrets."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
LONGEST_LINK = 2000
_LINK = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#](?:[a-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9a-f]{2})*)?",
    re.IGNORECASE,
)
_RESERVED = frozenset(
    [
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ]
)


def check_url(url: str) -> str:
    """An absolute http(s) URL in, the same out without spaces around; ValueError says what is wrong with it."""
    text = url.strip()
    if len(text) > 2048:
        raise ValueError("the URL is longer than 2048 characters")
    if any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError("the URL holds a space or a control character")
    if "\\" in text:
        raise ValueError("the URL holds a backslash, which readers take for different things: write / or %5C")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL cannot be read: check the host, the port and its brackets") from None
    if "%" in parts.netloc.rpartition("@")[2].rpartition("]")[2]:
        raise ValueError("the host is percent-encoded: write it plainly")
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ValueError("not a URL: write https:// (or http://) and a host")
    return text


TargetUrl: TypeAlias = Annotated[str, AfterValidator(check_url), Field(repr=False)]
"""An http(s) URL; kept out of `repr`, because it may carry credentials or a token."""


def below(root: str, path: str) -> str:
    """A root URL and a path in, the URL of that path below it out; a prefix and a query of the root are kept."""
    parts = urlsplit(root)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, parts.query, ""))


def shown(url: str) -> str:
    """A URL in, what people may see of it out: no user, no password, no query."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}{'?…' if parts.query else ''}"


def origin(url: str) -> str:
    """A URL whose path may be a secret in, its scheme, host and port out."""
    parts = urlsplit(url)
    return shown(urlunsplit((parts.scheme, parts.netloc, "", "", "")))


def web_link(url: str | None) -> str | None:
    """What a provider calls a link in, one that any receiver takes out; None where it is no plain http(s) address.

    Letters beyond ASCII and spaces are percent-encoded. Alertmanager refuses a whole batch for one address that Go
    cannot parse.
    """
    if url is None or len(url) > LONGEST_LINK:
        return None
    made = quote(url.strip(), safe=":/?#[]@!$&'()*+,;=%", errors="replace")
    return made if _LINK.fullmatch(made) and len(made) <= LONGEST_LINK else None


def secrets_in(url: str, headers: Mapping[str, str], *, path: bool = False) -> tuple[str, ...]:
    """A URL and the further headers of a target in; every text that no quotation of a request may show out.

    Password, query and its values, what Basic authentication makes of the user, header values and the tokens at their
    ends; with `path` the path too, and its last part.
    """
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    found = [password or user, parts.password or "", parts.query, *(value for _, value in parse_qsl(parts.query))]
    found += [pair.partition("=")[2] for pair in parts.query.split("&")]
    if user or password:
        found.append(base64.b64encode(f"{user}:{password}".encode()).decode())
    if path:
        found += [parts.path.strip("/"), parts.path.strip("/").rpartition("/")[2]]
    for value in headers.values():
        found += [value, value.rpartition(" ")[2]]
    return tuple(dict.fromkeys(one for one in found if one))


class HiddenUrl(str):
    """A URL to be requested that is a secret in whole or in part: its `repr` shows only the host."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{urlsplit(self).scheme}://{urlsplit(self).hostname}/…'"


def check_headers(headers: Mapping[str, str]) -> None:
    """Further headers of a target: ValueError names one that cannot be sent or is ours; values stay untold."""
    seen: set[str] = set()
    for name, value in headers.items():
        lower = name.lower()
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not a header name")
        if lower in _RESERVED or lower.startswith("webhook-"):
            raise ValueError(f"the header {name} is set by jobwire itself and cannot be replaced")
        if lower in seen:
            raise ValueError(f"the header {name} is given twice")
        if not all(char == "\t" or " " <= char <= "~" for char in value):
            raise ValueError(f"the value of header {name} holds a line break or a letter beyond ASCII")
        seen.add(lower)
