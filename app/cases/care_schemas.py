"""Checklists, compensations, improvements and the aftermath of a case on the wire."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from app.domain.case.care import ActionLink
from app.domain.case.compensations import Compensation
from app.domain.case.outcome import Deviation
from app.kit.ids import public_id


class ChecklistStepOut(BaseModel):
    """One thing to do."""

    key: str = Field(examples=["apologise"])
    labels: dict[str, str] = Field(examples=[{"uk": "Вибачитися", "ru": "Извиниться", "en": "Apologise"}])
    done: bool


class ChecklistOut(BaseModel):
    """A checklist and how far it is done."""

    name: str = Field(description="what `tick` calls it", examples=["reply"])
    checklist: str = Field(description="the checklist of the playbook", examples=["complaint"])
    completeness: float = Field(description="share of its steps that are done, 0..1; below 1 only warns")
    steps: list[ChecklistStepOut]


class CompensationOut(BaseModel):
    """One compensation; `base_*` are in the tenant's currency at the rate of the grant."""

    compensation: str = Field(description="its key in the case", examples=["1"])
    state: str = Field(examples=["pending_approval"])
    type: str | None = Field(examples=["money"])
    amount: Decimal | None
    currency: str | None
    base_amount: Decimal | None
    base_currency: str | None
    recovered: Decimal
    employee: str | None
    approver: str | None = Field(description="who is to approve what goes over the limit")
    offered_at: datetime | None
    over_limit_reason: str | None = Field(
        description="why it needs an approval", examples=["over_limit", "over_monthly_limit"]
    )
    approved_at: datetime | None
    rejected_at: datetime | None
    delivered_at: datetime | None
    due_at: datetime | None

    @classmethod
    def of(cls, item: Compensation) -> CompensationOut:
        """A compensation as callers see it."""
        names = [name for name in cls.model_fields if name not in ("compensation", "state", "type")]
        values = {name: getattr(item, name) for name in names}
        return cls(compensation=item.key, state=item.state.value, type=item.kind, **values)


class ActionLinkOut(BaseModel):
    """A corrective action that the case gave rise to."""

    action: str = Field(examples=["FIX-12"])
    linked_at: datetime
    deployed_at: datetime | None
    informed_at: datetime | None = Field(description="when the customer was told: thanks to you it is better")
    is_owed: bool = Field(description="true: it is better, and the customer was not told")

    @classmethod
    def of(cls, link: ActionLink) -> ActionLinkOut:
        """A link as callers see it."""
        return cls(**{name: getattr(link, name) for name in cls.model_fields})


class DeviationOut(BaseModel):
    """One way in which the handling failed the customer again."""

    trigger: str = Field(examples=["reopened"])
    at: datetime
    event_id: str | None
    cycle: str = Field(description="the event that began the cycle that failed")

    @classmethod
    def of(cls, item: Deviation) -> DeviationOut:
        """A deviation as callers see it."""
        event_id = None if item.event_id is None else public_id("evt", item.event_id)
        cycle = public_id("evt", item.cycle)
        return cls(trigger=item.trigger.value, at=item.at, event_id=event_id, cycle=cycle)


class CareOut(BaseModel):
    """How the customer of a case is cared for."""

    severity_reason: str = Field(examples=["a complaint starts at sev3, one up for rudeness"])
    playbook_version: int = Field(description="0: the preset")
    reply_channel: str | None = Field(description="where to answer: where the customer wants it or spoke")
    checklists: list[ChecklistOut]
    warnings: list[str] = Field(examples=[["reply_incomplete", "promise_overdue"]])
    compensations: list[CompensationOut]
    compensation_gross: Decimal | None
    compensation_recovered: Decimal | None
    actions: list[ActionLinkOut] = Field(description="corrective actions that it gave rise to")
    action_not_needed_at: datetime | None = Field(description="no systemic cause was found")
    deviations: list[DeviationOut]
    resurvey_class: str | None = Field(description="what the customer said last after the settlement")
    next_attention_at: datetime | None = Field(description="when time alone will do something to the case")
    next_attention: str | None = Field(examples=["case.closing_notified"])
