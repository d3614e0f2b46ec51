"""YAML text in; a tree of nodes that know their line and column out, or what is wrong with the text.

The tree is built here from parser events rather than by PyYAML's own loaders, which keep no marks, let a second
key of one name win in silence, recurse as deep as the text says, and follow YAML 1.1, where `no`, `12:30`,
`0123` and `2026-01-05` are not text. Here they are: only null, true, false and decimal numbers are not,
as in the core schema of https://yaml.org/spec/1.2.2/#103-core-schema. Anchors, aliases and `<<` work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

MAX_DEPTH = 64
MAX_NODES = 200_000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})?\.[0-9]{1,99}")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file, line and column counted from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with the text, and where. Never quotes the text: it may be a secret."""

    mark: Mark
    text: str


@dataclass(slots=True)
class Scalar:
    """A single value as written; `plain` (without quotes) values may be numbers, true, false or null."""

    mark: Mark
    text: str
    plain: bool

    @property
    def value(self) -> Any:
        """What the text stands for."""
        return resolve(self.text) if self.plain else self.text


@dataclass(slots=True)
class Sequence:
    """A list."""

    mark: Mark
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Mapping:
    """Keys and values; `keys` holds where each key stands."""

    mark: Mark
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Mark] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    size: int = 1


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Parsed:
    """The root of the tree, None when the text is empty or cannot be read as YAML, and every flaw found."""

    root: Node | None
    flaws: tuple[Flaw, ...] = ()


def resolve(text: str) -> Any:
    """Text as written without quotes in; None, a bool, an int, a float or the text itself out."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def parse(text: str, loader: Any = LOADER) -> Parsed:
    """The text of one YAML document in; its tree and flaws out. Never raises, whatever the text."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except (yaml.reader.ReaderError, UnicodeEncodeError):
        builder.flaws.append(_unreadable(text))
        return Parsed(None, tuple(builder.flaws))
    except yaml.YAMLError as error:
        builder.flaws.append(_flaw(error, text))
        return Parsed(None, tuple(builder.flaws))
    except _StopError:
        return Parsed(None, tuple(builder.flaws))
    return Parsed(builder.root, tuple(builder.flaws))


class _StopError(Exception):
    """Reading further makes no sense; the flaw that says why is recorded."""


_Frame: TypeAlias = Sequence | Mapping


