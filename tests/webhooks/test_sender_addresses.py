"""Names and addresses of an attempt: vetted when dialled, whatever a name server says and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.domain.delivery import Answered, Failed, FailureKind
from app.domain.egress import Address, EgressRules
from app.webhooks.egress import EgressGuard
from app.webhooks.sender import Sender
from app.webhooks.transport import VettedTransport
from tests.receiver import Receiver, status
from tests.webhooks.senders import HOME, Names, a_sender, attempt, failure


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    built = a_sender()
    yield built
    await built.close()


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
