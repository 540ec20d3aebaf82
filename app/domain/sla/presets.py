"""The default policy: the sixteen timers of domain.md 6.2 by severity, on every kind of subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.sla.preset_targets import FACING, INTERNAL, SEVERITIES, target

Json = dict[str, Any]

_LADDER: Final = (
    {"percent": 100, "to": "assignee"},
    {"percent": 150, "to": "manager"},
    {"percent": 200, "to": "feedback_owner"},
)
_GONE: Final = ("case.withdrawn", "case.marked_duplicate", "case.marked_invalid", "case.merged")
_SETTLED: Final = ("case.remedied", "case.declined")
_SPOKEN: Final = (
    "case.acknowledged",
    "case.replied",
    "case.apologised",
    "case.promised",
    "customer.notified",
)
_NEW_CYCLE: Final = {"mode": "new_cycle", "target_factor": 0.5}
_ONCE: Final = {"mode": "first_resolution"}
_FURTHER: Final = {"mode": "next_start"}


# What starts, stops and ends each timer of a case; how long it may take is in TARGETS.
_CASE: Final[Mapping[str, Json]] = {
    "acknowledge": {"stop": ["case.acknowledged"], "reopen": _ONCE},
    "first_response": {"stop": ["case.replied"], "human_only": True},
    "apology": {"stop": ["case.apologised"], "reopen": _ONCE},
    "promise": {"stop": ["case.promised", *_SETTLED]},
    "remedy": {"stop": [*_SETTLED, "case.closed"], "pause": ["waiting_customer"], "reopen": _NEW_CYCLE},
    "progress_update": {
        "start": ["case.opened", *_SPOKEN],
        "stop": list(_SPOKEN),
        "repeat": "while_open",
        "pause": ["waiting_customer"],
        "cancel": [*_GONE, *_SETTLED, "case.closed"],
    },
    "compensation": {
        "start": ["compensation.approved"],
        "stop": ["compensation.delivered"],
        "cancel": ["compensation.rejected", *_GONE],
        "correlate_by": "compensation",
        "reopen": _ONCE,
    },
    "inform_improvement": {
        "start": ["case.improvement_deployed"],
        "stop": ["case.improvement_informed"],
        "cancel": list(_GONE),
        "correlate_by": "action",
        "reopen": _ONCE,
    },
    "resurvey": {
        "start": [*_SETTLED, "case.closed"],
        "stop": ["case.resurveyed", "survey.started"],
        "cancel": list(_GONE),
        "window": {"not_before": {"hours": 24}, "not_after": {"hours": 48}},
        "reopen": _FURTHER,
    },
    "review_verification": {
        "start": ["case.verification_requested"],
        "stop": ["case.verified", "case.unverified"],
        "cancel": ["case.verification_expired", *_GONE],
        "reopen": _ONCE,
    },
    "customer_silence": {
        "start": ["case.waiting_customer"],
        "stop": ["case.resumed", "case.customer_contacted"],
        "cancel": [*_GONE, *_SETTLED, "case.closed"],
        "repeat": "while_open",
        "warnings": [80],
        "escalation": [],
        "reopen": _FURTHER,
    },
    "promise_kept": {
        "start": ["case.promised"],
        "stop": [*_SETTLED],
        "due": {"from_event": "due_at"},
        "reopen": _FURTHER,
    },
    "given_due": {"stop": [*_SETTLED, "case.closed"], "due": {"from_event": "due_at"}},
}


def default_policy_document(calendar: str = "9x5") -> Json:
    """The preset policy as a document for `parse_policy`, counting business time by that calendar.

    Targets: domain.md 6.2. Cases that face no customer (`customer_facing` false) are promised a remedy
    and no word; `customer_silence` says after ten working days of waiting that a case may be closed.
    """
    rules = [
        {"name": "interactions", "when": {"subject": "interaction"}, "timers": [_feedback_offer()]},
        *[
            _case_rule(f"{severity}, internal", severity, INTERNAL, customer_facing=False)
            for severity in SEVERITIES
        ],
        *[_case_rule(severity, severity, FACING) for severity in SEVERITIES],
        *_by_severity("review", _review_reply),
        {"name": "orders", "when": {"subject": "order"}, "timers": [_delay_notice(), _order_silence()]},
        *_by_severity("action", _systemic_fix),
        *_by_severity("debrief", _staff_debrief, _debrief_check),
    ]
    return {"format": 1, "title": "Default complaint policy", "calendar": calendar, "rules": rules}


def _case_rule(name: str, severity: str, keys: Sequence[str], **when: Any) -> Json:
    timers = [_case_timer(key, severity) for key in keys if target(key, severity) != {}]
    return {"name": name, "when": {"subject": "case", "severity": severity, **when}, "timers": timers}


def _case_timer(key: str, severity: str) -> Json:
    timer = _timer(key, "case", severity)
    timer.update({name: value for name, value in _CASE[key].items() if value != []})
    if not _CASE[key].get("escalation", True):
        del timer["escalation"]
    return timer


def _timer(key: str, subject: str, severity: str = "sev3") -> Json:
    """A timer from the opening of a case, with the warning and the ladder that all of them have."""
    timer: Json = {
        "key": key,
        "subject": subject,
        "start": ["case.opened"],
        "stop": [],
        "warnings": [75],
        "escalation": [dict(rung) for rung in _LADDER],
    }
    duration = target(key, severity)
    return {**timer, "due": {"duration": duration}} if duration else timer


def _by_severity(subject: str, *made: Any) -> list[Json]:
    """A rule for each severity that is not the usual one, then that one, which needs no statement."""
    unusual = [severity for severity in SEVERITIES if severity != "sev3"]
    rules = [
        {
            "name": f"{subject}, {severity}",
            "when": {"subject": subject, "severity": severity},
            "timers": [make(severity) for make in made],
        }
        for severity in unusual
    ]
    return [
        *rules,
        {"name": subject, "when": {"subject": subject}, "timers": [make("sev3") for make in made]},
    ]


def _feedback_offer() -> Json:
    return {
        "key": "feedback_offer",
        "subject": "interaction",
        "start": ["interaction.ended"],
        "stop": ["feedback.offered", "feedback.received"],
        "due": {"duration": "PT20M", "clock": "elapsed"},
        "events": {"breached": "feedback_offer.missed"},
    }


def _review_reply(severity: str) -> Json:
    return {
        **_timer("review_reply", "review", severity),
        "start": ["review.published"],
        "stop": ["review.replied"],
        "cancel": ["review.removed"],
        "events": {"breached": "review.unanswered"},
    }


def _delay_notice() -> Json:
    """Tell them first: within an hour of knowing, and before the promised time (S3.14)."""
    return {
        "key": "delay_notice",
        "subject": "order",
        "start": ["order.delay_predicted"],
        "stop": ["customer.notified"],
        "cancel": ["order.delivered"],
        "late_by": {"hours": 2},
        "due": {"min_of": [{"duration": "PT60M"}, {"from_event": "promised_at", "of": "order.promised"}]},
        "warnings": [{"before": "PT60M"}],
        "events": {"warning": "delay_notice.due", "breached": "delay_notice.missed"},
        "escalation": [dict(rung) for rung in _LADDER[:1]],
    }


def _order_silence() -> Json:
    told = ["order.status_changed", "order.delay_predicted", "customer.notified"]
    return {
        **_timer("order_silence", "order"),
        "start": ["order.promised", *told],
        "stop": told,
        "cancel": ["order.delivered"],
        "repeat": "while_open",
    }


def _systemic_fix(severity: str) -> Json:
    return {
        **_timer("systemic_fix", "action", severity),
        "start": ["corrective_action.opened"],
        "stop": ["corrective_action.deployed"],
        "cancel": ["corrective_action.cancelled"],
    }


def _staff_debrief(severity: str) -> Json:
    return {
        **_timer("staff_debrief", "debrief", severity),
        "start": ["debrief.opened"],
        "stop": [
            "debrief.held",
            "debrief.completed",
            {"event": "debrief.step_done", "distinct": "step", "count": 6},
        ],
    }


def _debrief_check(severity: str) -> Json:
    return {
        **_timer("debrief_check", "debrief", severity),
        "start": ["debrief.held"],
        "stop": ["debrief.completed", {"event": "debrief.step_done", "when": {"step": "check"}}],
    }
