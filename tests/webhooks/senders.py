"""Senders for tests: over real sockets, with scripted names, and one attempt in a line."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

from app.domain.delivery import Failed, FailureKind, Outcome
from app.domain.egress import Address, EgressRules, parse_networks
from app.domain.signature import HmacSecret
from app.webhooks.dial import tls_context
from app.webhooks.egress import EgressGuard, UnresolvedError
from app.webhooks.sender import Parcel, Receipt, Sender
from app.webhooks.transport import VettedTransport

SECRET = HmacSecret(bytes(range(32)))
HOME = EgressRules(allow=parse_networks(["127.0.0.0/8"]))


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