class _Builder:
    """Puts events together to nodes, without recursion."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.flaws: list[Flaw] = []
        self._open: list[_Frame] = []
        self._keys: list[tuple[str, Mark] | None] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: Any) -> None:
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case yaml.ScalarEvent():
                tagged = self._tagged(event, mark)
                self._add(Scalar(mark, event.value, not event.style and not tagged), event.anchor)
            case yaml.SequenceStartEvent():
                self._tagged(event, mark)
                self._enter(Sequence(mark), event.anchor)
            case yaml.MappingStartEvent():
                self._tagged(event, mark)
                self._enter(Mapping(mark), event.anchor)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._leave()
            case yaml.AliasEvent():
                self._alias(event.anchor, mark)
            case yaml.DocumentStartEvent() if self.root is not None:
                self._stop(mark, "a second document begins here: one file holds one document")
            case _:
                pass

    def _tagged(self, event: Any, mark: Mark) -> bool:
        """Whether a tag makes the value text; any tag but YAML's own is a flaw."""
        if event.tag is not None and event.tag != "!" and not event.tag.startswith(_STANDARD):
            self._flaw(mark, "tags such as !name mean nothing here: put text that begins with ! in quotes")
        return event.tag in {"!", f"{_STANDARD}str"}

    def _alias(self, anchor: str | None, mark: Mark) -> None:
        node = self._anchors.get(anchor or "")
        if node is None:
            self._stop(mark, "this alias was not defined above: put text that begins with * in quotes")
        elif any(node is frame for frame in self._open):
            self._stop(mark, "this alias is inside the very thing it stands for")
        else:
            self._add(node, None)

    def _enter(self, node: _Frame, anchor: str | None) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._stop(node.mark, f"this is nested deeper than {MAX_DEPTH} levels")
        if self._key_is_due():
            self._flaw(node.mark, "a key must be plain text; text that begins with [ or { needs quotes")
        if anchor:
            self._anchors[anchor] = node
        self._open.append(node)
        self._keys.append(None)

    def _leave(self) -> None:
        node = self._open.pop()
        self._keys.pop()
        if isinstance(node, Mapping):
            self._merge(node)
        self._add(node, None)

    def _key_is_due(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], Mapping) and self._keys[-1] is None

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        if self._key_is_due():
            self._keys[-1] = (node.text, node.mark) if isinstance(node, Scalar) else ("", node.mark)
            return
        frame.size += 1 if isinstance(node, Scalar) else node.size
        if frame.size > MAX_NODES:
            self._stop(node.mark, f"the file holds more than {MAX_NODES:,} values, aliases written out")
        if isinstance(frame, Sequence):
            frame.items.append(node)
        else:
            self._put(frame, node)

    def _put(self, frame: Mapping, node: Node) -> None:
        key, mark = self._keys[-1] or ("", node.mark)
        self._keys[-1] = None
        if key == "<<":
            frame.merged += node.items if isinstance(node, Sequence) else [node]
        elif key in frame.entries:
            self._flaw(mark, f"duplicate key {key!r}: it stands on line {frame.keys[key].line} already")
        else:
            frame.entries[key], frame.keys[key] = node, mark

    def _merge(self, frame: Mapping) -> None:
        """`<<`: keys of other mappings that this one does not have; the first that has a key wins."""
        for other in frame.merged:
            if not isinstance(other, Mapping):
                self._flaw(other.mark, "<< takes over the keys of a mapping: write <<: *name")
                continue
            for key, node in other.entries.items():
                if frame.entries.setdefault(key, node) is node:
                    frame.keys.setdefault(key, other.keys[key])

    def _flaw(self, mark: Mark, text: str) -> None:
        self.flaws.append(Flaw(mark, text))

    def _stop(self, mark: Mark, text: str) -> None:
        self._flaw(mark, text)
        raise _StopError


def _flaw(error: yaml.YAMLError, text: str) -> Flaw:
    """A parser's error in; what is wrong in words out. The parsers differ in wording and may quote the text."""
    found = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    lines = text.splitlines() or [""]
    line = min(found.line, len(lines) - 1) if found else 0
    mark = Mark(line + 1, found.column + 1 if found and line == found.line else len(lines[line]) + 1)
    said = f"{getattr(error, 'context', None) or ''} {getattr(error, 'problem', None) or ''}"
    started = getattr(error, "context_mark", None)
    since = f" (opened on line {started.line + 1})" if started and started.line != line else ""
    return Flaw(mark, f"this is not YAML: {_in_words(said, lines[line])}{since}")


def _in_words(said: str, line: str) -> str:
    """The meaning of a parser's message, chosen by its fixed words, with the usual remedy."""
    if "flow" in said:
        hint = ': inside { } and [ ] write "${NAME}" with quotes' if "${" in line else ""
        return f"a comma or the closing bracket is missing{hint}"
    for words, meaning in _MEANINGS:
        if words in said:
            return meaning
    return "the line does not fit what stands above it"


_MEANINGS = (
    (
        "quoted scalar",
        "a closing quote is missing, or a backslash in double quotes is followed by the wrong letter",
    ),
    (
        "mapping values are not allowed",
        "a second `: ` stands here, or the line is indented more than those above",
    ),
    (
        "cannot start any token",
        "no value begins like this: indent with spaces, not tabs; quote text with @, ` or %",
    ),
    ("expected ':'", "a `:` and a space are missing after the key"),
    ("block mapping", "the indentation does not fit the lines above, or a key is missing"),
    ("block collection", "the indentation does not fit the lines above, or a `-` is missing"),
    ("directive", "a line that begins with % is a directive: put it in quotes"),
    ("anchor", "a name is missing: put text that begins with & or * in quotes"),
    ("alias", "a name is missing: put text that begins with & or * in quotes"),
    ("tag", "put text that begins with ! in quotes"),
)


def _unreadable(text: str) -> Flaw:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    before = text[: found.start()] if found else ""
    mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Flaw(mark, "a control character stands here, which YAML does not allow")
