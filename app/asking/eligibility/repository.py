"""What is known of customers that somebody wants to ask, and the log of what was answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.asking import ask_decisions
from app.domain.asking.eligibility import Ask, Contacts, Decision, PastAsk, Word, refused_channels
from app.domain.asking.policy import AskingPolicy
from app.kit.ids import new_id

_COLUMNS = tuple(column.name for column in ask_decisions.columns)
_ASKS = """
SELECT customer_ref, asked_at, relational, questions, survey, channel, moment FROM survey_acts
 WHERE tenant_id = $1 AND customer_ref = any($2) AND asked_at > $3 AND outcome <> 'not_reached'
"""
_WORDS = """
SELECT customer_ref, occurred_at, event_id, channel, opted_out FROM contact_permissions
 WHERE tenant_id = $1 AND customer_ref = any($2)
"""
_COMPLAINTS = """
SELECT DISTINCT customer_ref FROM cases
 WHERE tenant_id = $1 AND customer_ref = any($2) AND kind = 'complaint' AND closed_at IS NULL
   AND ended_at IS NULL AND state <> 'awaiting_opening'
"""
_ZONES = """
SELECT key, details->>'time_zone' AS zone FROM directory
 WHERE tenant_id = $1 AND kind = 'location' AND key = any($2) AND details->>'time_zone' IS NOT NULL
"""


async def load_contacts(
    tx: Tx, tenant_id: UUID, refs: Collection[bytes], policy: AskingPolicy, at: datetime
) -> dict[bytes, Contacts]:
    """What stands for or against asking each of these customers at this instant or later."""
    wanted = list(set(refs))
    asks: dict[bytes, list[PastAsk]] = {ref: [] for ref in wanted}
    words: dict[bytes, list[Word]] = {ref: [] for ref in wanted}
    if not wanted:
        return {}
    for row in await tx.fetch(_ASKS, tenant_id, wanted, at - policy.longest_gap):
        capped = policy.is_capped(row["channel"] or "other", row["moment"])
        # an act asks one thing; of several questions each would be the same one again
        for question in row["questions"] or [None]:
            past = PastAsk(row["asked_at"], row["relational"], question, row["survey"], capped)
            asks[row["customer_ref"]].append(past)
    for row in await tx.fetch(_WORDS, tenant_id, wanted):
        word = Word(row["occurred_at"], row["event_id"], row["channel"], row["opted_out"])
        words[row["customer_ref"]].append(word)
    open_now = {row["customer_ref"] for row in await tx.fetch(_COMPLAINTS, tenant_id, wanted)}
    return {ref: Contacts(asks[ref], refused_channels(words[ref]), ref in open_now) for ref in wanted}


async def load_zones(tx: Tx, tenant_id: UUID, locations: Collection[str]) -> dict[str, str]:
    """The time zones that are described of these locations."""
    if not locations:
        return {}
    rows = await tx.fetch(_ZONES, tenant_id, list(set(locations)))
    return {row["key"]: row["zone"] for row in rows}


async def append_decisions(
    tx: Tx,
    tenant_id: UUID,
    decided: Sequence[tuple[Ask, bytes | None, Decision]],
    *,
    now: datetime,
    policy: AskingPolicy,
    actor: str,
    rule: str | None = None,
) -> list[UUID]:
    """Note decisions; their ids. `rule` names a reason that is none of the rules of eligibility."""
    ids = [new_id() for _ in decided]
    rows = [
        (
            tenant_id,
            decision_id,
            now,
            ask.at,
            customer_ref,
            ask.channel,
            ask.survey,
            ask.question,
            ask.moment,
            decision.allowed,
            rule or (None if decision.rule is None else decision.rule.value),
            decision.until,
            [{"rule": finding.rule.value, "until": finding.until} for finding in decision.findings],
            policy.version,
            actor,
            ask.zone.key,
        )
        for decision_id, (ask, customer_ref, decision) in zip(ids, decided, strict=True)
    ]
    await insert_rows(tx, ask_decisions, _COLUMNS, rows)
    return ids


async def list_decisions(
    connection: AsyncConnection,
    tenant_id: UUID,
    *,
    customer_ref: bytes | None,
    allowed: bool | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Decisions, the newest first."""
    query = select(ask_decisions).where(ask_decisions.c.tenant_id == tenant_id)
    if customer_ref is not None:
        query = query.where(ask_decisions.c.customer_ref == customer_ref)
    if allowed is not None:
        query = query.where(ask_decisions.c.allowed.is_(allowed))
    if before is not None:
        query = query.where(tuple_(ask_decisions.c.at, ask_decisions.c.decision_id) < before)
    query = query.order_by(ask_decisions.c.at.desc(), ask_decisions.c.decision_id.desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found
