"""Questions in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.configuration import questions
from app.db.tables.feedback import feedback


async def list_questions(
    connection: AsyncConnection,
    tenant_id: UUID,
    *,
    measure: str | None,
    uncategorised: bool | None,
    after: str | None,
    limit: int,
) -> Sequence[Any]:
    """Questions after this key."""
    query = select(questions).where(questions.c.tenant_id == tenant_id)
    if measure is not None:
        query = query.where(questions.c.measure == measure)
    if uncategorised is not None:
        query = query.where(questions.c.uncategorised.is_(uncategorised))
    if after is not None:
        query = query.where(questions.c.key > after)
    found: Sequence[Any] = (await connection.execute(query.order_by(questions.c.key).limit(limit))).all()
    return found


async def find_questions(
    connection: AsyncConnection, tenant_id: UUID, keys: Collection[str]
) -> dict[str, Any]:
    """The questions that exist under these keys."""
    query = select(questions).where(questions.c.tenant_id == tenant_id, questions.c.key.in_(keys))
    return {row.key: row for row in await connection.execute(query)}


async def is_answered(connection: AsyncConnection, tenant_id: UUID, key: str) -> bool:
    """True when any answer was ever given to it, withdrawn ones too."""
    query = select(exists().where(feedback.c.tenant_id == tenant_id, feedback.c.question == key))
    return bool(await connection.scalar(query))


async def put_questions(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Create or define questions; when they were first seen stays."""
    statement = insert(questions)
    defined = {
        name: statement.excluded[name]
        for name in rows[0]
        if name not in ("tenant_id", "key", "first_seen_at")
    }
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=defined), rows
    )
