"""Answers and volumes, folded from the journal: one row per answer and version."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.feedback import amendments, feedback, volumes
from app.db.tables.journey import touchpoint_retags
from app.domain.events import EventType, StoredEvent
from app.feedback.interactions import is_about_one, load_interactions, touched_by
from app.feedback.origins import find_origins, list_moved
from app.feedback.overlay import (
    Overlay,
    apply_retags,
    find_events,
    load_overlay,
    note_amendments,
    note_retags,
)
from app.journal.ports import Commit

_ANSWER_TYPES = (
    EventType.FEEDBACK_RECEIVED,
    EventType.REVIEW_PUBLISHED,
    EventType.REVIEW_EDITED,
    EventType.SURVEY_ANSWERED,
    EventType.SURVEY_REFUSED,
    EventType.SURVEY_TIMED_OUT,
)
_VOLUME_KINDS = {
    EventType.VISITORS_COUNTED: "visitors",
    EventType.TRANSACTION_COMPLETED: "transactions",
    EventType.TRANSACTIONS_COUNTED: "transactions",
    EventType.INTERACTION_ENDED: "interactions",
    EventType.INTERACTIONS_COUNTED: "interactions",
}
_SURVEY_MODE = "invited"
FEEDBACK_COLUMNS = tuple(column.name for column in feedback.columns)
VOLUME_COLUMNS = tuple(column.name for column in volumes.columns)


class FeedbackStore:
    """The projection of answers: +1 at `seq_from`, -1 at `seq_to`, never updated otherwise."""

    name = "feedback"
    tables = (feedback, amendments, touchpoint_retags)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Close the versions that this commit replaces, takes back or amends, insert the new ones."""
        ended = _ended(commit)
        await note_retags(tx, commit)
        about = {*await note_amendments(tx, commit)} | await list_moved(tx, commit)
        touched = touched_by(commit)
        interactions = await load_interactions(tx, commit, touched)
        about = (about | interactions.moved_by(commit)) - ended
        ids = await _close(tx, commit, {*ended, *about})
        await apply_retags(tx, commit, feedback)
        arrived = _arrived(commit, _ANSWER_TYPES)
        about -= {event.event_id for event in arrived}
        counting = [*arrived, *await find_events(tx, commit, about)]
        overlay = await load_overlay(tx, commit, counting)
        further = {e.subject_id for e in counting if e.subject_id is not None and is_about_one(e)} - touched
        if further:
            interactions = await load_interactions(tx, commit, touched | further)
        origins = await find_origins(tx, commit, counting, interactions)
        rows = [
            row
            for event in counting
            for row in _rows(event, commit, ids, overlay, origins[event.event_id], interactions.overtaken)
        ]
        await insert_rows(tx, feedback, FEEDBACK_COLUMNS, rows)


class Volumes:
    """The projection of visitors, transactions and interactions."""

    name = "volumes"
    tables = (volumes,)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """The same for counts: a corrected count replaces the one before."""
        ended = _ended(commit)
        if ended:
            await tx.execute(
                "UPDATE volumes SET seq_to = $3 "
                "WHERE tenant_id = $1 AND event_id = any($2) AND seq_to IS NULL",
                commit.tenant_id,
                list(ended),
                commit.seq,
            )
        await apply_retags(tx, commit, volumes)
        arrived = _arrived(commit, _VOLUME_KINDS)
        overlay = await load_overlay(tx, commit, arrived)
        rows = [_volume_row(event, commit, overlay) for event in arrived]
        await insert_rows(tx, volumes, VOLUME_COLUMNS, rows)


def _arrived(commit: Commit, types: Container[EventType]) -> list[StoredEvent]:
    """Events of these types that count from this commit on: new and not overtaken in it, or restored."""
    return [
        event
        for event in (*commit.events, *commit.restored)
        if event.type in types and commit.is_current(event)
    ]


def _ended(commit: Commit) -> set[UUID]:
    """Events whose rows end here: retracted, or replaced by another state of their object."""
    retracted = {
        UUID(event.fact["event_id"]) for event in commit.events if event.type is EventType.EVENT_RETRACTED
    }
    return retracted | set(commit.replaced.values()) | commit.withdrawn


