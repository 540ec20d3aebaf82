"""How long each timer of the default policy may take, by severity: the table of domain.md 6.2 as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Target = dict[str, int]

SEVERITIES: Final = ("sev1", "sev2", "sev3", "sev4")

# minutes, hours and days are elapsed; bh and bd are hours and days of the assigned calendar; "" none.
TARGETS: Final[Mapping[str, str]] = {
    "acknowledge": "15 minutes | 1 hours | 4 bh | 1 bd",
    "first_response": "1 hours | 4 bh | 1 bd | 2 bd",
    "review_reply": "1 hours | 4 hours | 24 hours | 72 hours",
    "apology": "1 hours | 4 bh | 1 bd |",
    "promise": "4 hours | 1 bd | 2 bd | 3 bd",
    "remedy": "24 hours | 3 bd | 5 bd | 10 bd",
    "progress_update": "4 hours | 1 bd | 2 bd | 5 bd",
    "compensation": "2 bd | 5 bd | 10 bd | 10 bd",
    "systemic_fix": "7 days | 14 days | 30 days | 90 days",
    "inform_improvement": "1 bd | 2 bd | 3 bd | 5 bd",
    "staff_debrief": "2 bd | 3 bd | 5 bd | 10 bd",
    "debrief_check": "14 days | 14 days | 14 days | 14 days",
    "order_silence": "3 days | 3 days | 3 days | 3 days",
    "review_verification": "7 days | 7 days | 7 days | 7 days",
    "customer_silence": "10 bd | 10 bd | 10 bd | 10 bd",
}
_UNITS: Final = {"bh": "business_hours", "bd": "business_days"}

FACING: Final = (
    "acknowledge", "first_response", "apology", "promise", "remedy", "progress_update", "compensation",
    "inform_improvement", "resurvey", "review_verification", "customer_silence", "promise_kept", "given_due",
)  # fmt: skip
INTERNAL: Final = ("remedy", "given_due")


def target(key: str, severity: str) -> Target | None:
    """The duration of a timer; None when its due time is not a duration, {} when it is not promised."""
    if key not in TARGETS:
        return None
    written = TARGETS[key].split("|")[SEVERITIES.index(severity)].split()
    if not written:
        return {}
    amount, unit = written
    return {_UNITS.get(unit, unit): int(amount)}
