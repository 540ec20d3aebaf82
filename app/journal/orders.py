"""Commands of the slices: carried out once under the tenant's lock, whoever repeats them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.errors import ConflictError
from app.domain.events import Event, StoredEvent
from app.journal.drafts import draft
from app.journal.journal import Journal
from app.journal.ports import OWN_SOURCE, Commit, Identity
from app.journal.rows import select_events
from app.kit.ids import new_id, public_id

Build = Callable[[Tx, Commit], Awaitable[Sequence[Event]]]
"""The events of a command, read and checked under the lock; the first of them bears its id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the same key must bring the same `stated`."""

    command: str
    stated: Mapping[str, Any]
    idempotency_key: str | None = None

    def event_id(self) -> str:
        """The caller's Idempotency-Key names the first event for ever."""
        if self.idempotency_key is None:
            return public_id("command", new_id())
        return f"command:{self.idempotency_key}"


class _RepeatedError(Exception):
    """The same was carried out before: give the place back."""

    def __init__(self, subject_id: UUID) -> None:
        super().__init__()
        self.subject_id = subject_id


async def carry_out(journal: Journal, tenant_id: UUID, asked: Asked, build: Build) -> tuple[UUID, bool]:
    """Append the events of a command: the subject of its first event, and whether it was new.

    Raises ConflictError `idempotency_conflict`, and whatever `build` refuses.
    """
    identity = Identity(OWN_SOURCE, asked.event_id())
    try:
        async with journal.transaction(tenant_id) as tx:
            commit = await journal.lock(tx, tenant_id)
            fingerprint = commit.config.fingerprint({"command": asked.command, "stated": asked.stated})
            if asked.idempotency_key is not None:
                head = await journal.read_head(tx, tenant_id, [identity])
                known = head.known.get(identity)
                if known is not None:
                    check_same(known.fingerprint, fingerprint)
                    [before] = await select_events(tx, tenant_id, "e.event_id = $2", known.event_id)
                    raise _RepeatedError(_subject(before))
            events = await build(tx, commit)
            drafts = [
                replace(
                    draft(_numbered(event, identity, number), commit.config, received_at=commit.recorded_at),
                    fingerprint=fingerprint,
                )
                for number, event in enumerate(events)
            ]
            appended = await journal.append(tx, commit, drafts)
    except _RepeatedError as error:
        return error.subject_id, False
    return _subject(appended.events[0]), True


def _subject(event: StoredEvent) -> UUID:
    assert event.subject_id is not None, "a command is about something"
    return event.subject_id


def check_same(known: bytes, asked: bytes) -> None:
    """Refuse another request under a key that was used. Raises ConflictError `idempotency_conflict`."""
    if known != asked:
        raise ConflictError(
            "idempotency_conflict",
            "this Idempotency-Key was used for another request",
            pointer="header:Idempotency-Key",
            cure="use a new key for a new request",
        )


def _numbered(event: Event, identity: Identity, number: int) -> Event:
    return replace(
        event,
        id=identity.external_id if number == 0 else f"{identity.external_id}/{number}",
        source=OWN_SOURCE,
    )
