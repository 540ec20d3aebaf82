"""The projection of cases: each touched case is folded once per commit, from all of its events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.cases.playbooks import attention, bound_playbooks, reply_completeness
from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.care import case_actions, compensations
from app.db.tables.cases import case_spans, cases
from app.domain.case import Case, Merges, absorber_of, fold, spans_of
from app.domain.case.outcome import BROKEN_PROMISES
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.journal.config import TenantConfig
from app.journal.histories import load_histories
from app.journal.merges import load_merges, may_move, with_families
from app.journal.ports import Commit
from app.journal.renames import Renames, load_renames, rename_rows
from app.journal.rows import quiet_until, reported_by
from app.kit.ids import parse_public_id

CASE_COLUMNS = tuple(column.name for column in cases.columns)
_GIFT_COLUMNS = tuple(column.name for column in compensations.columns)
_SPAN_COLUMNS = tuple(column.name for column in case_spans.columns)
_LINK_COLUMNS = tuple(column.name for column in case_actions.columns)


class Cases:
    """Folds the cases that a commit names, and those that the clock asks for."""

    name = "cases"
    tables = (cases, compensations, case_actions, case_spans)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Write the new state of every case that an event of this commit is about."""
        await rename_rows(tx, commit, cases)
        named = {
            event.subject_id
            for event in commit.events
            if event.subject_kind is SubjectKind.CASE
            and event.subject_id is not None
            and (not event.type.is_derived or event.type is EventType.COMPENSATION_OVER_LIMIT)
        }
        if not named:
            return
        named = await with_families(tx, commit, named)
        folded = await _fold_all(tx, commit, sorted(named))
        await tx.execute(
            "DELETE FROM cases WHERE tenant_id = $1 AND case_id = any($2)", commit.tenant_id, list(named)
        )
        renames = await load_renames(tx, commit.config, commit.end_position)
        merges = await load_merges(tx, commit, named) if commit.config.has_merges else {}
        rows = [_row(commit, case_id, case, renames, merges) for case_id, case in folded.items()]
        await insert_rows(tx, cases, CASE_COLUMNS, rows)
        await _write_gifts(tx, commit, folded)
        await _write_links(tx, commit, folded)
        if any(may_move(event) for event in commit.events) and commit.config.has_merges:
            await _write_spans(tx, commit, named, merges)


async def _write_spans(tx: Tx, commit: Commit, named: Collection[UUID], merges: Merges) -> None:
    """For reads by SQL: from when on the facts told of each case are those of another."""
    await tx.execute(
        "DELETE FROM case_spans WHERE tenant_id = $1 AND home_id = any($2)", commit.tenant_id, list(named)
    )
    rows = [
        (commit.tenant_id, home_id, span.after_at, span.until_at, span.case_id)
        for home_id in sorted(named)
        for span in spans_of(home_id, merges)
    ]
    await insert_rows(tx, case_spans, _SPAN_COLUMNS, rows)


async def _write_gifts(tx: Tx, commit: Commit, folded: Mapping[UUID, Case]) -> None:
    given = {event.subject_id for event in commit.events if event.type.startswith("compensation.")}
    touched = await _with_moved(tx, commit, given)
    if not touched:
        return
    await tx.execute(
        "DELETE FROM compensations WHERE tenant_id = $1 AND case_id = any($2)",
        commit.tenant_id,
        [case_id for case_id in folded if case_id in touched],
    )
    rows = []
    for case_id, case in folded.items():
        for item in case.compensations if case_id in touched else ():
            values = {name: getattr(item, name) for name in _GIFT_COLUMNS if hasattr(item, name)}
            net = (
                None if not item.is_granted or item.base_amount is None else item.base_amount - item.recovered
            )
            values |= {"tenant_id": commit.tenant_id, "case_id": case_id, "compensation": item.key}
            values |= {"seq": commit.seq, "state": item.state.value, "net": net}
            rows.append(tuple(values[name] for name in _GIFT_COLUMNS))
    await insert_rows(tx, compensations, _GIFT_COLUMNS, rows)


async def _write_links(tx: Tx, commit: Commit, folded: Mapping[UUID, Case]) -> None:
    linked = {event.subject_id for event in commit.events if event.fact.get("action") is not None}
    touched = await _with_moved(tx, commit, linked)
    if not touched:
        return
    await tx.execute(
        "DELETE FROM case_actions WHERE tenant_id = $1 AND case_id = any($2)",
        commit.tenant_id,
        [case_id for case_id in folded if case_id in touched],
    )
    rows = [
        (
            *(commit.tenant_id, case_id, link.action, commit.seq),
            *(link.linked_at, link.deployed_at, link.informed_at, case.customer_facing),
        )
        for case_id, case in folded.items()
        for link in (case.links if case_id in touched else ())
    ]
    await insert_rows(tx, case_actions, _LINK_COLUMNS, rows)


