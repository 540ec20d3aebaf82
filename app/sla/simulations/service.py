"""A draft becomes a binding, and the subjects of a period are read under both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.domain.errors import InvalidError, NotFoundError
from app.domain.sla import Calendar, Policy, parse_calendar, parse_policy
from app.domain.sla.regulatory import get_regulatory_preset
from app.journal.config import TenantConfig, in_order
from app.journal.journal import Journal
from app.sla.bindings import Bind, Bound
from app.sla.comparing import Question, compare_subjects, one_at_a_time
from app.sla.comparison_schemas import ComparisonOut, comparison_out
from app.sla.simulations import repository
from app.sla.simulations.schemas import SimulationIn

DRAFT = "draft"


async def simulate(journal: Journal, tenant_id: UUID, wanted: SimulationIn, now: datetime) -> ComparisonOut:
    """Read the subjects of the period as they are bound, and as the draft would bind them.

    Raises InvalidError for a draft that would be refused at save, NotFoundError for an unknown policy,
    ConflictError while another one of the tenant is running.
    """
    with one_at_a_time(tenant_id):
        async with journal.database.write(tenant_id) as tx:
            await tx.execute("SET TRANSACTION READ ONLY")
            config = (await journal.read_head(tx, tenant_id, ())).config
            bind = draft_binding(config, wanted)
            found, opened = await repository.list_opened(
                tx, tenant_id, [wanted.subject.value], wanted.opened_from, wanted.opened_before,
                wanted.source, wanted.limit,
            )  # fmt: skip
            question = Question(tenant_id, config, now, bind=bind)
            compared = await compare_subjects(tx, question, found)
    return comparison_out(compared, now, shown=wanted.shown, opened=opened)


def draft_binding(config: TenantConfig, wanted: SimulationIn) -> Bind:
    """What the draft would bind, by the newest calendars and its own.

    A draft under the key of a policy, a stored version, and a preset are tried beside the other policies;
    a draft without a key is tried alone.
    """
    newest = {key: versions[-1].calendar for key, versions in config.calendars.items()}
    drafts = {key: _calendar(key, document) for key, document in wanted.calendars.items()}
    calendars = {**newest, **drafts}
    tried = _beside(config, wanted, calendars) or _policy(config, wanted, calendars)
    alone = wanted.document is not None and wanted.key is None

    def bind(known_at: datetime) -> Bound:
        policies = {} if alone else {policy.key: policy for policy in config.policies_at(known_at)}
        if tried is not None:
            policies[tried.key] = tried
        return in_order(policies.values()), calendars

    return bind


def _calendar(key: str, document: dict[str, object]) -> Calendar:
    try:
        return parse_calendar(document, key, 0)
    except InvalidError as error:
        raise _within(error, f"/calendars/{key}") from None


def _policy(config: TenantConfig, wanted: SimulationIn, calendars: Mapping[str, Calendar]) -> Policy | None:
    if wanted.document is not None:
        try:
            return parse_policy(wanted.document, wanted.key or DRAFT, 0, calendars.keys())
        except InvalidError as error:
            raise _within(error, "/document") from None
    if wanted.policy is None:
        return None
    key, version = wanted.policy.key, wanted.policy.version
    known = [item.policy for item in config.policies if item.policy.key == key]
    fitting = [policy for policy in known if version in (None, policy.version)]
    if not fitting:
        raise NotFoundError("not_found", f"there is no such version of the policy {key!r}", pointer="/policy")
    return max(fitting, key=lambda policy: policy.version)


def _beside(config: TenantConfig, wanted: SimulationIn, calendars: Mapping[str, Calendar]) -> Policy | None:
    """The preset of law that is tried beside what binds already."""
    if wanted.preset is None:
        return None
    calendar = config.policies[-1].policy.calendar if config.policies else next(iter(calendars))
    document = {"format": 1, "calendar": calendar, "rules": [get_regulatory_preset(wanted.preset).rule()]}
    return parse_policy(document, wanted.preset, 0, calendars.keys())


def _within(error: InvalidError, place: str) -> InvalidError:
    return InvalidError(error.reason, error.detail, pointer=place + error.pointer, cure=error.cure)
