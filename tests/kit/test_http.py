"""Bodies: counted while they are read, cut at a deadline, unpacked with a cap."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence

import pytest

from app.kit import http


def chunks(*parts: bytes, then: str = "end") -> http.Receive:
    """A `receive` that gives these parts; then ends, hangs up or hangs."""
    messages: list[http.Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    if then == "end":
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    elif then == "hang up":
        messages.append({"type": "http.disconnect"})

    async def receive() -> http.Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive


async def refused(parts: Sequence[bytes], then: str = "end", limit: int = 10) -> tuple[int, str]:
    with pytest.raises(http.BodyError) as caught:
        await http.read_body(chunks(*parts, then=then), limit=limit, deadline_seconds=0.05)
    return caught.value.status, caught.value.code


async def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() -> None:
    assert await http.read_body(chunks(b"12345", b"67890"), limit=10, deadline_seconds=1) == b"1234567890"
    assert await refused([b"12345", b"678901"]) == (413, "body_too_large")


async def test_no_more_is_read_than_the_first_byte_past_the_limit() -> None:
    assert await refused([b"1" * 11], then="hang") == (413, "body_too_large")


async def test_a_body_that_does_not_end_is_cut_at_the_deadline() -> None:
    assert await refused([b"1"], then="hang") == (408, "body_too_slow")


async def test_a_client_that_hangs_up_is_no_error_of_the_body() -> None:
    with pytest.raises(http.ClientGoneError):
        await http.read_body(chunks(b"1", then="hang up"), limit=10, deadline_seconds=1)


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"x", "br", 415),
        (b"x", "gzip, gzip", 415),
        (b"x", "gzip", 400),
        (b"", "gzip", 400),
        (gzip.compress(b"abc")[:-3], "gzip", 400),
        (gzip.compress(b"abc") + b"x", "gzip", 400),
        (gzip.compress(b"abc") + gzip.compress(b"abc"), "gzip", 400),
        (gzip.compress(b"a" * 101), "gzip", 413),
    ],
    ids=["brotli", "twice", "plain", "empty", "half", "trailing", "two members", "too large"],
)
def test_a_body_that_cannot_be_unpacked_is_refused(body: bytes, encoding: str, status: int) -> None:
    with pytest.raises(http.BodyError) as caught:
        http.unpack(body, encoding, limit=100)
    assert caught.value.status == status


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_is_left_alone(encoding: str) -> None:
    assert http.unpack(b"\x1f\x8b", encoding, limit=100) == b"\x1f\x8b"


def test_gzip_up_to_the_limit_is_unpacked() -> None:
    assert http.unpack(gzip.compress(b"a" * 100), " GZip ", limit=100) == b"a" * 100


def test_header_names_are_lowered_and_of_a_repeated_one_the_last_counts() -> None:
    scope = {"headers": [(b"X-A", b"1"), (b"x-a", b"2"), (b"X-B", b"\xe9")]}
    assert http.headers_of(scope) == {"x-a": "2", "x-b": "é"}
