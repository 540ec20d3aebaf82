"""A case: what its events, in whatever order they came, say of a complaint, and which commands it allows.

Import everything from here (`from app.domain.case import Case, fold, check, ...`).
"""

from app.domain.case.commands import COMMANDS, check
from app.domain.case.facts import named, refs_of
from app.domain.case.fold import fold
from app.domain.case.misfit import REOPEN_WINDOW
from app.domain.case.moments import moment_of
from app.domain.case.state import Anomaly, Case, CaseState, Cycle

__all__ = [
    "COMMANDS", "REOPEN_WINDOW", "Anomaly", "Case", "CaseState", "Cycle", "check", "fold", "moment_of",
    "named", "refs_of",
]  # fmt: skip
