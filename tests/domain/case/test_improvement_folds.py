"""Folds of actions, failures and debriefs: any order, the last word counts, progress by the checklist."""

from __future__ import annotations

import itertools

from app.domain.events import EventType
from app.domain.improvement import debrief_progress, fold_action, fold_debrief, fold_failure
from app.domain.playbook_preset import DEFAULT_PLAYBOOKS

from .builders import at, fact

SEVEN = ("show", "support", "point_out", "ask_why", "discuss", "make_sure", "check")


def test_an_action_is_the_same_in_whatever_order_it_is_told():
    events = [
        fact("corrective_action.opened", 0, {"name": "till", "owner": "a", "due_at": "2026-11-09T09:00:00Z"}),
        fact("corrective_action.opened", 1, {"owner": "b"}, id="again"),
        fact("corrective_action.deployed", 5),
        fact("corrective_action.cancelled", 9),
    ]
    found = {repr(fold_action(order)) for order in itertools.permutations(events)}
    assert len(found) == 1
    action = fold_action(events)
    assert (action.state, action.name, action.owner, action.deployed_at) == ("deployed", "till", "b", at(5))
    assert fold_action([events[0], events[3]]).state == "cancelled"


def test_nothing_is_known_of_an_action_whose_facts_were_taken_back():
    opened = fact("corrective_action.opened", 0)
    assert fold_action([opened, fact("event.retracted", 1, {"event": opened.external_id})]) is None
    assert fold_failure([]) is fold_debrief([]) is None


def test_a_failure_found_again_after_its_closing_begins_anew():
    first = fact("recurring_failure.detected", 0, {"cause": "x", "rule": "many_cases", "cases": 5})
    taken = fact("recurring_failure.taken", 1, {"owner": "a"})
    closed = fact("recurring_failure.closed", 2)
    again = fact("recurring_failure.detected", 900, {"cause": "x", "rule": "rate_rose", "cases": 3})
    assert fold_failure([first, taken]).owner == "a"
    assert fold_failure([first, taken, closed]).state == "closed"
    failure = fold_failure([first, taken, closed, again])
    assert (failure.state, failure.owner, failure.rule, failure.detected_at) == (
        "open",
        None,
        "rate_rose",
        at(900),
    )


def test_a_debrief_is_held_after_six_steps_and_complete_after_the_later_check():
    checklist = DEFAULT_PLAYBOOKS.checklists["debrief_negative"]

    def progress(*steps: str):
        events = [fact("debrief.step_done", n, {"step": step}, id=step) for n, step in enumerate(steps)]
        found = debrief_progress(fold_debrief([fact("debrief.opened", 0), *events]), checklist)
        return tuple(kind for kind, _ in found)

    assert progress(*SEVEN[:5]) == ()
    assert progress(*SEVEN[:6]) == (EventType.DEBRIEF_HELD,)
    assert progress(*SEVEN) == (EventType.DEBRIEF_HELD, EventType.DEBRIEF_COMPLETED)
    assert progress("check") == ()


def test_what_was_stated_of_a_debrief_is_not_stated_again():
    steps = [fact("debrief.step_done", n, {"step": step}, id=step) for n, step in enumerate(SEVEN)]
    ended = [fact("debrief.held", 8), fact("debrief.completed", 9)]
    debrief = fold_debrief([fact("debrief.opened", 0), *steps, *ended])
    assert debrief.state == "completed"
    assert debrief_progress(debrief, DEFAULT_PLAYBOOKS.checklists["debrief_negative"]) == ()


def test_a_talk_was_held_with_its_last_step_whichever_was_told_last() -> None:
    steps = [
        fact("debrief.step_done", n, {"step": step}, id=step) for n, step in enumerate(SEVEN[:6], start=1)
    ]
    told = fold_debrief([fact("debrief.opened", 0), *reversed(steps)])
    ((kind, at),) = debrief_progress(told, DEFAULT_PLAYBOOKS.checklists["debrief_negative"])
    assert (kind, at) == (EventType.DEBRIEF_HELD, steps[-1].occurred_at)
