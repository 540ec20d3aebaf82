"""A document becomes a new version, when it says something new and may be said."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

from app.configuration.changes import Change
from app.configuration.documents import repository
from app.configuration.documents.repository import CALENDARS, POLICIES
from app.configuration.documents.schemas import CalendarOut, PolicyOut
from app.domain.errors import InvalidError
from app.domain.sla import Policy, parse_calendar, parse_policy, refuse_taken, refuse_unreachable
from app.editing import check_match, etag_of_version

_MOST_POLICIES: Final = 1000


async def put_calendar(
    change: Change, key: str, document: dict[str, Any], if_match: str | None
) -> CalendarOut:
    """A new version of a calendar; the same document again is no new version. Raises InvalidError."""
    before = await repository.find_newest(change.connection, CALENDARS, change.tenant_id, key)
    check_match(if_match, None if before is None else etag_of_version(before.version))
    if before is not None and before.document == document:
        return calendar_out(before)
    version = 1 if before is None else before.version + 1
    parse_calendar(document, key, version)
    values = {
        "tenant_id": change.tenant_id,
        "key": key,
        "version": version,
        "document": document,
        "created_at": change.now,
    }
    await repository.insert_version(change.connection, CALENDARS, values)
    change.note("calendar.put", key, f"version {version}")
    return CalendarOut(key=key, version=version, document=document, created_at=change.now)


async def put_policy(change: Change, key: str, document: dict[str, Any], if_match: str | None) -> PolicyOut:
    """A new version of a policy; the same document again is no new version.

    Raises InvalidError: whatever `parse_policy` refuses, `unreachable_rule`, `timer_taken` and
    `effective_in_the_past`.
    """
    connection, tenant_id, now = change.connection, change.tenant_id, change.now
    row = await repository.find_newest(connection, POLICIES, tenant_id, key)
    check_match(if_match, None if row is None else etag_of_version(row.version))
    if row is None or row.document != document:
        version = 1 if row is None else row.version + 1
        calendars = await repository.list_calendar_keys(connection, tenant_id)
        policy = parse_policy(document, key, version, calendars)
        refuse_unreachable(policy)
        refuse_taken(policy, await _others(change, key, calendars))
        stated = policy.effective_from
        effective_from = now if stated is None else _not_past(stated, now)
        values = {
            "tenant_id": tenant_id,
            "key": key,
            "version": version,
            "document": document,
            "effective_from": effective_from,
            "created_at": now,
        }
        await repository.insert_version(connection, POLICIES, values)
        change.note("policy.put", key, f"version {version}, effective from {effective_from.isoformat()}")
        row = await repository.find_newest(connection, POLICIES, tenant_id, key)
    return policy_out(row, await repository.find_policies_in_force(connection, tenant_id, now))


async def _others(change: Change, key: str, calendars: frozenset[str]) -> list[Policy]:
    """The newest versions of the policies of other keys."""
    rows = await repository.list_newest(
        change.connection, POLICIES, change.tenant_id, after=None, limit=_MOST_POLICIES
    )
    return [parse_policy(row.document, row.key, row.version, calendars) for row in rows if row.key != key]


def calendar_out(row: Any) -> CalendarOut:
    """A calendar's row as callers see it."""
    return CalendarOut(key=row.key, version=row.version, document=row.document, created_at=row.created_at)


def policy_out(row: Any, in_force: Collection[tuple[str, int]]) -> PolicyOut:
    """A policy's row as callers see it."""
    return PolicyOut(
        key=row.key,
        version=row.version,
        document=row.document,
        effective_from=row.effective_from,
        in_force=(row.key, row.version) in in_force,
        created_at=row.created_at,
    )


def _not_past(stated: datetime, now: datetime) -> datetime:
    # compared first: near the ends of the calendar an instant cannot be converted
    if stated < now:
        raise InvalidError(
            "effective_in_the_past",
            f"`effective_from` {stated.isoformat()} has passed, and what opened since then is bound already",
            pointer="/effective_from",
            cure="leave it out to bind what opens from now on, or name a later time",
        )
    try:
        return stated.astimezone(UTC)
    except OverflowError:
        raise InvalidError(
            "bad_time", "this instant lies outside the calendar", pointer="/effective_from"
        ) from None
