"""Secrets at rest: sealed under a named key, bound to their place, readable through a rotation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.crypto import Sealer, SealError, generate_master_key, key_id_of

OLD, NEW = generate_master_key("old"), generate_master_key("new")


@given(plain=st.binary(max_size=200), context=st.binary(max_size=50))
def test_what_is_sealed_opens_in_its_place_and_nowhere_else(plain: bytes, context: bytes) -> None:
    sealer = Sealer([OLD])
    sealed = sealer.seal(plain, context)
    assert sealer.open(sealed, context) == plain
    with pytest.raises(SealError, match="altered, or belongs elsewhere"):
        sealer.open(sealed, context + b"x")


def test_the_same_secret_never_looks_the_same() -> None:
    sealer = Sealer([OLD])
    assert sealer.seal(b"secret", b"") != sealer.seal(b"secret", b"")
    assert b"secret" not in sealer.seal(b"secret", b"")


def test_during_a_rotation_old_seals_open_and_new_ones_name_the_new_key() -> None:
    sealed = Sealer([OLD]).seal(b"secret", b"")
    rotated = Sealer([NEW, OLD])
    assert rotated.open(sealed, b"") == b"secret"
    assert (key_id_of(sealed), key_id_of(rotated.seal(b"secret", b""))) == ("old", "new")


def test_without_its_key_a_seal_stays_shut_and_says_which_key_it_wants() -> None:
    with pytest.raises(SealError, match="'old'") as refused:
        Sealer([NEW]).open(Sealer([OLD]).seal(b"secret", b""), b"")
    assert refused.value.reason == "unknown_key"


def test_a_key_of_the_same_name_but_other_bytes_does_not_open() -> None:
    with pytest.raises(SealError) as refused:
        Sealer([generate_master_key("old")]).open(Sealer([OLD]).seal(b"secret", b""), b"")
    assert refused.value.reason == "unreadable"


@given(st.integers(0, 60), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_noticed(place: int, change: int) -> None:
    sealed = bytearray(Sealer([OLD]).seal(b"a secret of some length", b"here"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(SealError):
        Sealer([OLD]).open(bytes(sealed), b"here")


@given(st.binary(max_size=40))
def test_bytes_that_are_no_seal_are_refused(data: bytes) -> None:
    with pytest.raises(SealError):
        Sealer([OLD]).open(data, b"")


@pytest.mark.parametrize("key", ["", "id", "id:", "id:not base64!", "id:aGk=", ":" + "A" * 43 + "=", "id:ї"])
def test_a_master_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(SealError) as refused:
        Sealer([key])
    assert refused.value.reason == "bad_key"


def test_there_is_no_sealing_without_a_key() -> None:
    with pytest.raises(SealError) as refused:
        Sealer([])
    assert refused.value.reason == "no_key"
