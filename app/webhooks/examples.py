"""Real examples of what subscribers get: one for each shape of `data`."""

from __future__ import annotations

from typing import Any

CASE: dict[str, Any] = {
    "case": {
        "id": "case_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "kind": "complaint",
        "severity": "sev2",
        "state": "open",
        "opened_at": "2026-11-22T08:15:00Z",
        "channel": "call",
        "touchpoint": "support_line",
        "location": "kyiv-1",
        "employee": "olena",
        "product": None,
        "segment": "retail",
        "cause": "office_process.delivery_delay",
        "assignee": "taras",
        "due_given_at": None,
        "promised_due_at": None,
        "customer_facing": True,
        "steps": {"received": "2026-11-22T08:15:00Z"},
        "reopened_count": 0,
    },
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "ref": "crm-4711",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "call-centre",
    "sequence": 4402341478401,
}


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
        "revision": 0,
        "confidence": "final",
        "confidence_reason": None,
        "sequence": 4402341478402,
        "detected_at": "2026-11-22T12:15:00.021Z",
        "policy": {"key": "default", "version": 1},
        "facts": {"kind": "complaint", "severity": "sev2", "channel": "call", "location": "kyiv-1"},
        "reading": {
            "timer": "first_response",
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
        },
        "explanation": "first_response: 4 h from 2026-11-22 08:15 UTC, due 2026-11-22 12:15 UTC.",
    }


FEEDBACK_OFFER: dict[str, Any] = {
    **sla("breached", state="breached"),
    "subject": {"kind": "interaction", "id": "interaction_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["call-4711"]},
    "facts": {"channel": "call", "location": "kyiv-1", "employee": "olena"},
}

REVIEW_UNANSWERED: dict[str, Any] = {
    **sla("breached", state="breached"),
    "subject": {"kind": "review", "id": "review_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["trustpilot:6561"]},
    "facts": {"channel": "review", "location": "kyiv-1"},
}

_LATE_ORDER: dict[str, Any] = {
    "subject": {"kind": "order", "id": "order_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["order-20417"]},
    "facts": {"location": "kyiv-1", "product": "bicycle"},
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

ENDPOINT_DISABLED: dict[str, Any] = {
    "endpoint_id": "ep_01kb3v6n8qe5vr2a4d1f7m9xyz",
    "url": "https://crm.example.com/webhooks/vidhuk",
    "reason": "failing",
    "failing_since": "2026-11-17T08:00:00Z",
    "failures": 214,
    "sequence": 4402341478403,
}

ENDPOINT_RECOVERED: dict[str, Any] = {
    "endpoint_id": "ep_01kb3v6n8qe5vr2a4d1f7m9xyz",
    "url": "https://crm.example.com/webhooks/vidhuk",
    "failing_since": "2026-11-22T08:00:00Z",
    "failures": 12,
    "sequence": 4402341478404,
}

MESSAGE_EXHAUSTED: dict[str, Any] = {
    "endpoint_id": "ep_01kb3v6n8qe5vr2a4d1f7m9xyz",
    "url": "https://crm.example.com/webhooks/vidhuk",
    "message_id": "msg_01kb3v6n8qe5vr2a4d1f7m9xyz",
    "type": "sla.breached",
    "tries": 10,
    "failure": "timeout",
    "status": None,
    "sequence": 4402341478405,
}

ENDPOINT_TEST: dict[str, Any] = {
    "endpoint_id": "ep_01kb3v6n8qe5vr2a4d1f7m9xyz",
    "test": True,
    "sequence": 4402341478406,
}
