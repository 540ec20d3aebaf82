"""Decides who may be asked: reads what is known of the customers, judges, notes the decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from app.asking.eligibility.repository import append_decisions, load_contacts, load_zones
from app.asking.eligibility.schemas import EligibilityIn, EligibilityOut, FindingOut
from app.asking.policies import AskingPolicies
from app.domain.asking.eligibility import Ask, Decision, decide
from app.domain.asking.policy import AskingPolicy
from app.domain.errors import InvalidError
from app.domain.scales import QuestionMeasure
from app.journal.config import TenantConfig
from app.journal.journal import Journal
from app.kit.ids import public_id
from app.kit.zones import zone_names


class Eligibility:
    """Answers questions about asking, in one read of all customers and one write of the log."""

    def __init__(self, journal: Journal, policies: AskingPolicies) -> None:
        self._journal = journal
        self._policies = policies

    async def judge(
        self, tenant_id: UUID, wanted: Sequence[EligibilityIn], *, now: datetime, actor: str, pointer: str
    ) -> list[EligibilityOut]:
        """The answers in order. Raises InvalidError `unknown_moment` at `pointer` of that ask."""
        async with self._journal.database.write(tenant_id) as tx:
            config = (await self._journal.read_head(tx, tenant_id, ())).config
            policy = (await self._policies.load(tx, config)).at(now)
            zones = await load_zones(tx, tenant_id, [item.location for item in wanted if item.location])
            refs = [config.customer_ref(item.customer.type, item.customer.value) for item in wanted]
            contacts = await load_contacts(tx, tenant_id, refs, policy, now)
            decided: list[tuple[Ask, bytes | None, Decision]] = []
            for number, (item, ref) in enumerate(zip(wanted, refs, strict=True)):
                _check_moment(item, policy, pointer.format(number))
                ask = _ask(item, config, policy, zones, now)
                decided.append((ask, ref, decide(ask, contacts[ref], policy)))
            ids = await append_decisions(tx, tenant_id, decided, now=now, policy=policy, actor=actor)
        return [
            _out(decision_id, ask, decision, policy)
            for decision_id, (ask, _, decision) in zip(ids, decided, strict=True)
        ]


def _check_moment(item: EligibilityIn, policy: AskingPolicy, pointer: str) -> None:
    known = {moment.key for moment in policy.moments} | policy.uncapped_moments
    if item.moment is not None and item.moment not in known:
        raise InvalidError(
            "unknown_moment",
            f"the asking policy has no moment {item.moment!r}",
            pointer=f"{pointer}/moment",
            cure=f"use one of: {', '.join(sorted(known)) or 'none is stated'}; or leave it out",
        )


def _ask(
    item: EligibilityIn, config: TenantConfig, policy: AskingPolicy, zones: dict[str, str], now: datetime
) -> Ask:
    moment = policy.moment(item.moment)
    relational = item.relational
    if relational is None and moment is not None:
        relational = moment.relational
    if relational is None and (item.question is not None or moment is not None):
        known = config.questions.get(item.question or "")
        relational = known is not None and known.measure == QuestionMeasure.NPS
    stated = item.time_zone or zones.get(item.location or "")
    return Ask(
        at=now if item.at is None else item.at.astimezone(UTC),
        channel=item.channel,
        zone=zone_of(stated, config),
        relational=relational,
        question=item.question,
        survey=item.survey,
        moment=item.moment,
        quiet=moment is None or moment.quiet,
        held=moment is None or moment.held,
    )


def zone_of(stated: str | None, config: TenantConfig) -> ZoneInfo:
    """The zone of this name; the tenant's where none, or one that nobody knows, was stated."""
    return ZoneInfo(stated) if stated and stated in zone_names() else config.zone


def _out(decision_id: UUID, ask: Ask, decision: Decision, policy: AskingPolicy) -> EligibilityOut:
    return EligibilityOut(
        decision_id=public_id("ask", decision_id),
        allowed=decision.allowed,
        rule=decision.rule,
        until=decision.until,
        findings=[FindingOut(rule=finding.rule, until=finding.until) for finding in decision.findings],
        asked_for=ask.at,
        time_zone=ask.zone.key,
        policy_version=policy.version,
    )
