"""Which playbooks bind a case: those in force when its current run of handling became known."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.case import Case
from app.domain.case.attention import Attention, began_at, next_attention
from app.domain.events import StoredEvent
from app.domain.playbook import REPLY, Playbooks, completeness
from app.journal.care import Bound
from app.journal.config import TenantConfig


def bound_playbooks(config: TenantConfig, history: Sequence[StoredEvent], case: Case) -> Bound[Playbooks]:
    """A newer version binds what opens or is reopened after it, as with the policies of the clock."""
    return config.care.playbooks_at(began_at(history, case))


def reply_completeness(case: Case, playbooks: Playbooks) -> float | None:
    """The share of the reply's checklist that was done; None when nobody ticked anything.

    What a source ticked that the checklist does not have does not count.
    """
    ticked = case.ticked.get(REPLY)
    if ticked is None:
        return None
    checklist = playbooks.reply_checklist(case.kind, case.severity)
    known = {step.key for step in checklist.steps}
    return completeness([key for key in ticked if key in known], checklist)


def attention(config: TenantConfig, history: Sequence[StoredEvent], case: Case) -> Attention | None:
    """What the upkeep must do next with the case, and when."""
    began = began_at(history, case)
    playbooks = config.care.playbooks_at(began).value
    calendar = config.calendars_at(began).get(playbooks.waiting.calendar)
    return next_attention(case, playbooks, calendar)
