"""A request to be forgotten becomes a job, in the commit that records the request."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType
from app.journal.ports import Announcement, Commit, Place
from app.kit import json
from app.kit.crypto import Sealer

TOKEN_BYTES = 16

_INSERT = """
INSERT INTO erasures
       (tenant_id, erasure_id, customer_ref, token, sealed_identifier, requested_at, next_at, counts)
VALUES ($1, $2, $3, $4, $5, $6, $6, '{}')
"""


def identifier_context(tenant_id: UUID, erasure_id: UUID) -> bytes:
    """To whom a sealed identifier belongs."""
    return tenant_id.bytes + b"erasure:" + erasure_id.bytes


class ErasureIntake:
    """The announcer of requests: it tells nobody anything, and leaves a job for the erasure loop.

    The identifier itself is needed to find raw bodies; it waits sealed, and only until the job is done.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """One job for each request of this commit."""
        for event in commit.events:
            if event.type is not EventType.ERASURE_REQUESTED:
                continue
            customer = json.dumps(dict(commit.drafts[event.event_id].event.data["customer"]))
            context = identifier_context(commit.tenant_id, event.event_id)
            await tx.execute(
                _INSERT,
                commit.tenant_id,
                event.event_id,
                event.customer_ref,
                secrets.token_bytes(TOKEN_BYTES),
                self._sealer.seal(customer, context),
                commit.recorded_at,
            )
        return ()
