"""What a person sees: a bar on a terminal and nowhere else, and no markup from a stranger's data."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from app.importer.batches import MappedRow
from app.importer.display import advancing, print_summary
from app.importer.ledger import Ledger
from app.importer.poster import Outcome
from app.importer.run import Progress


@pytest.mark.parametrize(
    ("terminal", "asked", "seen"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_the_bar_is_drawn_on_a_terminal_only(terminal: bool, asked: bool, seen: bool) -> None:
    screen = io.StringIO()
    with advancing(Console(file=screen, force_terminal=terminal, width=100), 100, shown=asked) as advance:
        advance(Progress(50, 7, 2))
    assert ("7 rows, 2 rejected" in screen.getvalue()) is seen


def test_the_summary_counts_rows_and_events_and_names_each_error_once() -> None:
    ledger = Ledger()
    bad = Outcome("rejected", "score_outside_scale", detail="[bold]9[/bold] is outside", cure="Send 1..5.")
    ledger.settle(MappedRow(1, ("a", "b"), (b"{}", b"{}")), [Outcome("created"), Outcome("duplicate")])
    ledger.settle(MappedRow(2, ("c",), (b"{}",)), [bad])
    ledger.settle(MappedRow(3, ("d",), (b"{}",)), [bad])
    screen = io.StringIO()
    print_summary(Console(file=screen, width=120), ledger, dry_run=True)
    shown = screen.getvalue()
    assert "dry run" in shown
    assert "2 x score_outside_scale, first in row 2: [bold]9[/bold] is outside Send 1..5." in shown
    assert (dict(ledger.rows), dict(ledger.events)) == (
        {"created": 1, "rejected": 2},
        {"created": 1, "duplicate": 1, "rejected": 2},
    )
    assert ledger.exit_code == 1
