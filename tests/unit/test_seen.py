"""The ids that a walk has met, however many they are."""

from __future__ import annotations

from monitor.pipeline.seen import Seen


def test_it_holds_exactly_what_was_met() -> None:
    """Beyond the number that is kept as a set, too; the sign of a hash counts."""
    seen = Seen()
    ids = [f"item-{n}" for n in range(120_000)]
    met = [hash(id) for id in ids]
    for start in range(0, len(ids), 100):
        page = seen.fresh(ids[start : start + 100])
        assert page == set(met[start : start + 100])
        seen.update(page)

    assert len(seen) == 120_000
    assert all(mark in seen for mark in met)
    assert seen.fresh(ids) == set()
    assert not any(hash(f"other-{n}") in seen for n in range(20_000))
    assert seen.fresh([ids[0], "other", ids[-1]]) == {hash("other")}


def test_hashes_that_belong_in_one_place_are_told_apart() -> None:
    """Zero too, which is what an empty place holds."""
    seen = Seen()
    crowd = {n << 40 for n in range(300)}
    seen.update(crowd)
    seen.update({hash(f"item-{n}") for n in range(60_000)})

    assert all(mark in seen for mark in crowd)
    assert 0 in seen
    assert 300 << 40 not in seen
    assert -(1 << 40) not in seen


def test_one_at_a_time_is_the_same() -> None:
    """For pages of which some ids were met before."""
    seen = Seen()
    seen.add(7)

    assert (7 in seen, 8 in seen, len(seen), "7" in seen) == (True, False, 1, False)
