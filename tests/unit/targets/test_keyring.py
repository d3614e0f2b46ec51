"""Which secrets sign: config and rotation, before and after an overlap, and when the config changes in between."""

from __future__ import annotations

import base64

import pytest

from monitor.errors import SecretsLocked
from monitor.targets.keyring import MOST_OLD, Kept, Keyring, TooManySecrets, rotated, signing
from monitor.targets.signature import Kind, kind_of, new_secret, public_key, same_spelling

HOUR = 3_600_000


def made(number: int, kind: Kind = "whsec") -> str:
    """A secret that is told apart by its number."""
    return new_secret(kind, lambda size: bytes([number]) * size)


A, B, N1, N2 = made(1), made(2), made(11), made(12, "whsk")


def names(found: list[Kept]) -> list[str]:
    """Secrets without their ends."""
    return [one.secret for one in found]


def test_without_a_rotation_the_config_signs() -> None:
    """All of it, in its order, for ever."""
    assert signing([A, B], [], 0) == [Kept(A), Kept(B)]


def test_after_a_rotation_the_new_secret_signs_first_and_the_old_one_until_its_end() -> None:
    """W7: the config still holds the old one; it has ended all the same."""
    kept = rotated([A], [], N1, 0, HOUR)

    assert names(signing([A], kept, HOUR - 1)) == [N1, A]
    assert names(signing([A], kept, HOUR)) == [N1]
    assert names(signing([A], kept, 10**15)) == [N1]


def test_two_rotations_leave_three_that_sign() -> None:
    """W7: each older one until its own end, HMAC and Ed25519 side by side."""
    kept = rotated([A], rotated([A], [], N2, 0, 2 * HOUR), N1, HOUR, 2 * HOUR)

    assert [kind_of(one.secret) for one in signing([A], kept, HOUR)] == ["whsec", "whsk", "whsec"]
    assert names(signing([A], kept, HOUR)) == [N1, N2, A]
    assert names(signing([A], kept, 2 * HOUR)) == [N1, N2]
    assert names(signing([A], kept, 3 * HOUR)) == [N1]


def test_a_shorter_overlap_ends_older_secrets_too() -> None:
    """What leaked stops at once with 0s, however much longer it was promised before."""
    kept = rotated([A], rotated([A], [], N1, 0, 24 * HOUR), N2, HOUR, 0)

    assert names(signing([A], kept, HOUR)) == [N2]


def test_moving_the_new_secret_into_the_config_changes_nothing() -> None:
    """In any spelling; the old one, which the config no longer holds, goes on signing until its end."""
    kept = rotated([A], [], N1, 0, HOUR)

    assert names(signing([N1.rstrip("=")], kept, 1)) == [N1, A]
    assert names(signing([N1, A], kept, HOUR)) == [N1]


def test_a_secret_that_rotation_does_not_know_makes_the_config_count() -> None:
    """It was changed later: it signs, what was promised until a time signs until then, the newest of rotation ends."""
    kept = rotated([A], [], N1, 0, HOUR)

    assert names(signing([B], kept, 1)) == [B, A]
    assert names(signing([B, N1], kept, 1)) == [B, N1, A]
    assert names(signing([B], kept, HOUR)) == [B]
    assert names(signing([A], kept, 1)) == [N1, A], "and back again it is as before"


def test_a_rotation_after_that_goes_on_from_the_config() -> None:
    """What the config says is what signs along."""
    kept = rotated([B], rotated([A], [], N1, 0, HOUR), N2, 1, HOUR)

    assert names(signing([B], kept, 2)) == [N2, B, A]
    assert names(signing([B], kept, 2 * HOUR)) == [N2]


def test_more_old_secrets_than_allowed_are_refused_until_one_ends() -> None:
    """W8: the refusal says when the first ends; then one more rotation goes."""
    kept: list[Kept] = []
    for number in range(MOST_OLD):
        kept = rotated([A], kept, made(20 + number), number, HOUR)
    assert len(signing([A], kept, MOST_OLD)) == MOST_OLD + 1

    with pytest.raises(TooManySecrets) as refused:
        rotated([A], kept, N1, MOST_OLD, HOUR)
    assert refused.value.until_ms == HOUR
    assert names(rotated([A], kept, N1, HOUR, HOUR))[0] == N1
    assert names(signing([A], rotated([A], kept, N1, MOST_OLD, 0), MOST_OLD)) == [N1]


def test_what_rotation_remembers_does_not_grow() -> None:
    """Ended secrets are kept only while they stand in the config, so that they do not begin anew."""
    kept: list[Kept] = []
    for number in range(200):
        kept = rotated([A], kept, made(number + 10), number * 2 * HOUR, HOUR)

    assert {one.secret for one in kept} == {made(209), made(208), A}


def test_a_keyring_signs_by_the_clock_and_can_be_locked() -> None:
    """The signers change when an end passes, with no news from the store."""
    ring = Keyring([A])
    (before,) = ring.signers(0)
    ring.take(rotated([A], [], N1, 0, HOUR))

    assert [sign(b"x")[:3] for sign in ring.signers(0)] == ["v1,", "v1,"]
    assert before in ring.signers(0)
    assert before not in ring.signers(HOUR)
    ring.lock("no key")
    with pytest.raises(SecretsLocked, match="no key"):
        ring.signers(0)
    ring.take([])
    assert ring.signers(0) == (before,)


def test_neither_keyring_nor_secret_shows_itself() -> None:
    """Not by repr."""
    assert A not in repr(Keyring([A])) + repr(Kept(A)) + repr(rotated([A], [], N1, 0, HOUR))


def test_a_public_key_is_made_from_ed25519_alone() -> None:
    """RFC 8032, section 7.1, test 1."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

    assert public_key(new_secret("whsk", lambda _: seed)) == "whpk_" + base64.b64encode(public).decode()
    assert public_key(A) is None
    assert same_spelling(f" {A.rstrip('=')}\n") == A
