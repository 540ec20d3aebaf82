"""What the commands on checklists, verification and corrective actions refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.case.care import Verification
from app.domain.case.state import Case
from app.domain.errors import ConflictError, InvalidError
from app.domain.events import EventType
from app.domain.playbook import REPLY, Playbooks, completeness


def check_ticks(case: Case, data: Mapping[str, Any], playbooks: Playbooks) -> None:
    """Refuse steps that the checklist does not have. Raises `InvalidError`."""
    ticked = data.get("ticked")
    if ticked is None:
        return
    checklist = playbooks.checklist_of(case, str(data.get("checklist") or REPLY))
    try:
        completeness(ticked, checklist)
    except InvalidError as error:
        raise InvalidError(error.reason, error.detail, pointer="/ticked", cure=error.cure) from None


def check_care(case: Case, event: EventType, data: Mapping[str, Any]) -> None:
    """Refuse what the case does not allow now. Raises `ConflictError` saying what stands in the way."""
    dialogue = case.dialogue
    match event:
        case EventType.CASE_VERIFICATION_REQUESTED:
            if not case.customer_facing:
                cure = "Leave it: reviews count whether or not their author is known."
                raise ConflictError("no_customer", "The author cannot be reached.", cure=cure)
            if dialogue is not None and dialogue.state in (Verification.REQUESTED, Verification.VERIFIED):
                state = dialogue.state.value
                cure = "Wait for the answer." if state == "requested" else "Nothing more is to be asked."
                detail = f"The verification is {state} already."
                raise ConflictError(f"verification_{state}", detail, cure=cure)
        case EventType.CASE_VERIFIED | EventType.CASE_UNVERIFIED if dialogue is None:
            cure = "Request it first."
            raise ConflictError("not_requested", "Nobody asked the author to verify himself.", cure=cure)
        case EventType.CASE_ACTION_LINKED:
            if any(link.action == data.get("action") for link in case.links):
                detail, cure = "The action is linked already.", "Link another one, or go on."
                raise ConflictError("already_linked", detail, pointer="/action", cure=cure)
        case EventType.CASE_ACTION_NOT_NEEDED if case.links:
            raise ConflictError(
                "action_linked", "The case has a corrective action.", cure="Cancel the action."
            )
        case EventType.CASE_ACTION_NOT_NEEDED if case.action_not_needed_at is not None:
            cure = "Link an action, if one is needed after all."
            raise ConflictError("already_said", "No action is needed: that was said.", cure=cure)
        case EventType.CASE_IMPROVEMENT_INFORMED:
            _check_informing(case, data)
        case _:
            pass


def _check_informing(case: Case, data: Mapping[str, Any]) -> None:
    links = [link for link in case.links if link.action == data.get("action")]
    if not links:
        detail, cure = "The case has no such corrective action.", "Link the action first."
        raise ConflictError("not_linked", detail, pointer="/action", cure=cure)
    if links[0].deployed_at is None:
        detail = "Nothing is better yet: the action is not deployed."
        raise ConflictError("not_deployed", detail, pointer="/action", cure="Deploy the action first.")
    if links[0].informed_at is not None:
        detail, cure = "The customer was told already.", "Leave him in peace: nothing more is owed."
        raise ConflictError("already_informed", detail, pointer="/action", cure=cure)
