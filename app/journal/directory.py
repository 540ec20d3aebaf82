"""Nouns at first sight: locations, employees, touchpoints, sources, questions exist once they are named."""

from __future__ import annotations

from typing import Any

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.configuration import directory, questions, sources
from app.domain.feedback import NO_QUESTION, TEXT_SCALE
from app.domain.scales import AnswerClass
from app.journal.config import SourceConfig
from app.journal.ports import OWN_SOURCE, Commit
from app.journal.tenants import move_config

FRESHNESS_SECONDS = 5.0

_NOUNS = ("location", "employee", "touchpoint", "product", "segment", "cause")
_DIRECTORY = ("tenant_id", "kind", "key", "details", "uncategorised", "first_seen_at")
_QUESTIONS = (
    "tenant_id",
    "key",
    "measure",
    "scale_id",
    "wording_version",
    "relational",
    "uncategorised",
    "first_seen_at",
)
_SOURCES = (
    "tenant_id",
    "key",
    "verification",
    "sealed_secrets",
    "defaults",
    "handles_cases",
    "grace_seconds",
    "backdate_bound_seconds",
    "created_at",
    "last_event_at",
)


async def note_nouns(tx: Tx, commit: Commit) -> None:
    """Create what this commit names for the first time, `uncategorised` until somebody describes it."""
    config = commit.config
    seen = {
        (kind, event.fact[kind])
        for event in commit.events
        for kind in _NOUNS
        if event.fact.get(kind) is not None
    }
    new = sorted(seen - config.nouns)
    if new:
        rows: list[tuple[Any, ...]] = [
            (commit.tenant_id, kind, key, {}, True, commit.recorded_at) for kind, key in new
        ]
        await insert_rows(tx, directory, _DIRECTORY, rows, suffix="ON CONFLICT DO NOTHING")
    changed = await _note_questions(tx, commit) + await _note_sources(tx, commit)
    if changed:
        await move_config(tx, commit.tenant_id)
    await _note_freshness(tx, commit)
    config.nouns.update(new)


async def _note_questions(tx: Tx, commit: Commit) -> int:
    rows: dict[str, tuple[Any, ...]] = {}
    for event in commit.events:
        for answer in (*event.fact.get("answers", ()), *event.fact.get("asked", ())):
            key, measure, scale = answer["question"], answer["measure"], answer["scale"]
            # the first to name it decides; who stayed silent without a scale has not said what it asks
            untold = scale == TEXT_SCALE and answer["class"] == AnswerClass.SILENT
            if key not in commit.config.questions and key not in rows and key != NO_QUESTION and not untold:
                rows[key] = (
                    commit.tenant_id,
                    key,
                    measure,
                    scale,
                    1,
                    measure == "nps",
                    True,
                    commit.recorded_at,
                )
    await insert_rows(tx, questions, _QUESTIONS, list(rows.values()), suffix="ON CONFLICT DO NOTHING")
    return len(rows)


async def _note_sources(tx: Tx, commit: Commit) -> int:
    new = _named_sources(commit) - commit.config.sources.keys()
    rows: list[tuple[Any, ...]] = [
        (
            *(commit.tenant_id, key, "none", [], {}, False, 0, SourceConfig(key).backdate_bound_seconds),
            *(commit.recorded_at, commit.recorded_at),
        )
        for key in sorted(new)
    ]
    await insert_rows(tx, sources, _SOURCES, rows, suffix="ON CONFLICT DO NOTHING")
    return len(rows)


async def _note_freshness(tx: Tx, commit: Commit) -> None:
    """When each source was last heard of, to within `FRESHNESS_SECONDS`: not one more row for each commit."""
    heard = commit.config.heard
    due = [
        source
        for source in sorted(_named_sources(commit))
        if source not in heard or (commit.recorded_at - heard[source]).total_seconds() >= FRESHNESS_SECONDS
    ]
    if due:
        await tx.execute(
            "UPDATE sources SET last_event_at = $3 WHERE tenant_id = $1 AND key = any($2)",
            commit.tenant_id,
            due,
            commit.recorded_at,
        )
        heard.update(dict.fromkeys(due, commit.recorded_at))


def _named_sources(commit: Commit) -> set[str]:
    return {event.source for event in commit.events} - {OWN_SOURCE}
