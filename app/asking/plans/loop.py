"""Decides plans that have come due: ask now, ask later within the window, or not at all; each is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from app.asking.eligibility.repository import append_decisions, load_contacts, load_zones
from app.asking.eligibility.service import zone_of
from app.asking.plans.planner import WINDOW_MISSED, channel_of, due_draft
from app.asking.plans.repository import load_lines
from app.asking.policies import AskingPolicies
from app.db.engine import Tx
from app.db.wakeup import Bell
from app.domain.asking.eligibility import Ask, Contacts, Decision, decide
from app.domain.asking.policy import AskingPolicy, Moment
from app.domain.events import StoredEvent
from app.journal.due import in_chunks, in_halves
from app.journal.journal import Journal
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.rows import select_events

log = structlog.get_logger()

CANDIDATES: Final = 1000
PLANS_A_COMMIT: Final = 200
LONGEST_SLEEP_SECONDS: Final = 5.0
AGAIN: Final = timedelta(hours=1)
"""How soon a customer with an open complaint is looked at again, while the window lasts."""

_DUE = """
SELECT tenant_id, plan_id FROM asking_plans
 WHERE next_at <= now() + $1::interval ORDER BY next_at LIMIT $2
"""
_TAKE = """
DELETE FROM asking_plans WHERE tenant_id = $1 AND plan_id = any($2) AND next_at <= now() + $3::interval
RETURNING plan_id, moment, trigger_id, customer_ref, not_before, not_after
"""
_STANDING = """e.event_id = any($2) AND NOT EXISTS (
SELECT FROM events r WHERE r.tenant_id = $1 AND r.type = 'event.retracted'
   AND r.fact->>'event_id' = e.event_id::text)"""
_ASKED = "SELECT subject_id FROM survey_acts WHERE tenant_id = $1 AND subject_id = any($2)"
_AGAIN = """
INSERT INTO asking_plans
       (tenant_id, plan_id, moment, trigger_id, customer_ref, not_before, not_after, next_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_POSTPONE = """
UPDATE asking_plans SET next_at = now() + $3::interval + interval '1 hour'
 WHERE tenant_id = $1 AND plan_id = $2
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a commit knows of the customers, places and lines that its plans are about."""

    contacts: dict[bytes, Contacts]
    zones: dict[str, str]
    asked: frozenset[UUID]
    lines: dict[str, str | None]


class MomentLoop:
    """One step decides every plan that is due now."""

    def __init__(self, journal: Journal, policies: AskingPolicies, bell: Bell) -> None:
        self._journal = journal
        self._policies = policies
        self._bell = bell

    async def step(self) -> float:
        """Decide what is due; the seconds to sleep after it."""
        async with self._journal.database.worker() as tx:
            rows = await tx.fetch(_DUE, self._journal.offset(), CANDIDATES)
        for tenant_id, plan_ids in in_chunks(rows, "plan_id", PLANS_A_COMMIT):
            if await in_halves(tenant_id, plan_ids, self._settle, self._postpone):
                self._bell.ring("fanout")
        return 0.0 if len(rows) == CANDIDATES else LONGEST_SLEEP_SECONDS

    async def _settle(self, tenant_id: UUID, plan_ids: Sequence[UUID]) -> int:
        """One commit for these plans."""
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            drafts = await self._decide_all(tx, commit, plan_ids)
            if drafts:
                await self._journal.append(tx, commit, drafts)
        return len(drafts)

    async def _postpone(self, tenant_id: UUID, plan_id: UUID, error: Exception) -> None:
        """A plan that cannot be decided is tried again in an hour."""
        log.error("plan_cannot_be_decided", tenant=str(tenant_id), plan=str(plan_id), exc_info=error)
        async with self._journal.database.write(tenant_id) as tx:
            await tx.execute(_POSTPONE, tenant_id, plan_id, self._journal.offset())

    async def _decide_all(self, tx: Tx, commit: Commit, plan_ids: Sequence[UUID]) -> list[Draft]:
        policy = (await self._policies.load(tx, commit.config)).at(commit.recorded_at)
        plans = await tx.fetch(_TAKE, commit.tenant_id, plan_ids, self._journal.offset())
        found = await select_events(tx, commit.tenant_id, _STANDING, [plan["trigger_id"] for plan in plans])
        triggers = {event.event_id: event for event in found}
        known = await _look(tx, commit, policy, plans, found)
        drafts: list[Draft] = []
        for plan in sorted(plans, key=lambda plan: (plan["not_before"], plan["plan_id"])):
            trigger, moment = triggers.get(plan["trigger_id"]), policy.moment(plan["moment"])
            if trigger is None or moment is None:
                continue  # taken back, or a moment that the policy has no more
            drafts += await _decide(tx, commit, policy, plan, moment, trigger, known)
        return drafts


async def _look(
    tx: Tx, commit: Commit, policy: AskingPolicy, plans: list[Any], triggers: list[StoredEvent]
) -> _Known:
    refs = [plan["customer_ref"] for plan in plans if plan["customer_ref"] is not None]
    places = [event.fact["location"] for event in triggers if event.fact.get("location")]
    subjects = [event.subject_id for event in triggers if event.subject_id is not None]
    return _Known(
        await load_contacts(tx, commit.tenant_id, refs, policy, commit.recorded_at),
        await load_zones(tx, commit.tenant_id, places),
        frozenset(row["subject_id"] for row in await tx.fetch(_ASKED, commit.tenant_id, subjects)),
        await load_lines(tx, commit.tenant_id, policy.sampling, commit.recorded_at),
    )


async def _decide(
    tx: Tx,
    commit: Commit,
    policy: AskingPolicy,
    plan: Any,
    moment: Moment,
    trigger: StoredEvent,
    known: _Known,
) -> list[Draft]:
    ask = _ask(commit, moment, trigger, known)
    decision = decide(ask, known.contacts.get(plan["customer_ref"], Contacts()), policy)
    reason = _unasked(commit, plan, moment, trigger, known)
    if reason is None and not decision.allowed:
        later = decision.until
        if later is None and any(finding.rule == "open_complaint" for finding in decision.findings):
            later = commit.recorded_at + AGAIN
        if later is not None and later <= plan["not_after"]:
            await _again(tx, commit, plan, later)
            return []
    allowed = reason is None and decision.allowed
    await append_decisions(
        tx,
        commit.tenant_id,
        [(ask, plan["customer_ref"], Decision(allowed, decision.rule, decision.until, decision.findings))],
        now=commit.recorded_at,
        policy=policy,
        actor=OWN_SOURCE,
        rule=reason,
    )
    if not allowed:
        return []
    ref = trigger.personal.get("subject_ref")
    return [due_draft(commit, plan["plan_id"], moment, trigger, plan["not_after"], ref)]


def _ask(commit: Commit, moment: Moment, trigger: StoredEvent, known: _Known) -> Ask:
    stated = (trigger.fact.get("attributes") or {}).get("time_zone")
    zone = stated if isinstance(stated, str) else known.zones.get(trigger.fact.get("location", ""))
    return Ask(
        at=commit.recorded_at,
        channel=channel_of(moment, trigger),
        zone=zone_of(zone, commit.config),
        relational=moment.relational,
        question=moment.question,
        survey=moment.survey,
        moment=moment.key,
        quiet=moment.quiet,
        held=moment.held,
    )


def _unasked(commit: Commit, plan: Any, moment: Moment, trigger: StoredEvent, known: _Known) -> str | None:
    """Why nobody is asked, whatever the rules of eligibility say; None when they decide."""
    not_after: datetime = plan["not_after"]
    if commit.recorded_at > not_after:
        return WINDOW_MISSED
    if trigger.subject_id in known.asked:
        return "asked_already"
    if moment.sampled:
        line = trigger.fact.get(known.lines["dimension"] or "")
        if line is None or line not in (known.lines["profitable"], known.lines["second"]):
            return "not_sampled"
    return None


async def _again(tx: Tx, commit: Commit, plan: Any, later: datetime) -> None:
    await tx.execute(
        _AGAIN,
        commit.tenant_id,
        plan["plan_id"],
        plan["moment"],
        plan["trigger_id"],
        plan["customer_ref"],
        plan["not_before"],
        plan["not_after"],
        later,
    )
