"""Playbook documents: what is accepted, and what is refused at save with its reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from itertools import product
from typing import TypeVar

from app.domain.complaint import CaseKind, Severity
from app.domain.playbook import (
    LANGUAGES,
    Checklist,
    ChecklistStep,
    Named,
    Playbook,
    Playbooks,
    Step,
    Waiting,
)
from app.domain.sla.document import Node, nearest

_Word = TypeVar("_Word", bound=StrEnum)


def parse_playbooks(document: object) -> Playbooks:
    """Read a configuration document; `playbook_preset.default_document()` is one, complete and valid.

    Raises `InvalidError` with a pointer: `unknown_key`, `missing_key`, `unknown_choice` (a step, kind or
    severity), `repeated_key`, `unknown_checklist`, `missing_checklist`, `close_needs_itself`,
    `close_needs_unlisted_step`, `playbook_ambiguous`, `notice_after_closing`, and `playbook_missing` for
    a kind and severity that nobody says how to handle.
    """
    needed = ("checklists", "playbooks")
    fields = Node(document).fields((*needed, "waiting", "verification_days"), required=needed)
    checklists = {key: _checklist(key, node) for key, node in fields["checklists"].members().items()}
    for name in Named:
        if name not in checklists:
            detail = f"The checklist {name.value!r} is missing."
            raise fields["checklists"].refusal("missing_checklist", detail, "Add it; the preset has one.")
    entries: dict[tuple[CaseKind, Severity], Playbook] = {}
    for node in fields["playbooks"].elements():
        playbook = _playbook(node, checklists)
        for severity in playbook.severities:
            if (playbook.kind, severity) in entries:
                detail = f"Two playbooks say how to handle {playbook.kind} {severity}."
                raise node.refusal("playbook_ambiguous", detail, "Name the severity in one of them.")
            entries[playbook.kind, severity] = playbook
    lacking = [pair for pair in product(CaseKind, Severity) if pair not in entries]
    if lacking:
        names = ", ".join(f"{kind} {severity}" for kind, severity in lacking)
        detail = f"No playbook says how to handle: {names}."
        raise fields["playbooks"].refusal(
            "playbook_missing", detail, "One playbook may name several severities."
        )
    waiting = _waiting(fields["waiting"]) if "waiting" in fields else Waiting()
    days = fields["verification_days"].integer(1, 90) if "verification_days" in fields else 7
    return Playbooks(entries, checklists, waiting, days)


def _waiting(node: Node) -> Waiting:
    fields = node.fields(("calendar", "close_after_days", "notice_days"))
    known = Waiting()
    calendar = fields["calendar"].slug() if "calendar" in fields else known.calendar
    after = (
        fields["close_after_days"].integer(1, 250) if "close_after_days" in fields else known.close_after_days
    )
    notice = fields["notice_days"].integer(0, 250) if "notice_days" in fields else known.notice_days
    if notice >= after:
        detail = "The customer would be told of the closing after it, or never."
        raise node.refusal(
            "notice_after_closing", detail, "Let `notice_days` be less than `close_after_days`."
        )
    return Waiting(calendar, after, notice)


def _playbook(node: Node, checklists: Collection[str]) -> Playbook:
    fields = _exactly(node, "kind", "severities", "steps", "close", "reply_checklist")
    close = fields["close"].fields(("all_of", "one_of"), required=("all_of",))
    steps = _distinct(Step, fields["steps"])
    all_of = _distinct(Step, close["all_of"])
    one_of = tuple(_distinct(Step, group) for group in _elements(close, "one_of"))
    if any(Step.CLOSED in group for group in (all_of, *one_of)):
        raise fields["close"].refusal("close_needs_itself", "A case cannot wait for its own closing.")
    if not set(all_of) <= set(steps) or (one_of and not any(set(group) <= set(steps) for group in one_of)):
        detail = "A case that has taken every step of the playbook could still not be closed."
        raise fields["close"].refusal(
            "close_needs_unlisted_step", detail, "List in `steps` what closing needs."
        )
    name = fields["reply_checklist"].text()
    if name not in checklists:
        raise fields["reply_checklist"].refusal(
            "unknown_checklist", f"There is no checklist {name!r}.", nearest(name, checklists)
        )
    severities = _distinct(Severity, fields["severities"])
    return Playbook(fields["kind"].choice(CaseKind), severities, steps, all_of, one_of, name)


def _checklist(key: str, node: Node) -> Checklist:
    steps: dict[str, ChecklistStep] = {}
    for element in node.elements():
        fields = _exactly(element, "key", "labels")
        labels = _exactly(fields["labels"], *LANGUAGES)
        step = ChecklistStep(fields["key"].slug(), {code: labels[code].text() for code in LANGUAGES})
        if step.key in steps:
            raise fields["key"].refusal("repeated_key", f"The step {step.key!r} stands twice.", "Keep one.")
        steps[step.key] = step
    if not steps:
        raise node.refusal("empty_list", "A checklist has at least one step.")
    return Checklist(key, tuple(steps.values()))


def _exactly(node: Node, *keys: str) -> dict[str, Node]:
    return node.fields(keys, required=keys)


def _elements(fields: Mapping[str, Node], key: str) -> list[Node]:
    return fields[key].elements() if key in fields else []


def _distinct(words: type[_Word], node: Node) -> tuple[_Word, ...]:
    """At least one word of a closed list, none twice."""
    found: list[_Word] = []
    for element in node.elements():
        word = element.choice(words)
        if word in found:
            raise element.refusal("repeated_key", f"{word.value!r} stands twice.", "Keep one.")
        found.append(word)
    if not found:
        raise node.refusal("empty_list", "At least one is expected here.")
    return tuple(found)
