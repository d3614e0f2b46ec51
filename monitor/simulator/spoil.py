"""A right answer and the faults that strike it in, a wrong answer out."""

from __future__ import annotations

from typing import Any

from monitor.simulator import paths
from monitor.simulator.faults import Fault
from monitor.simulator.restyle import restyle

Doc = dict[str, Any]


def spoil(document: Doc, rows_key: str | None, fault: Fault) -> Any:
    """Take the JSON of an answer and give it as one fault wants it; the input is not changed.

    ``rows_key`` names the list in it, if it has one.
    """
    rows = document.get(rows_key or "")
    if isinstance(rows, list) and rows_key is not None:
        document = document | {rows_key: _spoil_rows(rows, fault)}
    if fault.wrong_type == "document":
        return [document]
    return restyle(document, ["keys"]) if fault.reorder else document


def _spoil_rows(rows: list[Any], fault: Fault) -> Any:
    if fault.wrong_type == "list":
        return {"unexpected": "an object where a list belongs"}
    if fault.wrong_type == "row":
        return ["a row that is text" for _ in rows] or ["a row that is text"]
    return restyle([_spoil_row(row, fault) for row in rows], fault.restyle)


def _spoil_row(row: Doc, fault: Fault) -> Doc:
    if fault.extra_field:
        row = row | {fault.extra_field: {"added_by": "the provider", "in_version": 2}}
    for path, value in fault.set_rows.items():
        row = paths.with_path(row, path, value)
    for path in fault.unset_rows:
        row = paths.without_path(row, path)
    return row
