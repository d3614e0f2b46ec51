"""What is wrong with a config file, gathered: each problem with its place, its path, and words that help.

Texts never hold a secret: a value that came from `${...}` is shown as it is written in the file, and a long
literal is not shown at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, ValidationError

from monitor.errors import Problem
from monitor.settings.wording import in_words
from monitor.yamlfile import Mapping as MappingNode
from monitor.yamlfile import Mark, Node, Scalar
from monitor.yamlfile import Sequence as SequenceNode

Path: TypeAlias = tuple[str | int, ...]
_LONG = 24


class Problems:
    """Gathers problems of one file; `filled` remembers what `${...}` stood for, so that no text repeats it."""

    def __init__(self, file: str, root: Node | None = None) -> None:
        self.file = file
        self.root = root
        self.filled: dict[int, tuple[str, tuple[str, ...]]] = {}
        self.failed: list[Path] = []
        self._found: dict[Problem, None] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def found(self) -> tuple[Problem, ...]:
        """All problems, each once, in the order of the file."""
        return tuple(sorted(self._found, key=lambda problem: (problem.line, problem.column)))

    def at(self, mark: Mark, text: str) -> None:
        """Add a problem at a place."""
        self._found[Problem(self.file, mark.line, mark.column, text)] = None

    def add(self, path: Path, text: str, *, at_key: bool = False) -> None:
        """Add a problem at a path such as ("sources", "uk", "every"), or at the nearest thing above that exists."""
        safe = self.redacted(text, find(self.root, path))
        self.at(place(self.root, path, at_key=at_key), f"{path_text(path)}: {safe}" if path else safe)

    def fail(self, path: Path, text: str) -> None:
        """Add a problem about a value that is not there; what validation says of it later is left out."""
        self.add(path, text)
        self.failed.append(path)

    def take(self, error: ValidationError, path: Path, model: type[BaseModel]) -> None:
        """Add every problem that a model found with what stands at `path`."""
        for detail in error.errors(include_url=False, include_input=False):
            unknown = detail["type"] == "extra_forbidden"
            # A target says where in its options a fault is, deeper than the model knows.
            cause = detail.get("ctx", {}).get("error")
            within: Path = getattr(cause, "within", ())
            whole = (*path, *detail["loc"], *within)
            where = whole if detail["type"] == "missing" else existing(self.root, whole)
            if any(where[: len(failed)] == failed for failed in self.failed):
                continue
            owner = _model_at(model, detail["loc"][:-1])
            why = str(getattr(cause, "why", "")) if within else in_words(detail, owner, self._literal(where))
            self.add(where, why, at_key=unknown)

    def redacted(self, text: str, node: Node | None) -> str:
        """A text about a node without any value that must not be seen."""
        for scalar in scalars(node):
            value, parts = self.filled.get(id(scalar), ("", ()))
            text = text.replace(repr(value), repr(scalar.text)) if parts else text
            for part in (value, *parts):
                text = text.replace(part, "${...}") if len(part) >= 4 else text
            if not parts and len(scalar.text) > _LONG:
                text = text.replace(repr(scalar.text), "the value").replace(scalar.text, "the value")
        return text

    def _literal(self, path: Path) -> str | None:
        node = find(self.root, path)
        return node.text if isinstance(node, Scalar) and id(node) not in self.filled else None


def find(root: Node | None, path: Path) -> Node | None:
    """The node at a path; None where there is none."""
    node = root
    for part in path:
        if isinstance(node, MappingNode) and isinstance(part, str):
            node = node.entries.get(part)
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return None
    return node


def existing(root: Node | None, path: Path) -> Path:
    """As much of a path as exists: a model may name parts of its own, such as a branch of a union."""
    while path and find(root, path) is None:
        path = path[:-1]
    return path


def place(root: Node | None, path: Path, *, at_key: bool = False) -> Mark:
    """Where a path stands: a single value itself, anything larger or missing the key that it belongs to."""
    known = existing(root, path)
    node = find(root, known)
    if known == path and isinstance(node, Scalar) and node.text and not at_key:
        return node.mark
    for end in range(len(known), 0, -1):
        parent = find(root, known[: end - 1])
        key = known[end - 1]
        if isinstance(parent, MappingNode) and isinstance(key, str):
            return parent.keys[key]
        if isinstance(parent, SequenceNode) and isinstance(key, int):
            return parent.items[key].mark
    return node.mark if node else Mark()


def scalars(node: Node | None) -> Iterator[Scalar]:
    """Every single value in and under a node."""
    if isinstance(node, Scalar):
        yield node
    elif node is not None:
        for child in node.entries.values() if isinstance(node, MappingNode) else node.items:
            yield from scalars(child)


def path_text(path: Path) -> str:
    """A path as people write it: `routes[0].to`, `deadlines["driver_jobs.contract.expiring"].before`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel]:
    """The model that a location inside another model belongs to."""
    for part in loc:
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        inner = _model_in(fields[part].annotation) if part in fields else None
        model = inner or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)
