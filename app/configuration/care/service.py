"""A document of care becomes a new version, when it says something new and may be said."""

from __future__ import annotations

from typing import Any

from app.configuration.care import repository
from app.configuration.care.schemas import CareDocumentOut
from app.configuration.changes import Change
from app.domain.errors import InvalidError
from app.domain.playbook import Playbooks
from app.domain.sla.document import nearest
from app.editing import check_match, etag_of_version
from app.journal.care import PARSERS, PRESETS, CareKind


async def put_document(
    change: Change, kind: CareKind, document: dict[str, Any], if_match: str | None
) -> CareDocumentOut:
    """A new version; the same document again is no new version. Raises InvalidError with its place."""
    connection, tenant_id = change.connection, change.tenant_id
    before = await repository.find_newest(connection, tenant_id, kind)
    check_match(if_match, etag_of_version(0 if before is None else before.version))
    if before is not None and before.document == document:
        return document_out(before)
    parsed = PARSERS[kind](document)
    if isinstance(parsed, Playbooks):
        _check_calendar(parsed, await repository.list_calendar_keys(connection, tenant_id))
    version = 1 if before is None else before.version + 1
    values = {
        "tenant_id": tenant_id,
        "kind": kind.value,
        "version": version,
        "document": document,
        "created_at": change.now,
    }
    await repository.insert_version(connection, values)
    change.note(f"{kind}.put", kind.value, f"version {version}")
    return CareDocumentOut(version=version, document=document, created_at=change.now)


def preset_out(kind: CareKind) -> CareDocumentOut:
    """What holds until a tenant writes his own."""
    return CareDocumentOut(version=0, document=PRESETS[kind](), created_at=None)


def document_out(row: Any) -> CareDocumentOut:
    """A version as callers see it."""
    return CareDocumentOut(version=row.version, document=row.document, created_at=row.created_at)


def _check_calendar(playbooks: Playbooks, known: frozenset[str]) -> None:
    key = playbooks.waiting.calendar
    if key not in known:
        detail = f"There is no calendar {key!r}."
        raise InvalidError(
            "unknown_calendar", detail, pointer="/waiting/calendar", cure=nearest(key, sorted(known))
        )
