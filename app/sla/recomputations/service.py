"""A recomputation: weighed against what stands, or begun as a job that the worker carries out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.auth import Principal
from app.domain.errors import ConflictError, NotFoundError
from app.domain.sla import Policy
from app.journal.audit import Deed
from app.journal.config import Repin, TenantConfig
from app.journal.journal import Journal
from app.kit import json
from app.kit.ids import new_id, public_id
from app.sla.comparing import Question, compare_subjects, one_at_a_time
from app.sla.comparison_schemas import ComparisonOut, comparison_out
from app.sla.recomputations import repository
from app.sla.recomputations.schemas import RecomputationIn, RecomputationOut
from app.sla.simulations.repository import list_opened
from app.sla.simulations.schemas import PolicyRef

PREFIX = "rec"
_AUDITED = ("reason", "opened_from", "opened_before", "policy", "policy_version")


async def weigh(journal: Journal, tenant_id: UUID, wanted: RecomputationIn, now: datetime) -> ComparisonOut:
    """What applying it would change, on the subjects of the period, of every kind; writes nothing.

    The other side is the configuration as it would be: what is weighed and what is applied cannot differ.
    """
    with one_at_a_time(tenant_id):
        async with journal.database.write(tenant_id) as tx:
            await tx.execute("SET TRANSACTION READ ONLY")
            config = (await journal.read_head(tx, tenant_id, ())).config
            repin = _repin(config, wanted, now)
            found, opened = await list_opened(
                tx, tenant_id, config.timed_subjects, repin.opened_from, repin.opened_before, None,
                wanted.limit,
            )  # fmt: skip
            question = Question(tenant_id, config, now, other=replace(config, repins=[*config.repins, repin]))
            compared = await compare_subjects(tx, question, found)
    return comparison_out(compared, now, shown=wanted.shown, opened=opened)


async def begin(journal: Journal, principal: Principal, wanted: RecomputationIn) -> RecomputationOut:
    """Write it down with its audit entry. Raises ConflictError while another one is being applied."""
    tenant_id = principal.tenant_id
    async with journal.transaction(tenant_id) as tx:
        commit = await journal.lock(tx, tenant_id)
        if await repository.find_unfinished(tx, tenant_id) is not None:
            raise ConflictError(
                "recomputation_under_way", "Another recomputation is being applied.", cure="Wait for it."
            )
        repin = _repin(commit.config, wanted, commit.recorded_at)
        policy = next(iter(repin.policies.values()), None)
        values: dict[str, Any] = {
            "tenant_id": tenant_id,
            "recomputation_id": new_id(),
            "created_at": commit.recorded_at,
            "actor": principal.hint,
            "reason": wanted.reason,
            "opened_from": repin.opened_from,
            "opened_before": repin.opened_before,
            "policy": policy.key if policy else None,
            "policy_version": policy.version if policy else None,
            "calendars_at": repin.calendars_at,
            "cursor": None,
            "counts": {"subjects": 0, "changed": 0},
            "finished_at": None,
        }
        await repository.insert_recomputation(tx, values, _deed(values))
    return recomputation_out(values)


def recomputation_out(row: Any) -> RecomputationOut:
    """A row as callers see it."""
    policy = None if row["policy"] is None else PolicyRef(key=row["policy"], version=row["policy_version"])
    return RecomputationOut(
        id=public_id(PREFIX, row["recomputation_id"]),
        state="applying" if row["finished_at"] is None else "done",
        policy=policy,
        **{
            name: row[name]
            for name in (
                "reason", "actor", "opened_from", "opened_before", "calendars_at", "counts", "created_at",
                "finished_at",
            )
        },
    )  # fmt: skip


def _repin(config: TenantConfig, wanted: RecomputationIn, now: datetime) -> Repin:
    opened_before = wanted.opened_before.astimezone(UTC) if wanted.opened_before else now
    policies = {} if wanted.policy is None else {wanted.policy.key: _get_policy(config, wanted.policy)}
    return Repin(wanted.opened_from.astimezone(UTC), opened_before, now, policies, finished=False)


def _get_policy(config: TenantConfig, wanted: PolicyRef) -> Policy:
    known = [item.policy for item in config.policies if item.policy.key == wanted.key]
    fitting = [policy for policy in known if wanted.version in (None, policy.version)]
    if not fitting:
        raise NotFoundError(
            "not_found", f"there is no such version of the policy {wanted.key!r}", pointer="/policy"
        )
    return max(fitting, key=lambda policy: policy.version)


def _deed(values: dict[str, Any]) -> Deed:
    told = {name: values[name] for name in _AUDITED}
    target = public_id(PREFIX, values["recomputation_id"])
    return Deed(values["actor"], "sla.recompute", target, values["created_at"], json.dumps_text(told))
