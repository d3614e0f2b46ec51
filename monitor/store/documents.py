"""Documents as they are stored: JSON, compressed against a dictionary of what the documents of a source share.

A stored document is `FORMAT`, the name of its dictionary, and a Zstandard frame without magic number
(https://www.rfc-editor.org/rfc/rfc8878). Objects are arrays in it: names of fields are said once, by
`monitor.resources`, which therefore may only append to them. The item's own id, under which it is stored, is left
out wherever it stands. Stores of before hold objects with names, deflated (https://www.rfc-editor.org/rfc/rfc1950,
whose first byte is another), and these are read as well.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from zstandard import (
    FORMAT_ZSTD1_MAGICLESS,
    ZstdCompressionDict,
    ZstdCompressionParameters,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    train_dictionary,
)

from monitor.errors import Unreadable
from monitor.resources import Document, Known, Resource

FORMAT = b"\x01"
NAME_SIZE = 4
LEVEL = 3
"""Above it a document takes three times as long and gets a twentieth smaller."""
LEARN_FROM = 20
"""Documents at the least from which a dictionary is made."""
_LARGEST = 32_768
_SHARE = 4
_HEAD = len(FORMAT) + NAME_SIZE
_OWN_ID = b"\x01"
"""Stands for the id; JSON writes this character in another way, so it is nothing else."""
_SHORT_ID = 8
"""Shorter ids stay: they save little and stand in too many places by chance."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Document).decode


class Dictionary:
    """One dictionary by which documents are compressed; it never changes, and is named by a hash of what is in it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.name = blake2b(content, digest_size=NAME_SIZE).digest()

    @cached_property
    def _compressor(self) -> ZstdCompressor:
        # The decompressor has a dictionary of its own: one that is made ready for a level does for nothing else.
        trained = ZstdCompressionDict(self.content)
        parameters = ZstdCompressionParameters.from_level(
            LEVEL,
            dict_size=len(self.content),
            format=FORMAT_ZSTD1_MAGICLESS,
            write_content_size=True,
            write_checksum=False,
            write_dict_id=False,
        )
        trained.precompute_compress(compression_params=parameters)
        return ZstdCompressor(dict_data=trained, compression_params=parameters)

    @cached_property
    def _decompressor(self) -> ZstdDecompressor:
        return ZstdDecompressor(dict_data=ZstdCompressionDict(self.content), format=FORMAT_ZSTD1_MAGICLESS)

    def pack(self, text: bytes) -> bytes:
        """The text of a document in, its stored form out."""
        return FORMAT + self.name + self._compressor.compress(text)

    def unpack(self, stored: bytes, id: str) -> Document:
        """The stored form and the item's id in, the document out; Unreadable when it is damaged."""
        try:
            return _decode(self._decompressor.decompress(stored[_HEAD:]).replace(_OWN_ID, id.encode()))
        except (ZstdError, ValueError, MemoryError) as error:
            raise Unreadable(f"it is damaged: {error}") from None


def text_of(document: Document, id: str) -> bytes:
    """A document and its item's id in, its text out, to be packed or learnt from."""
    text = _encode(document)
    return text.replace(id.encode(), _OWN_ID) if len(id) >= _SHORT_ID else text


def dictionary_of(stored: bytes) -> bytes | None:
    """The name of the dictionary that a stored document needs; None for one that needs none of these."""
    return stored[len(FORMAT) : _HEAD] if stored.startswith(FORMAT) else None


def learn(texts: Sequence[bytes]) -> Dictionary | None:
    """Documents of one source in, a dictionary of what they share out; None when they are too few or too short."""
    if len(texts) < LEARN_FROM:
        return None
    try:
        return Dictionary(train_dictionary(min(_LARGEST, sum(map(len, texts)) // _SHARE), list(texts)).as_bytes())
    except ZstdError:
        return None


def packaged() -> Dictionary:
    """The dictionary for sources with little in them: made of documents of every provider's simulator.

    What was stored with it can be read only with it, so `documents.zdict` is never edited.
    """
    return Dictionary(Path(__file__).with_name("documents.zdict").read_bytes())


class Deflated:
    """Reads what was stored before: JSON objects, deflated with or without `dictionary.txt`, which never changes."""

    def __init__(self) -> None:
        self._dictionary = Path(__file__).with_name("dictionary.txt").read_bytes()

    def unpack(self, stored: bytes) -> Document:
        """The stored form in, the document out; Unreadable when it is damaged."""
        try:
            text = zlib.decompressobj(zdict=self._dictionary).decompress(stored)
            return Document({ref: _known(one) for ref, one in msgspec.json.decode(text)["known"].items()})
        except (zlib.error, ValueError, TypeError, LookupError, AttributeError) as error:
            raise Unreadable(f"it is damaged: {error}") from None


def _known(fields: dict[str, Any]) -> Known:
    return Known(**fields | {"resource": Resource(**fields["resource"])})
