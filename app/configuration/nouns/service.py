"""Nouns are described: parents must exist and never run in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.configuration.changes import Change, difference
from app.configuration.nouns import repository
from app.configuration.nouns.schemas import KeyedNounIn, NounKind, NounOut
from app.domain.errors import InvalidError


async def describe(
    change: Change, kind: NounKind, wanted: Sequence[KeyedNounIn], pointer: str
) -> list[NounOut]:
    """Describe nouns, all or none; `pointer` has a place for the number of each in the request.

    Raises InvalidError (`duplicate_key`, `unknown_parent`, `parent_cycle`).
    """
    _refuse_duplicates(wanted, pointer)
    await _check_parents(change, kind, wanted, pointer)
    known = await repository.find_nouns(
        change.connection, change.tenant_id, kind, [noun.key for noun in wanted]
    )
    rows: list[dict[str, Any]] = []
    for noun in wanted:
        before = known.get(noun.key)
        described = {**noun.model_dump(), "uncategorised": False}
        detail = difference(None if before is None else before._mapping, described)
        if detail is not None:
            seen_at = change.now if before is None else before.first_seen_at
            rows.append({"tenant_id": change.tenant_id, "kind": kind, "first_seen_at": seen_at, **described})
            change.note("directory.put", f"{kind}/{noun.key}", detail)
    if rows:
        await repository.put_nouns(change.connection, rows)
        known = await repository.find_nouns(
            change.connection, change.tenant_id, kind, [noun.key for noun in wanted]
        )
    return [noun_out(known[noun.key]) for noun in wanted]


def noun_out(row: Any) -> NounOut:
    """A noun's row as callers see it."""
    return NounOut(
        key=row.key,
        title=row.title,
        parent=row.parent,
        details=row.details,
        uncategorised=row.uncategorised,
        first_seen_at=row.first_seen_at,
    )


def _refuse_duplicates(wanted: Sequence[KeyedNounIn], pointer: str) -> None:
    seen: set[str] = set()
    for number, noun in enumerate(wanted):
        if noun.key in seen:
            raise InvalidError(
                "duplicate_key",
                f"{noun.key!r} is described twice in this request",
                pointer=f"{pointer.format(number)}/key",
                cure="describe it once",
            )
        seen.add(noun.key)


async def _check_parents(change: Change, kind: NounKind, wanted: Sequence[KeyedNounIn], pointer: str) -> None:
    parents = await repository.list_parents(change.connection, change.tenant_id, kind)
    for noun in wanted:
        parents.pop(noun.key, None)
        if noun.parent is not None:
            parents[noun.key] = noun.parent
    stated = {noun.parent for noun in wanted if noun.parent is not None}
    stored = await repository.find_nouns(change.connection, change.tenant_id, kind, stated)
    known = stored.keys() | {noun.key for noun in wanted}
    for number, noun in enumerate(wanted):
        place = f"{pointer.format(number)}/parent"
        if noun.parent is not None and noun.parent not in known:
            raise InvalidError(
                "unknown_parent",
                f"there is no {kind} {noun.parent!r} to stand above {noun.key!r}",
                pointer=place,
                cure="describe the parent first, or in the same request",
            )
        if _runs_in_circle(noun.key, parents):
            raise InvalidError(
                "parent_cycle",
                f"{noun.key!r} would stand above itself",
                pointer=place,
                cure="give the topmost one no parent",
            )


def _runs_in_circle(key: str, parents: Mapping[str, str]) -> bool:
    seen = {key}
    above = parents.get(key)
    while above is not None:
        if above in seen:
            return True
        seen.add(above)
        above = parents.get(above)
    return False
