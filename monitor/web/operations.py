"""What an address takes and answers, said once beside its handler.

Routes, the refusal of unknown words and the document of the API (`monitor.web.openapi`) all follow from it, so what is
documented is what is served.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from monitor.web.questions import Word, only

_SAID = "__operation__"

H = TypeVar("H", bound=Callable[..., Awaitable[web.StreamResponse]])


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    `answer` is the type of the JSON that a success answers with, or a content type; `also` the same for another status
    that is no problem. `body` is the type of what it takes, as JSON or as a
    `form`; `problems` are the statuses of its own; `guarded` says whether it takes a token.
    """

    method: str
    path: str
    answer: Any
    status: int = 200
    words: tuple[Word, ...] = ()
    body: Any = None
    form: bool = False
    problems: tuple[int, ...] = ()
    guarded: bool = True
    also: tuple[int, Any] | None = None

    @property
    def strict(self) -> bool:
        """Whether words of a query that are not known are refused: a misspelt filter must not show everything."""
        return self.path.startswith("/api/")


def operation(method: str, path: str, answer: Any, **more: Any) -> Callable[[H], H]:
    """The fields of an Operation in, a decorator of the handler that answers it out."""
    said = Operation(method, path, answer, **more)

    def beside(handler: H) -> H:
        setattr(handler, _SAID, said)
        return handler

    return beside


def operations_of(part: type) -> Iterator[tuple[Operation, str, str]]:
    """A class of handlers in; each operation, the name of its handler, and what its docstring says out."""
    for name, member in vars(part).items():
        said = getattr(member, _SAID, None)
        if isinstance(said, Operation):
            yield said, name, member.__doc__ or ""


def addresses_of(part: object) -> list[web.RouteDef]:
    """The handlers of a class in, their routes out."""
    return [
        web.route(said.method, said.path, _checked(part, name, said)) for said, name, _ in operations_of(type(part))
    ]


def _checked(part: object, name: str, said: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    handler = getattr(part, name)
    words = [one.name for one in said.words if one.where == "query"]

    async def checked(request: web.Request) -> web.StreamResponse:
        if said.strict:
            only(request, *words)
        response: web.StreamResponse = await handler(request)
        return response

    return checked
