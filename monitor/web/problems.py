"""What goes wrong, told as https://www.rfc-editor.org/rfc/rfc9457 says."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.errors import StoreFull, StoreUnavailable


class Problem(Exception):
    """An answer that is no success: its status, and what is wrong and what to do, for people."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more: dict[str, str] = {}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def saying(self, **more: str) -> Problem:
        """The same problem with members of its own, for programs."""
        self.more |= more
        return self


def answer(value: object, status: int = 200) -> web.Response:
    """A value in, its JSON as an answer out; bytes are JSON already."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever handlers raise becomes an answer; what is our own fault is logged and not shown."""
    try:
        return await handler(request)
    except Problem as problem:
        return _told(problem)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _told(Problem(error.status, _WORDS.get(error.status, error.reason), **headers))
    except StoreFull as error:
        structlog.get_logger().warning("web.store_full", error=str(error))
        return _told(Problem(503, str(error), Retry_After="60"))
    except StoreUnavailable as error:
        structlog.get_logger().warning("web.store_unavailable", error=str(error))
        return _told(Problem(503, "the store does not answer: try again in a moment", Retry_After="5"))
    except Exception:  # noqa: BLE001 - a fault of ours must be told like any other, not end the connection
        structlog.get_logger().exception("web.broken", path=request.path)
        return _told(Problem(500, "an error in jobwire itself: see its log"))


_WORDS = {
    404: "there is nothing at this address: docs/api.md lists what there is",
    405: "this address takes another method",
    413: "the body is larger than 1 MB",
}


def _told(problem: Problem) -> web.Response:
    title = HTTPStatus(problem.status).phrase
    body = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.detail, **problem.more}
    return web.Response(
        body=msgspec.json.encode(body),
        status=problem.status,
        headers=problem.headers,
        content_type="application/problem+json",
    )
