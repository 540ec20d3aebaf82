"""One attempt against a receiver that misbehaves in every way we know: always an outcome, always in time."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from app.domain.delivery import Answered, Broken, Failed, FailureKind, Outcome
from app.domain.egress import Address, EgressRules, parse_networks
from app.domain.signature import HmacSecret
from app.webhooks.dial import tls_context
from app.webhooks.egress import EgressGuard, UnresolvedError
from app.webhooks.sender import Parcel, Receipt, Sender
from app.webhooks.transport import VettedTransport
from tests.receiver import Receiver, Script, after, endless, raw, reset, silence, status
from tests.webhooks.certificates import Authority, an_authority

DEADLINE = 0.4
SECRET = HmacSecret(bytes(range(32)))
HOME = EgressRules(allow=parse_networks(["127.0.0.0/8"]))
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class Names:
    """A scripted name server: each look-up of a name takes the next answer, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, host: str) -> tuple[Address, ...]:
        self.asked.append(host)
        answers = self.answers.get(host.replace(".", "_"))
        if answers is None:
            raise UnresolvedError(f"{host}: no such name")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return tuple(map(ip_address, answer))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


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


def a_sender(
    rules: EgressRules = HOME,
    names: Names | None = None,
    ca_file: str | None = None,
    deadline: float = 5.0,
) -> Sender:
    transport = VettedTransport(EgressGuard(rules, names), tls_context(ca_file))
    return Sender(transport, deadline_seconds=deadline)


async def attempt(sender: Sender, url: str, message_id: str = "msg_1") -> Receipt:
    parcel = Parcel(message_id, url, b'{"type":"sla.breached"}', [SECRET], {"X-Tenant": "acme"})
    return await sender.send(parcel, datetime.now(UTC))


def failure(outcome: Outcome) -> FailureKind:
    assert isinstance(outcome, Failed), outcome
    return outcome.kind


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


# --- names and addresses ------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [["10.0.0.1"], ["127.0.0.1", "169.254.169.254"], ["8.8.8.8", "::1"]])
async def test_a_name_with_one_address_inside_is_never_connected_to(
    receiver: Receiver, answer: list[str]
) -> None:
    guarded = a_sender(names=Names(receiver_test=[answer]))
    receipt = await attempt(guarded, receiver.url("/hook", "receiver.test"))
    assert failure(receipt.outcome) is FailureKind.ADDRESS_REFUSED
    assert receiver.connections == 0


async def test_without_the_operators_network_the_canary_is_safe_and_with_it_the_canary_is_hit(
    receiver: Receiver,
) -> None:
    url = receiver.on("/hook", status(200)).replace(str(receiver.port), "8080")
    strict = a_sender(EgressRules())
    assert failure((await attempt(strict, url)).outcome) is FailureKind.ADDRESS_REFUSED
    assert receiver.connections == 0
    assert (await attempt(a_sender(), receiver.url())).outcome == Answered(200)  # the negative twin


async def test_the_name_goes_into_host_while_the_vetted_address_is_dialled(receiver: Receiver) -> None:
    names = Names(receiver_test=[["127.0.0.1"]])
    receiver.on("/hook", status(200))
    assert (await attempt(a_sender(names=names), receiver.url("/hook", "receiver.test"))).outcome == Answered(
        200
    )
    assert receiver.arrivals()[0].headers["host"] == f"receiver.test:{receiver.port}"


async def test_a_name_that_flips_after_the_check_is_not_asked_again(receiver: Receiver) -> None:
    names = Names(receiver_test=[["127.0.0.1"], ["10.0.0.1"]])
    receiver.on("/hook", status(200))
    assert (await attempt(a_sender(names=names), receiver.url("/hook", "receiver.test"))).outcome == Answered(
        200
    )
    assert names.asked == ["receiver.test"]


async def test_a_kept_connection_is_not_used_once_the_name_has_moved(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.egress.CACHE_SECONDS", 0.0)
    guarded = a_sender(names=Names(receiver_test=[["127.0.0.1"], ["10.0.0.1"]]))
    receiver.on("/hook", status(200))
    url = receiver.url("/hook", "receiver.test")
    assert (await attempt(guarded, url)).outcome == Answered(200)
    assert failure((await attempt(guarded, url)).outcome) is FailureKind.ADDRESS_REFUSED
    assert len(receiver.ledger) == 1


async def test_the_next_address_is_tried_when_the_first_is_dead(receiver: Receiver) -> None:
    names = Names(receiver_test=[["127.0.0.9", "127.0.0.1"]])
    receiver.on("/hook", status(200))
    assert (await attempt(a_sender(names=names), receiver.url("/hook", "receiver.test"))).outcome == Answered(
        200
    )


async def test_an_unknown_name_and_a_silent_name_server_are_told_apart() -> None:
    async def silent(_host: str) -> tuple[Address, ...]:
        await asyncio.sleep(3600)
        raise AssertionError

    assert failure((await attempt(a_sender(names=Names()), "http://no.test/")).outcome) is FailureKind.DNS
    quiet = Sender(VettedTransport(EgressGuard(HOME, silent)), deadline_seconds=0.2)
    receipt = await attempt(quiet, "http://no.test/")
    assert failure(receipt.outcome) is FailureKind.TIMEOUT
    assert isinstance(receipt.outcome, Failed)
    assert "looking the name up" in receipt.outcome.detail


async def test_many_who_wait_for_one_name_ask_once(receiver: Receiver) -> None:
    names = Names(receiver_test=[["127.0.0.1"]])
    receiver.on("/hook", status(200))
    guarded = a_sender(names=names)
    await asyncio.gather(*(attempt(guarded, receiver.url("/hook", "receiver.test")) for _ in range(20)))
    assert names.asked == ["receiver.test"]


@pytest.mark.parametrize("url", ["ftp://x/", "http://127.1/", "http://a@127.0.0.1/", "http://localhost./"])
async def test_an_odd_stored_url_is_refused_at_delivery_too(sender: Sender, url: str) -> None:
    assert failure((await attempt(sender, url)).outcome) is FailureKind.ADDRESS_REFUSED


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


# --- TLS ----------------------------------------------------------------------------------------


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
