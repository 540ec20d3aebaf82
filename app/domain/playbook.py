"""Playbooks: the steps that each kind of case calls for, when it may close, and how to reply."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final, Protocol

from app.domain.complaint import CaseKind, Severity
from app.domain.errors import InvalidError
from app.domain.sla.document import nearest


class Step(StrEnum):
    """The stages of handling (domain.md 6.1): a set, not a line; the order here is only the usual one."""

    RECEIVED = auto()
    THANKED = auto()
    ASSESSED = auto()
    REPLIED = auto()
    APOLOGISED = auto()
    PROMISED = auto()
    DECLINED = auto()
    REMEDIED = auto()
    DECISION_COMMUNICATED = auto()
    RESURVEYED = auto()
    CLOSED = auto()


LANGUAGES: Final = ("uk", "ru", "en")

# An internal case (its author cannot be reached) has nobody to take these steps with.
_CUSTOMER_STEPS = frozenset(Step) - {Step.RECEIVED, Step.ASSESSED, Step.DECLINED, Step.REMEDIED, Step.CLOSED}

REPLY: Final = "reply"
"""What a case calls the checklist of its replies, whichever its playbook names."""


class Named(StrEnum):
    """Checklists that the service itself works with: a configuration must have each of them."""

    LOYALTY_CONVERSION = auto()
    RECOVERY = auto()
    DEBRIEF_NEGATIVE = auto()
    DEBRIEF_POSITIVE = auto()


class Handled(Protocol):
    """What a playbook needs to know of a case."""

    @property
    def kind(self) -> CaseKind: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def customer_facing(self) -> bool: ...
    @property
    def steps(self) -> Collection[Step]: ...


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """One thing to do, with its label in each of `LANGUAGES`."""

    key: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Checklist:
    """An ordered, never empty list of things to do: in a reply, a debrief, a recovery."""

    key: str
    steps: tuple[ChecklistStep, ...]


@dataclass(frozen=True, slots=True)
class Playbook:
    """How one kind of case is handled, and what must be done before it may close.

    Closing takes all of `close_all_of` and every step of at least one group of `close_one_of`.
    """

    kind: CaseKind
    severities: tuple[Severity, ...]
    steps: tuple[Step, ...]
    close_all_of: tuple[Step, ...]
    close_one_of: tuple[tuple[Step, ...], ...]
    reply_checklist: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for its customer closes after so many working days, told some days before."""

    calendar: str = "9x5"
    close_after_days: int = 10
    notice_days: int = 2


@dataclass(frozen=True, slots=True)
class Playbooks:
    """A whole configuration: exactly one playbook for each kind and severity, and the checklists.

    `verification_days`: how long an anonymous author has to show that he is a customer.
    """

    entries: Mapping[tuple[CaseKind, Severity], Playbook]
    checklists: Mapping[str, Checklist]
    waiting: Waiting = Waiting()
    verification_days: int = 7

    def required_steps(self, kind: CaseKind, severity: Severity) -> tuple[Step, ...]:
        """The steps that a case of this kind and severity calls for, in their usual order."""
        return self.entries[kind, severity].steps

    def reply_checklist(self, kind: CaseKind, severity: Severity) -> Checklist:
        """What a reply to such a case should contain."""
        return self.checklists[self.entries[kind, severity].reply_checklist]

    def checklist_of(self, case: Handled, name: str) -> Checklist:
        """A checklist by its key, or by the word for "that of the replies". Raises `InvalidError`."""
        if name == REPLY:
            return self.reply_checklist(case.kind, case.severity)
        if name not in self.checklists:
            detail = f"There is no checklist {name!r}."
            raise InvalidError(
                "unknown_checklist",
                detail,
                pointer="/checklist",
                cure=nearest(name, [REPLY, *self.checklists]),
            )
        return self.checklists[name]

    def missing_to_close(self, case: Handled) -> tuple[str, ...]:
        """What stands between the case and its closing, in words; () when it may close (domain.md 6.1).

        A choice is one item: "promised and remedied, or declined". Steps that need the customer are not
        asked of a case that has none to face.
        """
        playbook = self.entries[case.kind, case.severity]
        settled = set(case.steps) if case.customer_facing else _CUSTOMER_STEPS | set(case.steps)
        missing = [step.value for step in playbook.close_all_of if step not in settled]
        choices = [[step for step in group if step not in settled] for group in playbook.close_one_of]
        if choices and all(choices):
            missing.append(", or ".join(" and ".join(steps) for steps in choices))
        return tuple(missing)


def completeness(done: Iterable[str], checklist: Checklist) -> float:
    """Share of the checklist that is done, 0..1 (domain.md 6.5); below 1 is a warning, never a block.

    Raises `InvalidError` (`unknown_checklist_step`) for a key that the checklist does not have.
    """
    known, ticked = {step.key for step in checklist.steps}, set(done)
    for key in sorted(ticked - known):
        detail = f"The checklist {checklist.key} has no step {key!r}."
        raise InvalidError("unknown_checklist_step", detail, cure=nearest(key, known))
    return len(ticked) / len(known)
