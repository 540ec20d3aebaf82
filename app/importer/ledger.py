"""What became of every row, counted: the truth behind the summary, the report and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.importer.batches import MappedRow
from app.importer.poster import Outcome

# The status of a row is the weightiest of its events.
_WEIGHT = ("duplicate", "stale", "revised", "created", "rejected")
_MAX_KINDS = 50


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row and what became of it; `passed_over`: the mapping found nothing to state in it."""

    row: int
    status: str
    ids: tuple[str, ...] = ()
    code: str = ""
    pointer: str = ""
    detail: str = ""
    cure: str = ""


@dataclass(slots=True)
class Complaint:
    """One kind of error: how often, and where first."""

    code: str
    detail: str
    cure: str
    first_row: int
    count: int = 0


@dataclass(slots=True)
class Ledger:
    """Counts of an import. `stopped` says why it did not reach the end of the file."""

    rows: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    complaints: dict[str, Complaint] = field(default_factory=dict)
    stopped: str | None = None

    def settle(self, row: MappedRow, outcomes: Sequence[Outcome]) -> RowResult:
        """Count a row with the outcomes of its events, and say what became of it."""
        result = _result(row, outcomes)
        self.rows[result.status] += 1
        self.events.update(outcome.status for outcome in outcomes)
        if result.status == "rejected":
            self._complain(result)
        return result

    @property
    def exit_code(self) -> int:
        """0: every row is stored, was stored before, or says nothing; 1: some row is not stored."""
        return 1 if self.rows["rejected"] or self.stopped is not None else 0

    def as_json(self) -> dict[str, Any]:
        """The summary for machines."""
        return {
            "rows": dict(sorted(self.rows.items())),
            "events": dict(sorted(self.events.items())),
            "errors": [
                {
                    "code": complaint.code,
                    "count": complaint.count,
                    "first_row": complaint.first_row,
                    "detail": complaint.detail,
                    "cure": complaint.cure,
                }
                for complaint in sorted(self.complaints.values(), key=lambda known: -known.count)
            ],
            "stopped": self.stopped,
        }

    def _complain(self, result: RowResult) -> None:
        if result.code not in self.complaints and len(self.complaints) >= _MAX_KINDS:
            return
        complaint = self.complaints.setdefault(
            result.code, Complaint(result.code, result.detail, result.cure, result.row)
        )
        complaint.count += 1


def _result(row: MappedRow, outcomes: Sequence[Outcome]) -> RowResult:
    if row.error is not None:
        error = row.error
        return RowResult(row.number, "rejected", (), error.reason, error.pointer, error.detail, error.cure)
    if not outcomes:
        return RowResult(row.number, "passed_over")
    worst = max(outcomes, key=lambda outcome: _weight(outcome.status))
    return RowResult(row.number, worst.status, row.ids, worst.code, worst.pointer, worst.detail, worst.cure)


def _weight(status: str) -> int:
    return _WEIGHT.index(status) if status in _WEIGHT else len(_WEIGHT)
