"""An HTTP request from a person in, one particular thing happening at a stand-in out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from monitor.simulator.life import Change, Life
from monitor.simulator.server import ProviderServer
from monitor.simulator.wire import Listener

HELP = """\
jobwire simulator control. PROVIDER is one of driver_jobs, worklayer, bindbee, devrev.

  GET    /PROVIDER/items          all documents
  GET    /PROVIDER/items/ID       one document
  PUT    /PROVIDER/items/ID       store a document
  PATCH  /PROVIDER/items/ID       set fields by dotted path; ?absent=a.b,c drops fields
  DELETE /PROVIDER/items/ID       take it away
  POST   /PROVIDER/faults         plan trouble (below)
  DELETE /PROVIDER/faults         all is well again
  GET    /PROVIDER/requests       what was asked; ?last=50
  POST   /step                    one change now; ?provider=devrev
  POST   /rate                    changes a second, as the body
  GET    /history                 what happened so far

curl {url}/worklayer/items
curl -X PATCH {url}/driver_jobs/items/{driver} -d '{{"last_contract.end_date": "{soon}"}}'
curl -X PATCH '{url}/driver_jobs/items/{driver}?absent=pending_contract' -d '{{}}'
curl -X PUT {url}/worklayer/items/ID -d @job.json
curl -X DELETE {url}/bindbee/items/ID
curl {url}/devrev/faults -d '{{"status": 429, "retry_after": 5, "times": 3}}'
curl {url}/bindbee/faults -d '{{"page": 2, "delay": 20}}'
curl {url}/worklayer/faults -d '{{"status": 503, "html": true, "times": null}}'
curl -X DELETE {url}/worklayer/faults
curl -X POST {url}/step
curl {url}/rate -d 0.5

A fault takes
  when                    path, method (globs), query, page, nth, times (null: always)
  instead of the answer   status, headers, body, html, not_json, retry_after, retry_after_date (seconds from now)
  a wrong answer          empty, repeat_cursor, total_add, duplicate_row, drop_row, reorder, stale_rows,
                          extra_field, set_rows, unset_rows, wrong_type (list, row, document),
                          restyle (keys, arrays, numbers, times, nulls, singles: the same facts in another form)
  while sending           delay, reset, truncate, drip, drip_bytes, huge_mb, gzip
"""


class Control:
    """The control server of one simulator."""

    def __init__(self, servers: Mapping[str, ProviderServer], life: Life, *, host: str, port: int) -> None:
        self._servers = servers
        self._life = life
        self._listener = Listener(self._serve, host, port)

    @property
    def url(self) -> str:
        """The root of the control server."""
        return self._listener.url

    async def start(self) -> None:
        """Listen."""
        await self._listener.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.stop()

    def help_text(self) -> str:
        """Give the help, with ids that exist right now in its examples."""
        drivers = self._servers["driver_jobs"]
        first = next((key for key, doc in drivers.items.items() if doc.get("last_contract")), "ID")
        return HELP.format(url=self.url, driver=first, soon=drivers.now().date().isoformat())

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        parts = [unquote(part) for part in request.raw_path.partition("?")[0].strip("/").split("/") if part]
        try:
            return await self._route(request, parts)
        except KeyError as error:
            return _problem(404, f"there is no {error.args[0]!r} here")
        except ValueError as error:
            return _problem(400, str(error))

    async def _route(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        if not parts:
            return web.Response(text=self.help_text())
        if parts[0] in ("step", "rate", "history") and len(parts) == 1:
            return await self._live(request, parts[0])
        server = self._servers[parts[0]]
        what = parts[1] if len(parts) > 1 else ""
        if what == "items" and len(parts) <= 3:
            return await self._items(request, server, parts[2] if len(parts) == 3 else None)
        if what == "faults" and len(parts) == 2:
            return await self._faults(request, server)
        if what == "requests" and len(parts) == 2 and request.method == "GET":
            last = int(request.query.get("last", "50"))
            return _json([seen._asdict() for seen in server.requests[-last:]])
        raise KeyError(request.path)

    async def _live(self, request: web.Request, what: str) -> web.StreamResponse:
        if what == "history":
            return web.Response(text="".join(f"{change}\n" for change in self._life.history))
        if request.method != "POST":
            return _problem(405, f"/{what} takes POST")
        if what == "step":
            return web.Response(text=f"{self._life.step(request.query.get('provider'))}\n")
        self._life.set_rate(float(await request.text()))
        return web.Response(text=f"{self._life.rate} changes a second\n")

    async def _items(self, request: web.Request, server: ProviderServer, item_id: str | None) -> web.StreamResponse:
        if item_id is None:
            return _json(list(server.items.values())) if request.method == "GET" else _problem(405, "takes GET")
        if request.method == "PUT":
            server.put(_object(await request.read()) | {server.id_field: server.key(item_id)})
            self._note(server, item_id, "is stored by hand")
        elif request.method == "PATCH":
            absent = [path for path in request.query.get("absent", "").split(",") if path]
            changes = _object(await request.read())
            server.patch(item_id, changes, absent=absent)
            self._note(server, item_id, f"is changed by hand: {', '.join([*changes, *absent])}")
        elif request.method == "DELETE":
            server.remove(item_id)
            self._note(server, item_id, "is removed by hand")
            return web.Response(text="removed\n")
        return _json(server.items[server.key(item_id)])

    def _note(self, server: ProviderServer, item_id: str | None, text: str) -> None:
        what = server.name if item_id is None else f"item {item_id}"
        self._life.record(Change(server.name, item_id, f"{what} {text}"))

    async def _faults(self, request: web.Request, server: ProviderServer) -> web.StreamResponse:
        if request.method == "POST":
            options = _object(await request.read())
            server.fault(**options)
            self._note(server, None, f"gets trouble: {json.dumps(options)}")
            return web.Response(text="planned\n")
        if request.method == "DELETE":
            server.clear_faults()
            self._note(server, None, "is well again")
            return web.Response(text="cleared\n")
        return _problem(405, "takes POST and DELETE")


def _object(body: bytes) -> dict[str, Any]:
    value = json.loads(body)
    return msgspec.convert(value, dict[str, Any])


def _json(value: Any) -> web.Response:
    return web.Response(text=json.dumps(value, indent=1, ensure_ascii=False) + "\n", content_type="application/json")


def _problem(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}; GET / shows what there is\n")
