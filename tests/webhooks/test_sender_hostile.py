"""A receiver that misbehaves in every way we know: always an outcome, always in time, never too much."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from app.domain.delivery import Answered, Failed, FailureKind, Outcome
from app.webhooks.sender import Sender
from tests.receiver import Receiver, Script, after, endless, raw, reset, silence, status
from tests.webhooks.senders import a_sender, attempt, failure

DEADLINE = 0.4
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    built = a_sender()
    yield built
    await built.close()


@pytest.fixture
async def hasty() -> AsyncIterator[Sender]:
    built = a_sender(deadline=DEADLINE)
    yield built
    await built.close()


SLOW: dict[str, Script] = {
    "silence": silence(),
    "headers then silence": raw(HEAD + b"Content-Length: 10\r\n\r\n", close=False),
    "a body that never ends": raw(HEAD + b"\r\n" + b"part", close=False),
    "a dripped body": endless(HEAD + b"Content-Length: 1000000\r\n\r\n", b"x", 0.05),
    "dripped headers": endless(HEAD, b"X: y\r\n", 0.05),
    "half a chunk": raw(CHUNKED + b"5\r\nab", close=False),
    "an answer after the deadline": after(5, status(200)),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW.keys())
async def test_an_attempt_ends_at_its_deadline_whatever_the_receiver_drags_out(
    receiver: Receiver, hasty: Sender, script: Script
) -> None:
    started = time.monotonic()
    receipt = await attempt(hasty, receiver.on("/hook", script))
    assert failure(receipt.outcome) is FailureKind.TIMEOUT
    assert DEADLINE - 0.05 <= time.monotonic() - started <= DEADLINE + 0.3
    await receiver.wait_until_closed()  # the socket is not left to the receiver


async def test_a_timeout_names_the_phase_and_keeps_the_status_it_saw(
    receiver: Receiver, hasty: Sender
) -> None:
    receipt = await attempt(hasty, receiver.on("/hook", SLOW["headers then silence"]))
    assert isinstance(receipt.outcome, Failed)
    assert receipt.outcome.status == 200
    assert "waiting for the reply" in receipt.outcome.detail


ENDLESS: dict[str, tuple[Script, Outcome | FailureKind]] = {
    "a body of 100 MB": (endless(HEAD + b"Content-Length: 100000000\r\n\r\n", b"x" * 65536), Answered(200)),
    "endless chunks": (endless(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"), Answered(200)),
    "endless one-byte chunks": (endless(CHUNKED, b"1\r\nx\r\n" * 1000), Answered(200)),
    "endless trailers": (endless(CHUNKED + b"0\r\n", b"T: x\r\n" * 1000), Answered(200)),
    "a body without length": (endless(HEAD + b"\r\n", b"x" * 65536), Answered(200)),
    "endless headers": (endless(HEAD, b"X: y\r\n" * 1000), FailureKind.TOO_LARGE),
    "one endless header": (endless(HEAD + b"X: ", b"y" * 65536), FailureKind.TOO_LARGE),
    "interim replies for ever": (endless(b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 100), FailureKind.TOO_LARGE),
}


@pytest.mark.parametrize(("script", "expected"), ENDLESS.values(), ids=ENDLESS.keys())
async def test_a_reply_without_end_is_cut_at_the_cap_and_its_status_recorded(
    receiver: Receiver, sender: Sender, script: Script, expected: Outcome | FailureKind
) -> None:
    started = time.monotonic()
    receipt = await attempt(sender, receiver.on("/hook", script))
    assert time.monotonic() - started < 4  # the cap ended it, not the deadline
    if isinstance(expected, FailureKind):
        assert failure(receipt.outcome) is expected
        assert isinstance(receipt.outcome, Failed)
        assert receipt.outcome.status is not None
    else:
        assert receipt.outcome == expected
        assert receipt.truncated
        assert receipt.reply_bytes is not None
        assert receipt.reply_bytes <= 16 * 1024


@pytest.mark.parametrize("name", ["a body of 100 MB", "endless chunks", "one endless header"])
async def test_what_has_no_end_takes_no_memory(receiver: Receiver, sender: Sender, name: str) -> None:
    url = receiver.on("/hook", ENDLESS[name][0])
    await attempt(sender, url)
    tracemalloc.start()
    await attempt(sender, url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000  # the receiver's own buffers are in it


async def test_a_compressed_bomb_is_never_unpacked(receiver: Receiver, sender: Sender) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) < 16 * 1024
    receipt = await attempt(sender, receiver.on("/hook", status(200, bomb, Content_Encoding="gzip")))
    assert receipt.outcome == Answered(200)
    assert receipt.reply_bytes == len(bomb)


HOSTILE: dict[str, tuple[Script, FailureKind]] = {
    "bad chunking": (raw(CHUNKED + b"zz\r\n"), FailureKind.PROTOCOL),
    "NUL in a header": (raw(HEAD + b"X: \x00\r\n\r\n"), FailureKind.PROTOCOL),
    "HTTP/0.9": (raw(b"hello\r\n"), FailureKind.PROTOCOL),
    "another protocol": (raw(b"220 smtp.example.com ESMTP\r\n"), FailureKind.PROTOCOL),
    "an upgrade": (raw(b"HTTP/1.1 101 Switching\r\n\r\n"), FailureKind.PROTOCOL),
    "an empty reply": (raw(), FailureKind.RESET),
    "a cut-off body": (raw(HEAD + b"Content-Length: 10\r\n\r\nabc"), FailureKind.RESET),
    "a reset before the reply": (reset(), FailureKind.RESET),
    "a reset within the body": (reset(HEAD + b"Content-Length: 10\r\n\r\nabc"), FailureKind.RESET),
    "a reset within the head": (reset(b"HTTP/1.1 2"), FailureKind.RESET),
}


@pytest.mark.parametrize(("script", "kind"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_broken_reply_is_a_classified_failure(
    receiver: Receiver, sender: Sender, script: Script, kind: FailureKind
) -> None:
    receipt = await attempt(sender, receiver.on("/hook", script))
    assert failure(receipt.outcome) is kind


async def test_odd_but_harmless_bytes_in_a_reply_are_taken_and_cleaned(
    receiver: Receiver, sender: Sender
) -> None:
    reply = b"HTTP/1.1 200 \xff\r\nX-\xd0: y\r\n\r\n"
    assert failure((await attempt(sender, receiver.on("/a", raw(reply)))).outcome) is FailureKind.PROTOCOL
    head = b"HTTP/1.1 400 \xd0\xff\r\nX: \xff\xfe\r\nRetry-After: \xff\r\nContent-Length: 4\r\n\r\n"
    reply = head + b"\xff\x00\xd0\xbf"
    receipt = await attempt(sender, receiver.on("/b", raw(reply)))
    assert isinstance(receipt.outcome, Answered)
    assert (receipt.outcome.status, receipt.reply_excerpt) == (400, "\ufffd\ufffdп")
