"""A case: what its events, in whatever order they came, say of a complaint, and which commands it allows.

Import everything from here (`from app.domain.case import Case, fold, check, ...`).
"""

from app.domain.case.commands import COMMANDS, check
from app.domain.case.facts import named, refs_of
from app.domain.case.fold import fold
from app.domain.case.merging import (
    LOST_OPENING,
    Merge,
    Merges,
    Span,
    merges_of,
    places_of,
    spans_of,
    split,
    survivor_of,
)
from app.domain.case.misfit import REOPEN_WINDOW
from app.domain.case.moments import moment_of
from app.domain.case.openings import REDATES, told_as
from app.domain.case.state import Anomaly, Case, CaseState, Cycle

__all__ = [
    "COMMANDS", "LOST_OPENING", "REDATES", "REOPEN_WINDOW", "Anomaly", "Case", "CaseState", "Cycle", "Merge",
    "Merges", "Span", "check", "fold", "merges_of", "moment_of", "named", "places_of", "refs_of", "spans_of",
    "split", "survivor_of", "told_as",
]  # fmt: skip
