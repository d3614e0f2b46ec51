"""A Slack message in, the error Slack would give out, or none: the documented limits of blocks and texts.

Limits: https://docs.slack.dev/reference/block-kit/blocks. The limit of all blocks together is not documented; it was
found near 13,000 characters, and 11,341 failed too (slackapi/bolt-js issues 2509 and 2867), so 11,000 is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_TOTAL = 11_000
_MARKDOWN_TOTAL = 12_000

_OTHER_BLOCKS = ("divider", "image", "rich_text", "input", "file", "video", "table")


class Problem(NamedTuple):
    """Why Slack refuses a message: its error string and, for blocks, what is wrong where."""

    error: str
    details: tuple[str, ...] = ()


def check(message: Any, *, edit: bool = False, max_total: int = MAX_TOTAL) -> Problem | None:
    """Take a message payload and give the first problem Slack would report, or None. ``edit`` applies chat.update's."""
    if not isinstance(message, dict):
        return Problem("invalid_payload")
    text, blocks, attachments = (message.get(name) for name in ("text", "blocks", "attachments"))
    error = _outer_error(text, blocks, attachments, edit=edit)
    if error:
        return Problem(error)
    places = [("/blocks", blocks), *((f"/attachments/{n}/blocks", a.get("blocks")) for n, a in _objects(attachments))]
    return _check_blocks([(place, found) for place, found in places if found is not None], max_total)


def _outer_error(text: Any, blocks: Any, attachments: Any, *, edit: bool) -> str:
    if not text and not blocks and not attachments:
        return "no_text"
    if not isinstance(text or "", str):
        return "invalid_payload"
    if edit and len(text or "") > 4000:
        return "msg_too_long"
    if not isinstance(attachments or [], list):
        return "invalid_attachments"
    return "too_many_attachments" if len(attachments or []) > 100 else ""


def _check_blocks(places: list[tuple[str, Any]], max_total: int) -> Problem | None:
    if any(not isinstance(found, list) for _, found in places):
        return Problem("invalid_blocks_format")
    errors = [error for place, found in places for error in _list_errors(found, place)]
    if errors:
        return Problem("invalid_blocks", tuple(errors))
    counted = [text for _, found in places for text in _texts(found)]
    markdown = [b["text"] for _, found in places for _, b in _objects(found) if b.get("type") == "markdown"]
    if sum(map(len, counted)) > max_total or sum(map(len, markdown)) > _MARKDOWN_TOTAL:
        return Problem("msg_blocks_too_long")
    return None


def _list_errors(blocks: list[Any], place: str) -> Iterator[str]:
    if len(blocks) > 50:
        yield _error("no more than 50 items allowed", place)
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        where = f"{place}/{number}"
        if not isinstance(block, dict):
            yield _error("must be an object", where)
            continue
        name = block.get("block_id")
        if isinstance(name, str):
            if name in seen:
                yield _error("block_id is not unique", where)
            seen.add(name)
            yield from _length(name, 255, f"{where}/block_id")
        yield from _block_errors(block, where)


def _block_errors(block: dict[str, Any], where: str) -> Iterator[str]:
    kind = block.get("type")
    checks = {"section": _section, "header": _header, "context": _context, "actions": _actions, "markdown": _markdown}
    if kind in checks:
        yield from checks[kind](block, where)
    elif kind not in _OTHER_BLOCKS:
        yield _error(f"unsupported type: {kind}", where)


def _header(block: dict[str, Any], where: str) -> Iterator[str]:
    yield from _text(block.get("text"), 150, f"{where}/text", plain=True)


def _context(block: dict[str, Any], where: str) -> Iterator[str]:
    yield from _elements(block, 10, where)
    for number, element in _objects(block.get("elements")):
        if element.get("type") != "image":
            yield from _text(element, 3000, f"{where}/elements/{number}")


def _actions(block: dict[str, Any], where: str) -> Iterator[str]:
    yield from _elements(block, 25, where)
    for number, element in _objects(block.get("elements")):
        yield from _action(element, f"{where}/elements/{number}")


def _markdown(block: dict[str, Any], where: str) -> Iterator[str]:
    if not isinstance(block.get("text"), str) or not block["text"]:
        yield _error("must have a text", where)


def _section(block: dict[str, Any], where: str) -> Iterator[str]:
    text, fields = block.get("text"), block.get("fields")
    if text is None and not fields:
        yield _error("must have a text or fields", where)
    if text is not None:
        yield from _text(text, 3000, f"{where}/text")
    if fields is not None:
        if not isinstance(fields, list) or len(fields) > 10:
            yield _error("no more than 10 items allowed", f"{where}/fields")
        for number, field in _objects(fields):
            yield from _text(field, 2000, f"{where}/fields/{number}")
    accessory = block.get("accessory")
    if isinstance(accessory, dict) and accessory.get("type") != "image":
        yield from _action(accessory, f"{where}/accessory")


def _action(element: dict[str, Any], where: str) -> Iterator[str]:
    yield from _length(element.get("action_id"), 255, f"{where}/action_id")
    if element.get("type") == "button":
        yield from _text(element.get("text"), 75, f"{where}/text", plain=True)
        yield from _length(element.get("value"), 2000, f"{where}/value")
        yield from _length(element.get("url"), 3000, f"{where}/url")
    options = element.get("options")
    if options is not None and (not isinstance(options, list) or not 1 <= len(options) <= 100):
        yield _error("must have 1 to 100 items", f"{where}/options")
    for number, option in _objects(options):
        yield from _text(option.get("text"), 75, f"{where}/options/{number}/text")
        yield from _length(option.get("value"), 150, f"{where}/options/{number}/value")
    confirm = element.get("confirm")
    if isinstance(confirm, dict):
        for name, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            yield from _text(confirm.get(name), limit, f"{where}/confirm/{name}")


def _elements(block: dict[str, Any], limit: int, where: str) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= limit:
        yield _error(f"must have 1 to {limit} items", f"{where}/elements")


def _text(value: Any, limit: int, where: str, *, plain: bool = False) -> Iterator[str]:
    allowed = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(value, dict) or value.get("type") not in allowed or not isinstance(value.get("text"), str):
        yield _error(f"must be a text object of type {' or '.join(allowed)}", where)
        return
    if not value["text"]:
        yield _error("must be more than 0 characters", f"{where}/text")
    yield from _length(value["text"], limit, f"{where}/text")


def _length(value: Any, limit: int, where: str) -> Iterator[str]:
    if isinstance(value, str) and len(value) > limit:
        yield _error(f"must be less than {limit + 1} characters", where)


def _error(text: str, where: str) -> str:
    return f"[ERROR] {text} [json-pointer:{where}]"


def _objects(value: Any) -> list[tuple[int, dict[str, Any]]]:
    found = value if isinstance(value, list) else []
    return [(number, item) for number, item in enumerate(found) if isinstance(item, dict)]


def _texts(value: Any) -> Iterator[str]:
    """Give every text in a piece of Block Kit."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        text = value.get("text")
        if isinstance(text, str):
            yield text
        for item in value.values():
            yield from _texts(item)
