"""From an HTTP answer to its data, or to a typed error that says what a person can do about it.

Every provider holds one `Reader`: it knows how that provider words its errors and which secrets must
never be quoted. Texts name the provider, the request and at most 200 characters of what it said.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr

from monitor.backoff import retry_after
from monitor.errors import (
    CredentialsRejected,
    ProviderError,
    ProviderNotFound,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    UnexpectedAnswer,
)
from monitor.exchange import Request, Response
from monitor.providers.items import words

T = TypeVar("T")

QUOTED = 200
"""At most this many characters of a provider's own words are repeated."""

_READ = 65_536
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]+)?")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
# Anything in the shape of a JWT or after "Bearer" is hidden, whoever it belongs to (RFC 7519, RFC 6750).
_TOKEN = re.compile(r"eyJ[\w-]+(?:\.[\w-]*){1,4}|(?<=bearer )\S+", re.IGNORECASE)


def usual_words(body: Any) -> str | None:
    """A decoded error body in, its words out: what Rails, devise, OAuth2 and most JSON APIs send.

    `{"error": "..."}`, `{"error": "code", "error_description": "..."}`, `{"error": {"message": "..."}}`,
    `{"message": "..."}` and `{"errors": ["..."]}`; None for other bodies, which are then quoted as they are.
    """
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, dict):
        return usual_words(error)
    if isinstance(body.get("errors"), list):
        return "; ".join(filter(None, map(words, body["errors"]))) or None
    said = [words(error), words(body.get("error_description"), body.get("message"), body.get("detail"))]
    return ": ".join(filter(None, said)) or None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the answers of one source: `data` gives what was asked for or raises a `ProviderError`.

    `said` finds the provider's own words in a decoded error body, `hint` the seconds it asks to wait,
    `check` names the options to look at when it rejects a request, `secrets` are never quoted.
    """

    provider: str
    check: str
    said: Callable[[Any], str | None] = usual_words
    hint: Callable[[Response], float | None] | None = None
    secrets: tuple[SecretStr, ...] = ()

    def data(self, request: Request, response: Response, decoder: msgspec.json.Decoder[T]) -> T:
        """A 200 in, its decoded body out; anything else raises the error that fits."""
        if response.status != 200:
            self._refuse(request, response)
        try:
            return decoder.decode(response.body)
        except (ValueError, RecursionError) as error:
            raise self.unexpected(request, self._oddity(response, error)) from None

    def unexpected(self, request: Request, what: str) -> UnexpectedAnswer:
        """The error for an answer that is not what the provider documents."""
        return UnexpectedAnswer(f"{self.provider}: the answer to {name_of(request)} {what}")

    def refused(self, request: Request, response: Response, advice: str) -> CredentialsRejected:
        """The error for credentials that a token server does not take."""
        said = f"{self.provider} answered {response.status} to {name_of(request)}: {self.words(response)}"
        return CredentialsRejected(f"{said} - {advice}")

    def _refuse(self, request: Request, response: Response) -> NoReturn:
        status, asked = response.status, name_of(request)
        quote = f": {self.words(response)}"
        if status == 304:
            raise self.unexpected(request, "says that nothing has changed (304), and was not asked to compare")
        if 300 <= status < 400:
            host = _host(response.headers.get("location", ""))
            raise self.unexpected(request, f"is a redirect ({status}) to {host}, which is not followed; check base_url")
        if status < 400:
            raise self.unexpected(request, f"has status {status} where 200 was due")
        raise self._error(status, asked, quote, response)

    def _error(self, status: int, asked: str, quote: str, response: Response) -> ProviderError:
        who = f"{self.provider} answered {status} to {asked}{quote}"
        if status == 401:
            return CredentialsRejected(f"{who} - it does not accept the credentials")
        if status == 403:
            return CredentialsRejected(f"{who} - these credentials may not do this")
        if status in (404, 410):
            return ProviderNotFound(f"{who} - there is nothing at this address; check base_url")
        if status in (429, 503):
            return ProviderThrottled(f"{who} - it asks to wait", self.wait(response))
        if status >= 500 or status == 408:
            return ProviderUnavailable(f"{who} - it is down or busy; the next scan tries again")
        return ProviderRejected(f"{who} - check {self.check}")

    def wait(self, response: Response) -> float | None:
        """Seconds this answer asks to wait: its Retry-After header, else its body; None if neither says."""
        asked = wait_asked(response.headers)
        return self.hint(response) if asked is None and self.hint else asked

    def words(self, response: Response) -> str:
        """What the provider said in an error body, on one line, shortened, without secrets."""
        body = response.body[:_READ]
        if not body.strip():
            return "without a word"
        text = self._words_of_json(response.body) if len(response.body) <= _READ else None
        return self._presentable(text or _page(body) or body.decode("utf-8", "replace"))

    def _words_of_json(self, body: bytes) -> str | None:
        try:
            decoded = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            return None
        return self.said(decoded)

    def _oddity(self, response: Response, error: Exception) -> str:
        if not response.body.strip():
            return "is empty where JSON was due"
        page = _page(response.body[:_READ])
        if page is not None:
            return f"is an {self._presentable(page)} where JSON was due; check base_url"
        if isinstance(error, msgspec.ValidationError):
            return f"is not in the documented shape: {self._presentable(str(error))}"
        return f"is not JSON that can be read: {self._presentable(str(error))}"

    def _presentable(self, text: str) -> str:
        for secret in self.secrets:
            if secret.get_secret_value():
                text = text.replace(secret.get_secret_value(), "***")
        text = _TOKEN.sub("***", text)
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"


def name_of(request: Request) -> str:
    """`GET /api/v1/job_drivers at example.org`: a request in an error text, without its parameters."""
    path = urlsplit(request.url).path or "/"
    return f"{request.method} {path} at {_host(request.url)}"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "nowhere"
    except ValueError:
        return "nowhere"


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """Seconds that the Retry-After header asks to wait; None when there is none or it cannot be read.

    A date is measured by the answer's own Date header, so that the two clocks may differ.
    """
    value = headers.get("retry-after", "").strip()
    now = _http_date(headers.get("date"))
    if now is None and not value[:1].isdigit():
        return None
    return retry_after(value, now or datetime.now(UTC))


def until_reset(response: Response) -> float | None:
    """Seconds until X-RateLimit-Reset (seconds since 1970) by the answer's own Date header, for a 429 alone.

    None when the answer has a Retry-After header, which is the better word, or does not say.
    """
    headers = response.headers
    value = headers.get("x-ratelimit-reset", "").strip()
    date = _http_date(headers.get("date"))
    if response.status != 429 or date is None or "retry-after" in headers or not _EPOCH.fullmatch(value):
        return None
    return max(0.0, float(value) - date.timestamp())


def date_of(response: Response) -> datetime | None:
    """When an answer was made by the clock of whoever made it: its Date header; None without a usable one."""
    return _http_date(response.headers.get("date"))


def _http_date(value: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(value).astimezone(UTC) if value else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _page(body: bytes) -> str | None:
    text = body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not text.startswith("<"):
        return None
    title = _TITLE.search(text)
    return f"HTML page titled “{html.unescape(title[1]).strip()}”" if title else "HTML page without a title"
