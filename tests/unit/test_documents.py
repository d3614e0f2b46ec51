"""Documents on their way into the store and back."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.errors import Unreadable
from monitor.providers import PROVIDERS
from monitor.resources import Document, Known, Resource
from monitor.store import documents
from monitor.store.documents import Deflated, Dictionary, dictionary_of, learn, packaged, text_of
from tests.installation import sample

ID = "don:core:dvrv-us-1:devo/0:job/1"
CHECKSUMS = {"dictionary.txt": 3899852647, "documents.zdict": 1382235542}


def document(provider: str) -> Document:
    """The first item of a provider's sample answer, as it is stored."""
    plugin = PROVIDERS[provider]
    options = json.loads((Path(__file__).parents[1] / "samples" / provider / "options.json").read_text())
    built = plugin.build("s", plugin.options.model_validate(options))
    answer = sample(provider)
    (rows,) = [answer] if isinstance(answer, list) else [one for one in answer.values() if isinstance(one, list)]
    seen = "2025-11-20T09:00:00.000Z"
    return Document({one.ref: Known(one, 1, 0, seen, seen) for one in built.resources(json.dumps(rows[0]).encode())})


def many(count: int) -> list[Document]:
    """Documents of one source that share what those of one source share."""
    return [
        Document({f"job/{n}": Known(Resource("job", str(n), f"Driver {n}", "OPEN", told(n)), 1, 0, "t", "t")})
        for n in range(count)
    ]


def told(n: int) -> dict[str, Any]:
    """Fields of which some repeat among the items of this source, and nowhere else."""
    return {"depot": f"Kestrel Transport, Gate {n % 7}", "reference": hashlib.sha256(b"%d" % n).hexdigest()[:12]}


def as_stored_before(one: Document) -> bytes:
    """A document as it was stored when documents were objects: names in it, and deflated."""
    known = {
        ref: {"resource": {name: getattr(each.resource, name) for name in Resource.__struct_fields__}}
        | {name: getattr(each, name) for name in ("revision", "sequence", "since", "first_seen", "gone", "spoken")}
        for ref, each in one.known.items()
    }
    return msgspec.json.encode({"known": known})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_document_comes_back_as_it_was_from_a_fraction_of_its_size(provider: str) -> None:
    """What the documents of a provider have in common is in the packaged dictionary, so that mostly values are left."""
    dictionary, one = packaged(), document(provider)
    packed = dictionary.pack(text_of(one, ID))

    assert dictionary.unpack(packed, ID) == one
    assert dictionary_of(packed) == dictionary.name
    assert len(packed) < len(as_stored_before(one)) / 3


@pytest.mark.parametrize("text", ["", "é漢字\U0001f600", "x" * 100_000], ids=["empty", "any script", "long"])
def test_any_text_survives(text: str) -> None:
    """Whatever a provider sends, and however much more than the dictionary it is."""
    known = Known(Resource("job", "1", text, None, {"text": [text, 1, None]}), 1, 0, "t", "t")
    dictionary, one = packaged(), Document({"job/1": known})

    assert dictionary.unpack(dictionary.pack(text_of(one, ID)), ID) == one


@pytest.mark.parametrize("id", ["1", 'a "quoted" \\ id', "longer than eight", "führerschein", "state"])
def test_the_items_own_id_comes_back_wherever_it_stands(id: str) -> None:
    """It is left out of what is stored, also inside other words; a control character of the provider's is no id."""
    fields = {"id": id, "url": f"https://x.test/{id}/{id}", "odd": "\x01\x02", id: [id, id * 2]}
    one = Document({f"job/{id}": Known(Resource("job", id, id, "state", fields), 1, 0, "t", "t")})
    dictionary = packaged()

    assert dictionary.unpack(dictionary.pack(text_of(one, id)), id) == one


def test_what_a_source_repeats_is_learnt_from_its_own_documents() -> None:
    """A learnt dictionary does for documents that it was not made from, better than the packaged one."""
    texts = [text_of(one, str(n)) for n, one in enumerate(many(200))]
    learnt = learn(texts[:100])
    assert learnt is not None

    assert sum(len(learnt.pack(text)) for text in texts[100:]) < 0.6 * sum(
        len(packaged().pack(text)) for text in texts[100:]
    )
    assert [learnt.unpack(learnt.pack(text), str(n)) for n, text in enumerate(texts)] == many(200)
    assert Dictionary(learnt.content).name == learnt.name


def test_little_is_not_learnt_from() -> None:
    """Few documents, or documents with next to nothing in them, are packed with what comes with the product."""
    assert learn([text_of(one, "1") for one in many(19)]) is None
    assert learn([b"[{}]"] * 100) is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_stored_before_is_read(provider: str) -> None:
    """There are stores with objects instead of arrays, deflated with a dictionary, and before that without one."""
    one = document(provider)
    text = as_stored_before(one)
    old = Path(documents.__file__).with_name("dictionary.txt").read_bytes()
    with_dictionary = zlib.compressobj(3, zlib.DEFLATED, 13, 6, zlib.Z_DEFAULT_STRATEGY, old)
    deflated = with_dictionary.compress(text) + with_dictionary.flush()

    assert dictionary_of(deflated) is None
    assert Deflated().unpack(deflated) == one
    assert Deflated().unpack(zlib.compress(text, 1)) == one


def test_the_dictionaries_are_those_that_stored_documents_need() -> None:
    """Another byte in one and nobody can read what is stored: add a dictionary instead of editing one."""
    folder = Path(documents.__file__).parent

    assert {path.name: zlib.crc32(path.read_bytes()) for path in folder.glob("d*t")} == CHECKSUMS


def test_fields_are_only_ever_appended_to_what_is_stored() -> None:
    """Stored documents are arrays: a field has its place for good, and a new one comes last, with a default."""
    assert Resource.__struct_fields__[:9] == (
        "kind",
        "id",
        "title",
        "state",
        "fields",
        "parent",
        "url",
        "stamp",
        "role",
    )
    assert Known.__struct_fields__[:7] == (
        "resource",
        "revision",
        "sequence",
        "since",
        "first_seen",
        "gone",
        "spoken",
    )
    assert Document.__struct_fields__ == ("known",)
    shortest = b'[{"job/1":[["job","1","t",null,{}],1,0,"t","t"]}]'
    dictionary = packaged()
    assert dictionary.unpack(dictionary.pack(shortest), "1") == Document(
        {"job/1": Known(Resource("job", "1", "t", None, {}), 1, 0, "t", "t")}
    )


def test_a_damaged_document_is_an_error_that_says_so() -> None:
    """Whatever byte is missing or wrong, no other error comes out."""
    dictionary, one = packaged(), document("worklayer")
    packed = dictionary.pack(text_of(one, ID))
    refused = 0
    for at in range(5, len(packed)):
        for damaged in (packed[:at], packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]):
            try:
                dictionary.unpack(damaged, ID)
            except Unreadable:
                refused += 1
    assert refused > len(packed)
    with pytest.raises(Unreadable, match="damaged"):
        Deflated().unpack(b"neither")
    with pytest.raises(Unreadable, match="damaged"):
        Deflated().unpack(zlib.compress(b'{"known":{"job/1":3}}'))
