"""`${...}` in values of the config file, from text with references to the text meant.

    ${NAME}             the environment variable, which must be set and not empty
    ${NAME:-default}    the default where it is not set or empty
    ${NAME:?message}    the message as the error where it is not set or empty
    ${file:/path}       the text of a file, less one line break at its end; relative to the config file
    $$                  a dollar sign

The forms with a colon are those of the shell and of Docker Compose:
https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

MAX_FILE = 65_536
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<open>\{)(?:(?P<body>[^{}]*)\})?)?")
_BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<how>:[-?])(?P<rest>.*))?", re.DOTALL)
_FORMS = "${NAME}, ${NAME:-default}, ${NAME:?message} or ${file:/path}, and $$ for a dollar sign"


class Filled(str):
    """Text that came whole from one `${...}`: where a number or true/false is due, it may be that."""

    __slots__ = ()


class InterpolationError(Exception):
    """A `${...}` that has no value; the text says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Where values come from: environment variables, and the directory that relative file names start from."""

    environ: Mapping[str, str]
    directory: Path

    def fill(self, text: str) -> tuple[str, tuple[str, ...]]:
        """A value as written in; the value meant and every text put into it out. InterpolationError otherwise."""
        parts: list[str] = []

        def put(reference: re.Match[str]) -> str:
            value = self._value(reference)
            if reference["open"]:
                parts.append(value)
            return value

        whole = _REFERENCE.sub(put, text)
        is_one = _REFERENCE.fullmatch(text) is not None and bool(parts)
        return Filled(whole) if is_one else whole, tuple(parts)

    def _value(self, reference: re.Match[str]) -> str:
        if not reference["open"]:
            return "$"
        if reference["body"] is None:
            raise InterpolationError(f"`${{` without its `}}`, or one inside another: write {_FORMS}")
        if reference["body"].startswith("file:"):
            return self._file(reference["body"].removeprefix("file:"))
        body = _BODY.fullmatch(reference["body"])
        if body is None:
            raise InterpolationError(f"`${{...}}` holds no name: write {_FORMS}")
        value = self.environ.get(body["name"], "")
        if value:
            return value
        if body["how"] == ":-":
            return body["rest"]
        raise InterpolationError(self._missing(body["name"], body["rest"]))

    def _missing(self, name: str, message: str | None) -> str:
        if message:
            return f"environment variable {name}: {message}"
        if name in self.environ:
            return f"environment variable {name} is empty: give it a value, or write ${{{name}:-}} if empty is meant"
        near = get_close_matches(name, self.environ, n=1, cutoff=0.8)
        hint = f" ({near[0]} is)" if near else ""
        remedy = f"set it where jobwire starts (a .env file, say), or write ${{{name}:-default}}"
        return f"environment variable {name} is not set{hint}: {remedy}"

    def _file(self, name: str) -> str:
        try:
            path = self.directory / name
            if not path.is_file():
                raise InterpolationError(f"file {name!r} does not exist or is no regular file")
            with path.open("rb") as file:
                content = file.read(MAX_FILE + 1)
            text = content.decode()
        except OSError as error:
            raise InterpolationError(
                f"file {name!r} cannot be read: {error.strerror or 'input or output failed'}"
            ) from None
        except ValueError:
            raise InterpolationError(
                f"file {name!r} cannot be read: its name or its content is not UTF-8 text"
            ) from None
        if len(content) > MAX_FILE:
            raise InterpolationError(f"file {name!r} is larger than {MAX_FILE} bytes")
        return text.removesuffix("\n").removesuffix("\r")
