"""Documents as they are stored: JSON, deflated against a dictionary of what the providers' documents have in common.

The dictionary (`dictionary.txt`) is the documents of the providers' own sample answers, one after the other. What
was stored with it can only be read with it, so it is never edited: a better one becomes a second file, and zlib
names in each stored document the one it needs. https://www.rfc-editor.org/rfc/rfc1950#page-5
"""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec

from monitor.resources import Document

LEVEL = 3
"""Above it a document takes longer and gets hardly smaller."""

# Memory for a window of 8 kB: the default's 256 kB are asked of the system and given back for every document.
_WINDOW_BITS, _MEMORY_LEVEL = 13, 6


class Packer:
    """Turns documents into what is stored, and back; documents stored without a dictionary are read as well."""

    def __init__(self) -> None:
        self._dictionary = Path(__file__).with_name("dictionary.txt").read_bytes()
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Document).decode
        # Copied for each document, so that the dictionary is taken in once.
        self._blank = zlib.compressobj(
            LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, self._dictionary
        )

    def pack(self, document: Document) -> bytes:
        """A document in, its stored form out."""
        deflating = self._blank.copy()
        return deflating.compress(self._encode(document)) + deflating.flush()

    def unpack(self, stored: bytes) -> Document:
        """The stored form in, the document out."""
        return self._decode(zlib.decompressobj(zdict=self._dictionary).decompress(stored))
