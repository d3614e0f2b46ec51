"""Documents on their way into the store and back."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import msgspec
import pytest

from monitor.providers import PROVIDERS
from monitor.resources import Document, Known, Resource
from monitor.store import documents
from monitor.store.documents import Packer
from tests.installation import sample


def document(provider: str) -> Document:
    """The first item of a provider's sample answer, as it is stored."""
    plugin = PROVIDERS[provider]
    options = json.loads((Path(__file__).parents[1] / "samples" / provider / "options.json").read_text())
    built = plugin.build("s", plugin.options.model_validate(options))
    answer = sample(provider)
    (rows,) = [answer] if isinstance(answer, list) else [one for one in answer.values() if isinstance(one, list)]
    seen = "2025-11-20T09:00:00.000Z"
    return Document({one.ref: Known(one, 1, 0, seen, seen) for one in built.resources(json.dumps(rows[0]).encode())})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_document_comes_back_as_it_was_from_a_fraction_of_its_size(provider: str) -> None:
    """Names of fields and the shape of a document are in the dictionary, so that mostly values are left."""
    packer, one = Packer(), document(provider)
    packed = packer.pack(one)

    assert packer.unpack(packed) == one
    assert len(packed) < len(msgspec.json.encode(one)) / 3


@pytest.mark.parametrize("text", ["", "é漢字\U0001f600", "x" * 100_000], ids=["empty", "any script", "long"])
def test_any_text_survives(text: str) -> None:
    """Whatever a provider sends, and however much more than the window it is."""
    known = Known(Resource("job", "1", text, None, {"text": [text, 1, None]}), 1, 0, "t", "t")
    packer, one = Packer(), Document({"job/1": known})

    assert packer.unpack(packer.pack(one)) == one


def test_what_was_stored_without_a_dictionary_is_read() -> None:
    """There are stores from before there was one."""
    one = document("devrev")

    assert Packer().unpack(zlib.compress(msgspec.json.encode(one), 1)) == one


def test_the_dictionary_is_the_one_that_stored_documents_need() -> None:
    """Another byte in it and nobody can read what is stored: add a second dictionary instead of editing this one."""
    dictionary = Path(documents.__file__).with_name("dictionary.txt").read_bytes()

    assert (len(dictionary), zlib.adler32(dictionary)) == (5360, 3270541677)
