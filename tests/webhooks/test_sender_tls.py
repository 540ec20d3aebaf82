"""TLS of an attempt: only a certificate of the name, by an authority that is trusted."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.delivery import Answered, Failed, FailureKind
from app.webhooks.sender import Receipt
from tests.receiver import Receiver, status
from tests.webhooks.certificates import Authority, an_authority
from tests.webhooks.senders import Names, a_sender, attempt, failure


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return an_authority(tmp_path_factory.mktemp("authority"))


async def over_tls(
    authority: Authority, *names: str, expired: bool = False, self_signed: bool = False
) -> Receipt:
    context = authority.server(*names, expired=expired, self_signed=self_signed)
    async with Receiver(tls=context) as secure:
        secure.on("/hook", status(200))
        client = a_sender(names=Names(receiver_test=[["127.0.0.1"]]), ca_file=authority.ca_file, deadline=2)
        receipt = await attempt(client, secure.url("/hook", "receiver.test"))
        await client.close()
    return receipt


async def test_a_certificate_of_the_name_is_accepted(authority: Authority) -> None:
    assert (await over_tls(authority, "receiver.test")).outcome == Answered(200)


@pytest.mark.parametrize(
    ("names", "options", "word"),
    [
        (["other.test"], {}, "mismatch"),
        (["127.0.0.1"], {}, "mismatch"),  # the address is dialled, but the name is what counts
        (["receiver.test"], {"expired": True}, "expired"),
        (["receiver.test"], {"self_signed": True}, "self-signed"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_a_tls_failure(
    authority: Authority, names: list[str], options: dict[str, bool], word: str
) -> None:
    receipt = await over_tls(authority, *names, **options)
    assert failure(receipt.outcome) is FailureKind.TLS
    assert isinstance(receipt.outcome, Failed)
    assert word in receipt.outcome.detail.lower()


async def test_a_handshake_that_never_ends_is_a_timeout_that_says_so(authority: Authority) -> None:
    async with Receiver() as plain:
        url = plain.url().replace("http:", "https:")
        assert failure((await attempt(a_sender(deadline=0.3), url)).outcome) is FailureKind.TIMEOUT

    async def stall(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            pass

    async with Receiver(on_connect=stall) as stalling:
        receipt = await attempt(a_sender(deadline=0.3), stalling.url().replace("http:", "https:"))
    assert failure(receipt.outcome) is FailureKind.TIMEOUT
    assert isinstance(receipt.outcome, Failed)
    assert "TLS" in receipt.outcome.detail


async def test_a_receiver_that_hangs_up_in_the_handshake_is_a_tls_failure() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with Receiver(on_connect=hang_up) as rude:
        receipt = await attempt(a_sender(), rude.url().replace("http:", "https:"))
    assert failure(receipt.outcome) is FailureKind.TLS


async def test_the_default_trust_store_does_not_trust_a_stranger(authority: Authority) -> None:
    async with Receiver(tls=authority.server("127.0.0.1")) as secure:
        secure.on("/hook", status(200))
        receipt = await attempt(a_sender(deadline=2), secure.url())
    assert failure(receipt.outcome) is FailureKind.TLS
