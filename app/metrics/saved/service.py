"""Saved queries are checked before they are kept; feeds are opened, read and closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from app.auth import Principal, Scope
from app.db.engine import Database
from app.domain.errors import ForbiddenError, InvalidError, NotFoundError
from app.journal.audit import Deed, append_audit
from app.kit.ids import new_id, public_id
from app.metrics.known import known_by_seq
from app.metrics.query import resolve
from app.metrics.repository import snapshot
from app.metrics.saved import repository
from app.metrics.saved.schemas import FeedIn, FeedOut, SavedQueryIn, SavedQueryOut
from app.metrics.saved.token import FeedName
from app.metrics.schemas import MetricQueryIn

ANSWER_PATH = "/v1/metrics/queries/{key}/answer"


async def save_query(
    database: Database, tenant_id: UUID, key: str, given: SavedQueryIn, now: datetime
) -> SavedQueryOut:
    """Keep a query that can be answered today. Raises InvalidError with a pointer below /query."""
    if given.query.cursor is not None:
        raise InvalidError(
            "cursor_saved", "a cursor is of one answer", pointer="/query/cursor", cure="leave it out"
        )
    try:
        async with snapshot(database, tenant_id) as view:
            facts = await view.get_facts()
            resolve(await known_by_seq(view, given.query, facts, now), facts, now)
    except InvalidError as error:
        raise InvalidError(
            error.reason, error.detail, pointer=f"/query{error.pointer}", cure=error.cure
        ) from None
    document = given.query.model_dump(mode="json", by_alias=True, exclude_unset=True)
    async with database.tenant(tenant_id) as connection:
        await repository.put_query(connection, tenant_id, key, given.title, document, now)
        return query_out(await repository.get_query(connection, tenant_id, key))


async def open_feed(
    database: Database, principal: Principal, key: str, given: FeedIn, now: datetime
) -> tuple[FeedName, FeedOut]:
    """A new feed of a saved query. Raises NotFoundError, ForbiddenError, ConflictError."""
    tenant_id = principal.tenant_id
    if given.reads_rows and not principal.may(Scope.FEEDBACK_READ):
        raise ForbiddenError(
            "missing_scope",
            "a feed shows no more than the key that opens it may see",
            cure="use a key that holds `feedback:read` too, or leave out `reads_rows`",
        )
    feed_id = new_id()
    row = {
        "feed_id": feed_id,
        "query": key,
        "name": given.name,
        "reads_rows": given.reads_rows,
        "created_at": now,
        "expires_at": now + timedelta(days=given.expires_in_days),
    }
    async with database.tenant(tenant_id) as connection:
        await repository.get_query(connection, tenant_id, key)
        await repository.insert_feed(connection, tenant_id, row)
        stored = await repository.get_feed(connection, tenant_id, feed_id)
        deed = Deed(principal.hint, "feed.opened", public_id("feed", feed_id), now)
        await append_audit(connection, tenant_id, deed)
    return FeedName(tenant_id, feed_id), feed_out(stored, now)


async def revoke_feed(database: Database, principal: Principal, feed_id: UUID, now: datetime) -> None:
    """Close a feed from its next request on. Raises NotFoundError."""
    tenant_id = principal.tenant_id
    async with database.tenant(tenant_id) as connection:
        feed = await repository.get_feed(connection, tenant_id, feed_id)
        if feed.revoked_at is None:
            await repository.revoke_feed(connection, tenant_id, feed_id, now)
            deed = Deed(principal.hint, "feed.revoked", public_id("feed", feed_id), now)
            await append_audit(connection, tenant_id, deed)


async def read_feed(database: Database, name: FeedName, now: datetime) -> tuple[str, MetricQueryIn, bool]:
    """The key and query of a live feed, and whether it reads rows. Raises NotFoundError."""
    async with database.tenant(name.tenant_id) as connection:
        feed = await repository.get_feed(connection, name.tenant_id, name.feed_id)
        state = _state(feed, now)
        if state != "live":
            raise NotFoundError(f"feed_{state}", f"this feed is {state}", cure="ask its owner for a new one")
        saved = await repository.get_query(connection, name.tenant_id, feed.query)
    return saved.key, MetricQueryIn.model_validate(saved.document), feed.reads_rows


def query_out(row: Any) -> SavedQueryOut:
    """A row as callers see it."""
    return SavedQueryOut(
        key=row.key,
        title=row.title,
        query=MetricQueryIn.model_validate(row.document),
        url=ANSWER_PATH.format(key=row.key),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def feed_out(row: Any, now: datetime) -> FeedOut:
    """A feed's row as callers see it."""
    return FeedOut(
        id=public_id("feed", row.feed_id),
        name=row.name,
        query=row.query,
        state=_state(row, now),
        reads_rows=row.reads_rows,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _state(row: Any, now: datetime) -> Literal["live", "expired", "revoked"]:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at <= now else "live"
