"""Reading a receiver's reply, byte by byte and all at once: framing, bounds, and bytes that are no reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.reply import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_INTERIM,
    Reply,
    ReplyError,
    ReplyReader,
    printable,
)


def read(data: bytes, step: int | None = None, *, ended: bool = False) -> Reply | None:
    """The complete reply in `data`, fed in steps; None when it is not whole."""
    reader = ReplyReader()
    step = step or max(1, len(data))
    for start in range(0, len(data), step):
        if reader.feed(data[start : start + step]):
            return reader.reply
    return reader.reply if ended and reader.end() else None


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b \r\n\r\nok"
CHUNKED = (
    b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nay!\r\n0\r\nT: x\r\n\r\n"
)


@pytest.mark.parametrize("step", [None, 1, 2, 3, 7])
@pytest.mark.parametrize(
    ("wire", "status", "body"),
    [
        (PLAIN, 200, b"ok"),
        (CHUNKED, 201, b"okay!"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + PLAIN, 200, b"ok"),
        (b"HTTP/1.1 200\nContent-Length: 0\n\n", 200, b""),
        (b"HTTP/1.1 500 \xff\xfe oops\r\nContent-Length: 0\r\nX: \xff\xfe\r\n\r\n", 500, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 200, b""),
    ],
)
def test_a_whole_reply_is_read_however_it_is_cut(
    wire: bytes, status: int, body: bytes, step: int | None
) -> None:
    reply = read(wire, step)
    assert reply is not None
    assert (reply.status, bytes(reply.body), reply.truncated) == (status, body, False)
    assert reply.keep_alive


def test_a_header_is_found_by_its_lower_case_name() -> None:
    reply = read(PLAIN)
    assert reply is not None
    assert (reply.header(b"x-a"), reply.header(b"x-b")) == ("b", None)


@pytest.mark.parametrize("step", [None, 1])
def test_a_body_without_length_ends_with_the_connection(step: int | None) -> None:
    wire = b"HTTP/1.1 200 OK\r\n\r\nall of it"
    assert read(wire, step) is None
    reply = read(wire, step, ended=True)
    assert reply is not None
    assert bytes(reply.body) == b"all of it"
    assert not reply.keep_alive


@pytest.mark.parametrize("cut", range(1, len(CHUNKED)))
def test_a_reply_that_is_cut_off_anywhere_is_never_taken_for_whole(cut: int) -> None:
    assert read(CHUNKED[:cut], ended=True) is None
    if cut < len(PLAIN):
        assert read(PLAIN[:cut], ended=True) is None


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        PLAIN + b"HTTP/1.1 200 OK\r\n",
        CHUNKED + b"x",
    ],
)
def test_a_wire_that_may_be_out_of_step_is_not_used_again(wire: bytes) -> None:
    reply = read(wire)
    assert reply is not None
    assert not reply.keep_alive


@pytest.mark.parametrize(
    "wire",
    [
        b"hello there\r\n\r\n",
        b"<html>",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 200 O\x00K\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 50 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
    ],
)
@pytest.mark.parametrize("step", [None, 1])
def test_bytes_that_are_no_reply_are_refused(wire: bytes, step: int | None) -> None:
    with pytest.raises(ReplyError) as refused:
        read(wire, step)
    assert not refused.value.too_large
    known = wire.startswith(b"HTTP/1.1 ") and b" 2000 " not in wire and b" 099 " not in wire
    assert (refused.value.status is not None) is known


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * MAX_HEAD_BYTES,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
    ],
    ids=["one long header", "too many", "without end"],
)
def test_headers_beyond_the_cap_stop_the_reading_and_the_status_is_kept(wire: bytes) -> None:
    with pytest.raises(ReplyError) as refused:
        read(wire, 4096)
    assert (refused.value.too_large, refused.value.status) == (True, 200)


def test_a_flood_of_interim_replies_is_cut_short() -> None:
    interim = b"HTTP/1.1 103 Hints\r\n\r\n"
    assert read(interim * MAX_INTERIM + PLAIN) is not None
    with pytest.raises(ReplyError) as refused:
        read(interim * (MAX_INTERIM + 1) + PLAIN)
    assert refused.value.too_large


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * (MAX_BODY_BYTES + 1),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY_BYTES + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n" + b"x" * (MAX_BODY_BYTES + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: x\r\n" * 100_000,
    ],
    ids=["length", "until the end", "one chunk", "tiny chunks", "chunk extension", "trailers"],
)
def test_a_body_beyond_the_cap_is_cut_but_its_status_stands(wire: bytes) -> None:
    reply = read(wire, 1000)
    assert reply is not None
    assert (reply.status, reply.truncated, reply.keep_alive) == (200, True, False)
    assert len(reply.body) <= MAX_BODY_BYTES


def test_a_body_of_exactly_the_cap_is_whole() -> None:
    reply = read(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MAX_BODY_BYTES + b"x" * MAX_BODY_BYTES)
    assert reply is not None
    assert not reply.truncated


@given(st.binary(max_size=300), st.integers(1, 9))
def test_no_bytes_do_more_than_be_refused(data: bytes, step: int) -> None:
    for wire in (
        data,
        b"HTTP/1.1 200 OK\r\n" + data,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data,
    ):
        try:
            reply = read(wire, step, ended=True)
        except ReplyError:
            continue
        assert reply is None or len(reply.body) <= len(data)


@given(st.binary(max_size=2000))
def test_an_excerpt_is_always_storable_text(data: bytes) -> None:
    text = printable(data, 100)
    assert len(text) <= 100
    assert "\x00" not in text
    text.encode("utf-8")


def test_an_excerpt_replaces_control_and_direction_characters() -> None:
    assert printable(b"a\x00b\x1b[31m\xffc\n", 100) == "a\ufffdb\ufffd[31m\ufffdc\n"
    assert printable("safe \u202etxt", 100) == "safe \ufffdtxt"
