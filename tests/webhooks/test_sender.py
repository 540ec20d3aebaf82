"""One attempt: what is sent, what is kept of the reply, and what is never followed or sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from app.domain.delivery import Answered, Broken, FailureKind
from app.domain.signature import HmacSecret
from app.webhooks.sender import Parcel, Sender
from tests.receiver import Receiver, raw, status
from tests.webhooks.senders import SECRET, a_sender, attempt, failure

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    built = a_sender()
    yield built
    await built.close()


async def test_a_signed_parcel_arrives_whole_and_verifies_independently(
    receiver: Receiver, sender: Sender
) -> None:
    url = receiver.on("/hook?k=v", status(204), secret=SECRET.text)
    receipt = await attempt(sender, url)

    arrival = receiver.arrivals("/hook?k=v")[0]
    assert receipt.outcome == Answered(204)
    assert (arrival.method, arrival.body, arrival.verified) == ("POST", b'{"type":"sla.breached"}', True)
    assert arrival.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert arrival.headers["x-tenant"] == "acme"
    assert arrival.headers["accept-encoding"] == "identity"
    assert arrival.headers["content-type"] == "application/json"


async def test_the_verifier_of_these_tests_can_say_no(receiver: Receiver, sender: Sender) -> None:
    url = receiver.on("/hook", status(204), secret=HmacSecret(bytes(32)).text)
    await attempt(sender, url)
    assert receiver.arrivals()[0].verified is False


async def test_a_reply_is_kept_as_size_hash_and_a_short_printable_excerpt(
    receiver: Receiver, sender: Sender
) -> None:
    receipt = await attempt(sender, receiver.on("/hook", status(500, b"oo\x00ps" + b"!" * 5000)))
    assert receipt.outcome == Answered(500)
    assert receipt.reply_bytes == 5005
    assert receipt.reply_excerpt is not None
    assert receipt.reply_excerpt.startswith("oo\ufffdps!")
    assert len(receipt.reply_excerpt) == 1000
    assert receipt.reply_sha256 is not None


async def test_attempts_to_one_receiver_share_a_connection(receiver: Receiver, sender: Sender) -> None:
    url = receiver.on("/hook", status(200, b"ok"))
    for _ in range(5):
        assert (await attempt(sender, url)).outcome == Answered(200)
    assert receiver.connections == 1
    assert {arrival.connection for arrival in receiver.arrivals()} == {1}


async def test_a_kept_connection_that_died_meanwhile_costs_no_attempt(
    receiver: Receiver, sender: Sender
) -> None:
    async def answer_then_close(_arrival: object, _reader: object, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
        await writer.drain()
        asyncio.get_running_loop().call_later(0.02, writer.close)

    url = receiver.on("/hook", answer_then_close, status(200))
    assert (await attempt(sender, url)).outcome == Answered(200)
    await asyncio.sleep(0.1)
    assert (await attempt(sender, url)).outcome == Answered(200)
    assert receiver.connections == 2


async def test_bytes_that_nobody_asked_for_end_the_connection(receiver: Receiver, sender: Sender) -> None:
    spoof = HEAD + b"Content-Length: 0\r\n\r\n" + b"HTTP/1.1 299 Spoofed\r\nContent-Length: 0\r\n\r\n"
    url = receiver.on("/hook", raw(spoof, close=False), status(202))
    assert (await attempt(sender, url)).outcome == Answered(200)
    assert (await attempt(sender, url)).outcome == Answered(202)
    assert receiver.connections == 2


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_reported_and_its_target_never_contacted(
    receiver: Receiver, sender: Sender, code: int
) -> None:
    async with Receiver() as canary:
        url = receiver.on("/hook", status(code, Location=canary.url("/inside")))
        receipt = await attempt(sender, url)
        assert receipt.outcome == Answered(code, location=canary.url("/inside"))
        assert canary.connections == 0
    assert len(receiver.ledger) == 1


async def test_retry_after_is_handed_on_as_it_came(receiver: Receiver, sender: Sender) -> None:
    receipt = await attempt(sender, receiver.on("/hook", status(429, Retry_After="120")))
    assert receipt.outcome == Answered(429, retry_after="120")


async def test_nobody_listening_is_refused(sender: Sender) -> None:
    async with Receiver() as gone:
        url = gone.url()
    assert failure((await attempt(sender, url)).outcome) is FailureKind.REFUSED


async def test_proxies_of_the_environment_are_ignored(
    receiver: Receiver, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert (await attempt(sender, receiver.on("/hook", status(200)))).outcome == Answered(200)
        assert proxy.connections == 0


async def test_a_header_that_would_smuggle_a_line_is_our_fault_and_nothing_is_sent(
    receiver: Receiver, sender: Sender
) -> None:
    parcel = Parcel("msg_1", receiver.on("/hook", status(200)), b"{}", [SECRET], {"X": "a\r\nEvil: 1"})
    receipt = await sender.send(parcel, datetime.now(UTC))
    assert isinstance(receipt.outcome, Broken)
    assert receiver.ledger == []


async def test_a_message_without_secret_is_our_fault(receiver: Receiver, sender: Sender) -> None:
    parcel = Parcel("msg_1", receiver.on("/hook", status(200)), b"{}", [])
    receipt = await sender.send(parcel, datetime.now(UTC))
    assert isinstance(receipt.outcome, Broken)
    assert receipt.outcome.reason == "no_secret"