async def _close(tx: Tx, commit: Commit, event_ids: Iterable[UUID]) -> dict[tuple[UUID, str], UUID]:
    """End the current rows of these events; answers keep their id over versions: (event, question) -> id."""
    wanted = list(event_ids)
    if not wanted:
        return {}
    rows = await tx.fetch(
        "UPDATE feedback SET seq_to = $3 WHERE tenant_id = $1 AND event_id = any($2) AND seq_to IS NULL "
        "RETURNING event_id, question, feedback_id",
        commit.tenant_id,
        wanted,
        commit.seq,
    )
    return {(row["event_id"], row["question"]): row["feedback_id"] for row in rows}


def _rows(
    event: StoredEvent,
    commit: Commit,
    ids: dict[tuple[UUID, str], UUID],
    overlay: Overlay,
    counts_at: datetime,
    overtaken: Container[tuple[UUID, str]],
) -> Iterable[tuple[Any, ...]]:
    replaced = commit.replaced.get(event.event_id, event.event_id)
    survey = event.type.value.startswith("survey.")
    numbered = enumerate(event.fact.get("answers", ()))
    standing = [told for told in numbered if (event.event_id, told[1]["question"]) not in overtaken]
    for place, (index, answer) in enumerate(standing):
        fact = {**event.fact, **overlay.changes(event, answer["question"])}
        kept = ids.get((replaced, answer["question"]))
        yield (
            event.tenant_id,
            kept or answer_id(event.event_id, index),
            commit.seq,
            None,
            event.event_id,
            event.position,
            place,
            counts_at,
            event.fact.get("asked_by") or event.source,  # a silence that we state is the asking source's
            _kind(event),
            fact.get("channel") or "other",
            fact.get("touchpoint"),
            fact.get("journey_stage"),
            fact.get("location"),
            fact.get("employee"),
            fact.get("segment"),
            fact.get("product"),
            event.customer_ref,
            None if event.subject_kind is None else event.subject_kind.value,
            event.subject_id,
            answer["question"],
            answer["measure"],
            answer["scale"],
            answer["scale_version"],
            answer["raw"],
            None if answer["value"] is None else Decimal(answer["value"]),
            answer["norm01"],
            answer["class"],
            answer["slot"],
            fact.get("collection_mode") or (_SURVEY_MODE if survey else "passive"),
            bool(fact.get("incentivised")),
            fact.get("force_majeure"),
            fact.get("qualification"),
            fact.get("cause"),
            fact.get("lang"),
            fact.get("source_url"),
            fact.get("verification"),
            fact.get("attributes") or {},
            fact.get("reading"),
            fact.get("device"),
        )


def _kind(event: StoredEvent) -> str:
    """What the customer brought; the source's own judgement that it is a complaint names it so."""
    if event.fact.get("is_complaint") is True:
        return "complaint"
    stated: str | None = event.fact.get("kind")
    return stated or ("review" if event.type.value.startswith("review.") else "rating")


def answer_id(event_id: UUID, index: int) -> UUID:
    """The id of the n-th answer of an event: sortable like the event's own, the same on every rebuild."""
    return UUID(int=event_id.int ^ (index << 1)) if index else event_id


def _volume_row(event: StoredEvent, commit: Commit, overlay: Overlay) -> tuple[Any, ...]:
    fact = event.fact
    amount = fact.get("amount")
    return (
        event.tenant_id,
        event.event_id,
        commit.seq,
        None,
        event.position,
        _VOLUME_KINDS[event.type],
        int(fact.get("count", 1)),
        event.occurred_at,
        event.source,
        fact.get("channel"),
        overlay.renames.name_of(fact.get("touchpoint")),
        fact.get("location"),
        fact.get("employee"),
        fact.get("segment"),
        fact.get("product"),
        None if amount is None else Decimal(str(amount)),
        fact.get("currency"),
        fact.get("attributes") or {},
    )
