"""A case: what its events, in whatever order they came, say of a complaint, and which commands it allows.

Import everything from here (`from app.domain.case import Case, fold, check, ...`).
"""

from app.domain.case.commands import COMMANDS, check
from app.domain.case.consequences import Complaint, Consequence, Opens, Reopens, follow
from app.domain.case.continuing import LateReopening, find_late_reopening, opening_after
from app.domain.case.facts import SETTLING, named, refs_of
from app.domain.case.fold import fold
from app.domain.case.merging import (
    CONTINUES,
    LINKED,
    LOST_OPENING,
    Merge,
    Merges,
    Span,
    absorber_of,
    ends_of,
    merges_of,
    places_of,
    spans_of,
    split,
    survivor_of,
    ties,
)
from app.domain.case.misfit import REOPEN_WINDOW, settled_before
from app.domain.case.moments import moment_of
from app.domain.case.openings import REDATES, told_as
from app.domain.case.repetition import OpenedCase, repetitions
from app.domain.case.state import Anomaly, Case, CaseState, Cycle

__all__ = [
    "COMMANDS",
    "CONTINUES",
    "LINKED",
    "LOST_OPENING",
    "REDATES",
    "REOPEN_WINDOW",
    "SETTLING",
    "Anomaly",
    "Case",
    "CaseState",
    "Complaint",
    "Consequence",
    "Cycle",
    "LateReopening",
    "Merge",
    "Merges",
    "OpenedCase",
    "Opens",
    "Reopens",
    "Span",
    "absorber_of",
    "check",
    "ends_of",
    "find_late_reopening",
    "fold",
    "follow",
    "merges_of",
    "moment_of",
    "named",
    "opening_after",
    "places_of",
    "refs_of",
    "repetitions",
    "settled_before",
    "spans_of",
    "split",
    "survivor_of",
    "ties",
    "told_as",
]  # fmt: skip
