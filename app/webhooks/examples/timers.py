"""What is told of timers and of the sources that they hear from."""

from __future__ import annotations

from typing import Any


def sla(
    kind: str, *, state: str, level: int = 0, percent: int | None = None, to: str | None = None
) -> dict[str, Any]:
    """The data of one announcement about a timer."""
    return {
        "subject": {"kind": "case", "id": "case_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["crm-4711"]},
        "kind": kind,
        "level": level,
        "percent": percent,
        "to": to,
        "to_employee": "taras" if to else None,
        "revision": 0,
        "confidence": "final",
        "confidence_reason": None,
        "sequence": 4402341478402,
        "detected_at": "2026-11-22T12:15:00.021Z",
        "policy": {"key": "default", "version": 1},
        "facts": {"kind": "complaint", "severity": "sev2", "channel": "call", "location": "kyiv-1"},
        "standing": {
            "state": "open",
            "severity": "sev2",
            "kind": "complaint",
            "assignee": "taras",
            "cause": "office_process.delivery_delay",
            "promised_due_at": None,
            "reply_channel": "call",
            "customer_facing": True,
            "waiting_since": None,
        },
        "reading": {
            "timer": "first_response",
            "concerns": None,
            "cycle": 1,
            "clock_kind": "internal",
            "state": state,
            "started_at": "2026-11-22T08:15:00Z",
            "due_at": "2026-11-22T12:15:00Z",
            "stopped_at": "2026-11-22T12:40:00Z" if state in ("met", "met_late") else None,
            "cancelled_at": "2026-11-22T11:00:00Z" if state == "cancelled" else None,
            "breached_at": "2026-11-22T12:15:00Z" if state in ("breached", "met_late") else None,
            "breach_reason": None,
            "target_seconds": 14400.0,
            "consumed_seconds": 15900.0 if state == "met_late" else 14400.0,
            "paused_seconds": 0.0,
            "late_seconds": 1500.0 if state == "met_late" else 0.0,
            "calendar": {"key": "24x7", "version": 1},
            "anomalies": [],
            "as_of": "2026-11-22T12:15:00.000001Z",
        },
        "explanation": "first_response: 4 h from 2026-11-22 08:15 UTC, due 2026-11-22 12:15 UTC.",
    }


FEEDBACK_OFFER: dict[str, Any] = {
    **sla("breached", state="breached"),
    "subject": {"kind": "interaction", "id": "interaction_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["call-4711"]},
    "facts": {"channel": "call", "location": "kyiv-1", "employee": "olena"},
    "standing": {"last_event": {"type": "interaction.ended", "occurred_at": "2026-11-22T08:15:00Z"}},
}

REVIEW_UNANSWERED: dict[str, Any] = {
    **sla("breached", state="breached"),
    "subject": {"kind": "review", "id": "review_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["trustpilot:6561"]},
    "facts": {"channel": "review", "location": "kyiv-1"},
    "standing": {
        "source_url": "https://reviews.example.com/r/6561",
        "lang": "uk",
        "scores": [{"question": "stars", "scale": "stars_1_5", "value": "1", "class": "negative"}],
        "last_event": {"type": "review.published", "occurred_at": "2026-11-22T08:15:00Z"},
    },
}

_LATE_ORDER: dict[str, Any] = {
    "subject": {"kind": "order", "id": "order_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["order-20417"]},
    "facts": {"location": "kyiv-1", "product": "bicycle"},
    "standing": {
        "promised_at": "2026-11-22T12:00:00Z",
        "due_at": "2026-11-22T16:00:00Z",
        "last_event": {"type": "order.delay_predicted", "occurred_at": "2026-11-22T08:15:00Z"},
    },
}

DELAY_NOTICE_DUE: dict[str, Any] = {
    **sla("warning", state="running", level=-3600, percent=None),
    **_LATE_ORDER,
}

DELAY_NOTICE_MISSED: dict[str, Any] = {**sla("breached", state="breached"), **_LATE_ORDER}

SOURCE_SILENT: dict[str, Any] = {
    "silent_source": "crm",
    "last_event_at": "2026-11-22T07:15:00Z",
    "expected_every_seconds": 3600,
    "handles_cases": True,
    "detected_at": "2026-11-22T08:15:12Z",
    "sequence": 4402341478407,
}
