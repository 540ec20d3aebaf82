"""The projection of actions, failures and debriefs (folded from their facts) and of proactive notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.care import corrective_actions, debriefs, proactive_notices, recurring_failures
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.domain.improvement import fold_action, fold_debrief, fold_failure, is_of_improvement
from app.journal.histories import load_histories
from app.journal.ports import Commit
from app.kit.ids import parse_public_id

_FOLDS: Final[dict[SubjectKind, tuple[Table, str, Callable[[Sequence[StoredEvent]], Any]]]] = {
    SubjectKind.ACTION: (corrective_actions, "action_id", fold_action),
    SubjectKind.FAILURE: (recurring_failures, "failure_id", fold_failure),
    SubjectKind.DEBRIEF: (debriefs, "debrief_id", fold_debrief),
}
_NOTICE_COLUMNS: Final = tuple(column.name for column in proactive_notices.columns)


class Improvements:
    """Folds the subjects that a commit names."""

    name = "improvements"
    tables = (corrective_actions, recurring_failures, debriefs, proactive_notices)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Write the new state of what this commit is about."""
        for kind, (table, key, fold) in _FOLDS.items():
            named = {
                event.subject_id
                for event in commit.events
                if event.subject_kind is kind and (is_of_improvement(event) or _takes_back(event))
            }
            ids = sorted(subject_id for subject_id in named if subject_id is not None)
            if ids:
                await load_histories(tx, commit, ids)
                found = {subject_id: fold(commit.histories[subject_id]) for subject_id in ids}
                await _write(tx, commit, table, key, found)
        await _write_notices(tx, commit)


def _takes_back(event: StoredEvent) -> bool:
    return event.type is EventType.EVENT_RETRACTED


async def _write(tx: Tx, commit: Commit, table: Table, key: str, found: dict[UUID, Any]) -> None:
    await tx.execute(
        f"DELETE FROM {table.name} WHERE tenant_id = $1 AND {key} = any($2)", commit.tenant_id, list(found)
    )
    columns = tuple(column.name for column in table.columns)
    rows = []
    for subject_id, value in found.items():
        if value is None:
            continue
        values = {name: getattr(value, name) for name in columns if hasattr(value, name)}
        values |= {"tenant_id": commit.tenant_id, key: subject_id, "seq": commit.seq}
        refs = [event.personal.get("subject_ref") for event in commit.histories[subject_id]]
        values["ref"] = next((ref for ref in refs if ref), str(subject_id))
        if table is debriefs:
            values["case_id"] = parse_public_id("case", value.case or "")
            values["steps"] = dict(value.steps)
        if table is recurring_failures:
            values["cause"] = value.cause or values["ref"]
        rows.append(tuple(values[name] for name in columns))
    await insert_rows(tx, table, columns, rows)


async def _write_notices(tx: Tx, commit: Commit) -> None:
    """The current version of each notice."""
    new = [
        event
        for event in (*commit.events, *commit.restored)
        if event.type is EventType.PROACTIVE_NOTICE_SENT and commit.is_current(event)
    ]
    gone = [*commit.overtaken, *commit.replaced.values()]
    if gone:
        await tx.execute(
            "DELETE FROM proactive_notices WHERE tenant_id = $1 AND event_id = any($2)",
            commit.tenant_id,
            gone,
        )
    said = ("channel", "location", "product", "segment", "cause", "affected", "reached")
    rows = [
        (event.tenant_id, event.event_id, event.occurred_at, event.source, *(event.fact.get(n) for n in said))
        for event in new
    ]
    await insert_rows(tx, proactive_notices, _NOTICE_COLUMNS, rows)