async def _with_moved(tx: Tx, commit: Commit, touched: Iterable[UUID | None]) -> set[UUID]:
    """These cases, those of which something was taken back, and all that merges tie to them."""
    moved = {event.subject_id for event in commit.events if may_move(event)}
    return await with_families(tx, commit, {item for item in {*touched, *moved} if item is not None})


async def _fold_all(tx: Tx, commit: Commit, case_ids: Sequence[UUID]) -> dict[UUID, Case]:
    """The cases of these subjects as all their events tell them; left in `commit.folded` for the clock."""
    await load_histories(tx, commit, case_ids)
    folded: dict[UUID, Case] = {}
    for case_id in case_ids:
        history = commit.histories[case_id]
        if any(event.type.value.startswith("case.") for event in history):
            folded[case_id] = fold(history)
    commit.folded.update(folded)
    return folded


def _row(commit: Commit, case_id: UUID, case: Case, renames: Renames, merges: Merges) -> tuple[Any, ...]:
    history = commit.histories[case_id]
    named = [event for event in history if event.customer_ref is not None and event.bearing is None]
    customer = max(named, key=_by_time, default=None)
    ended = None if case.ended_as is None else case.ended_at
    values: dict[str, Any] = {
        "tenant_id": commit.tenant_id,
        "case_id": case_id,
        "seq": commit.seq,
        "opened_at": case.opened_at,
        "kind": case.kind.value,
        "severity": case.severity.value,
        "state": case.state.value,
        "source": reported_by(history, case.source),
        "channel": case.channel,
        "touchpoint": renames.name_of(case.touchpoint),
        "location": case.location,
        "employee": case.employee,
        "segment": case.segment,
        "product": case.product,
        "cause": case.cause,
        "assignee": case.assignee,
        "customer_ref": None if customer is None else customer.customer_ref,
        "customer_facing": case.customer_facing,
        "initiative": case.initiative,
        "detection": dict(case.detection),
        "due_given_at": case.due_given_at,
        "promised_due_at": case.promised_due_at,
        "acknowledged_at": case.acknowledged_at,
        "first_response_at": case.first_response_at,
        "remedied_at": case.remedied_at,
        "closed_at": case.closed_at,
        "ended_at": ended,
        "reopened_count": case.reopened_count,
        "steps": [
            {"started_at": cycle.started_at, "steps": {step.value: at for step, at in cycle.steps.items()}}
            for cycle in case.cycles
        ],
        "attributes": dict(case.attributes),
        "anomalies": [
            {
                "reason": item.reason,
                "event_id": item.event_id,
                "occurred_at": item.occurred_at,
                "field": item.field,
            }
            for item in case.anomalies
        ],
        "repeat_of": parse_public_id("case", case.repeat_of) if case.repeat_of else None,
        "merged_into": absorber_of(case_id, merges),
        "quiet_until": quiet_until(history),
        **_care(commit.config, history, case),
    }
    return tuple(values[name] for name in CASE_COLUMNS)


def _by_time(event: StoredEvent) -> tuple[Any, ...]:
    return event.occurred_at, event.source, event.external_id


def _care(config: TenantConfig, history: Sequence[StoredEvent], case: Case) -> dict[str, Any]:
    """What came of the handling, and what it cost."""
    bound, pending = bound_playbooks(config, history, case), attention(config, history, case)
    triggers, cost, after = [item.trigger for item in case.aftermath.deviations], case.cost, case.aftermath
    return {
        "contacts": case.contacts,
        "outcome": case.outcome,
        "preferred_channel": case.preferred_channel,
        "verification": None if case.dialogue is None else case.dialogue.state.value,
        "reply_completeness": reply_completeness(case, bound.value),
        "playbook_version": bound.version,
        "compensation_gross": cost.gross,
        "compensation_recovered": cost.recovered,
        "compensation_net": cost.net,
        "compensation_currency": cost.currency,
        "deviations": [
            {"trigger": item.trigger.value, "cycle": item.cycle, "at": item.at, "event_id": item.event_id}
            for item in after.deviations
        ],
        "is_double_deviation": any(trigger not in BROKEN_PROMISES for trigger in triggers),
        "promise_missed": any(trigger in BROKEN_PROMISES for trigger in triggers),
        "resurvey_class": after.resurvey_class,
        "recovered_at": after.recovered_at,
        "is_ambassador": after.is_ambassador,
        "action_not_needed_at": case.action_not_needed_at,
        "attention_at": None if pending is None else pending.at,
    }
