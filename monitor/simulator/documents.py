"""Documents in, the same documents out in any order: what a stand-in holds and how a person or a test changes
it.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar

from monitor.simulator import paths

Doc = dict[str, Any]

_CACHE_FROM = 2000
_CACHE_SIZE = 64


class Documents(ABC):
    """The documents of one provider by id, in the order they came, each as it is sent.

    Change them with ``put``, ``patch`` and ``remove``: in worlds of more than 2,000 documents the order of
    lists is remembered between changes.
    """

    name: ClassVar[str]
    id_field: ClassVar[str] = "id"

    def __init__(self) -> None:
        self.items: dict[Any, Doc] = {}
        self._earlier: dict[Any, Doc] = {}
        self._views: dict[Hashable, list[Any]] = {}

    @abstractmethod
    def touch(self, doc: Doc) -> None:
        """Move the change stamps of a document as the real service does when it writes one."""

    def put(self, doc: Mapping[str, Any]) -> None:
        """Store a document exactly as given, new or in place of the one with its id."""
        if self.id_field not in doc:
            raise ValueError(f"a document of {self.name} needs the field {self.id_field!r}")
        self._replace(self.key(doc[self.id_field]), dict(doc))

    def patch(self, item_id: Any, changes: Mapping[str, Any], *, absent: Sequence[str] = (), touch: bool = True) -> Doc:
        """Set fields by dotted path, such as ``interviews.0.status``, and drop those in ``absent``.

        Gives the new document. The change stamps move as in the real service unless ``touch`` is false or a change
        sets them. Raises ``KeyError`` for an unknown id and ``ValueError`` for a path that leads nowhere.
        """
        doc: Doc = copy.deepcopy(self.items[self.key(item_id)])
        if touch:
            self.touch(doc)
        for path, value in changes.items():
            doc = paths.with_path(doc, path, value)
        for path in absent:
            doc = paths.without_path(doc, path)
        self._replace(self.key(item_id), doc)
        return doc

    def remove(self, item_id: Any) -> None:
        """Forget a document; raises ``KeyError`` when there is none with that id."""
        del self.items[self.key(item_id)]
        self._earlier.pop(self.key(item_id), None)
        self.changed()

    def shown(self, key: Any, *, stale: bool = False) -> Doc:
        """Give a document; a stale one as it was before its last ``put`` or ``patch``, if it was changed so."""
        return self._earlier.get(key, self.items[key]) if stale else self.items[key]

    def key(self, item_id: Any) -> Any:
        """Give the key of ``items`` for an id that may be text, as in a URL."""
        return item_id

    def changed(self) -> None:
        """Forget remembered orders: to be called after documents were changed in place."""
        self._views.clear()

    def _replace(self, key: Any, doc: Doc) -> None:
        if key in self.items:
            self._earlier[key] = self.items[key]
        self.items[key] = doc
        self.changed()

    def view(self, name: Hashable, build: Callable[[], list[Any]]) -> list[Any]:
        """Give the ordered keys that ``build`` makes, remembered by ``name`` while a large world does not
        change.
        """
        if len(self.items) < _CACHE_FROM:
            return build()
        if name not in self._views:
            if len(self._views) >= _CACHE_SIZE:
                self._views.clear()
            self._views[name] = build()
        return self._views[name]
