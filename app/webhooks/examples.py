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
        "reply_channel": "call",
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
        "initiative": "reactive",
        "outcome": None,
        "repeat_of": None,
        "verification": None,
        "compensation": {"currency": None, "net": None, "items": []},
        "improvements_owed": [],
        "refs": ["crm-4711"],
    },
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "ref": "crm-4711",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "call-centre",
    "sequence": 4402341478401,
    "details": {"kind": "complaint", "severity": "sev2", "cause": "office_process.delivery_delay"},
    "anomalies": [],
}

COMPENSATION: dict[str, Any] = {
    **CASE,
    "case": {
        **CASE["case"],
        "compensation": {
            "currency": None,
            "net": None,
            "items": [
                {
                    "compensation": "1",
                    "type": "money",
                    "amount": "2500.00",
                    "currency": "UAH",
                    "state": "pending_approval",
                    "employee": "taras",
                    "approver": None,
                    "due_at": None,
                }
            ],
        },
    },
    "details": {
        "compensation": "1",
        "base_amount": "2500.00",
        "base_currency": "UAH",
        "reason": "over_limit",
        "limit": "2000",
        "total": "2500.00",
        "role": "agent",
        "rule": "default",
        "approver": "olena",
        "policy_version": 1,
    },
}

MODERATION: dict[str, Any] = {
    **CASE,
    "details": {"platform": "review-site", "review": "R-17", "hides": False},
}

IMPROVEMENT: dict[str, Any] = {
    "action": {
        "id": "action_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "ref": "FIX-12",
        "name": "Second till at lunch",
        "cause": "office_process.queue",
        "owner": "taras",
        "state": "deployed",
    },
    "owed": 7,
    "details": {},
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "vidhuk",
    "sequence": 4402341478407,
}

FAILURE: dict[str, Any] = {
    "failure": {
        "id": "failure_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "cause": "office_process.queue",
        "owner": None,
        "action": None,
        "state": "open",
    },
    "details": {"rule": "many_cases", "cases": 5, "cases_before": 1},
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "vidhuk",
    "sequence": 4402341478408,
}

DEBRIEF: dict[str, Any] = {
    "debrief": {
        "id": "debrief_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "employee": "ivan",
        "cause": "staff.rudeness",
        "checklist": "debrief_negative",
        "case": "case_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "state": "open",
    },
    "details": {},
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "vidhuk",
    "sequence": 4402341478409,
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
        },
        "explanation": "first_response: 4 h from 2026-11-22 08:15 UTC, due 2026-11-22 12:15 UTC.",
    }


FEEDBACK_OFFER: dict[str, Any] = {
    **sla("breached", state="breached"),
    "subject": {"kind": "interaction", "id": "interaction_01kb3v6n8qe5vr2a4d1f7m9xyz", "refs": ["call-4711"]},
    "facts": {"channel": "call", "location": "kyiv-1", "employee": "olena"},
    "standing": {"last_event": {"type": "interaction.ended", "occurred_at": "2026-11-22T08:15:00Z"}},
}

ENDPOINT_FAILING: dict[str, Any] = {
    "endpoint_id": "ep_01kb3v6n8qe5vr2a4d1f7m9xyz",
    "url": "https://crm.example.com/webhooks/vidhuk",
    "failing_since": "2026-11-17T08:00:00Z",
    "failures": 131,
    "percent": 50,
    "disables_at": "2026-11-22T08:00:00Z",
    "sequence": 4402341478402,
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


def asking(moment: str) -> dict[str, Any]:
    """The data of one event that says that it is time to ask."""
    return {
        "moment": moment,
        "survey": None,
        "question": "nps",
        "channel": "email",
        "location": "kyiv-1",
        "product": "espresso",
        "not_after": "2026-11-25T08:15:00Z",
        "plan_id": "plan_01kb3v6n8rh2c9t0w4g6p8s1qa",
        "trigger": {
            "type": "transaction.completed",
            "source": "till",
            "id": "receipt-4711",
            "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qb",
        },
        "subject": {"kind": "transaction", "ref": "receipt-4711"},
        "customer_ref": "9f2c1b7a5d3e4f60718293a4b5c6d7e8",
        "due_at": "2026-11-23T07:00:00Z",
        "sequence": 4402341478401,
    }


SILENCE: dict[str, Any] = {
    "channel": "sms",
    "location": "kyiv-1",
    "employee": "olena",
    "question": "manager",
    "measure": "staff",
    "reason": "timed_out",
    "silent_at": "2026-11-25T08:15:00Z",
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "subject": {"kind": "survey", "ref": "invitation-4711"},
    "customer_ref": "9f2c1b7a5d3e4f60718293a4b5c6d7e8",
    "sequence": 4402341478401,
}

ERASURE: dict[str, Any] = {
    "erasure_id": "ers_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "requested_at": "2026-11-22T08:15:00Z",
    "completed_at": "2026-11-22T08:15:02Z",
    "counts": {"event_personal": 7, "raw_payloads": 2, "message_bodies": 1},
    "sequence": 4402341478401,
}


def metric(metric_id: str, **told: Any) -> dict[str, Any]:
    """The data of one alert about a metric."""
    return {
        "alert": "watch-" + metric_id.replace("_", "-"),
        "state": "raised",
        "metric": metric_id,
        "title": "what the metric is called",
        "unit": {"employee": "olena", "collection_mode": "staff_prompted"},
        "value": 31.2,
        "n": 214,
        "ci_low": 26.1,
        "ci_high": 36.3,
        "status": "ok",
        "reasons": [],
        "period": {"from": "2026-10-25T22:00:00Z", "to": "2026-11-22T22:00:00Z"},
        "terms_version": 3,
        "definition_version": 1,
        "sequence": 4402341478405,
        **told,
    }


NO_DATA: dict[str, Any] = {
    "alert": "key-touchpoints",
    "state": "raised",
    "unit": {"touchpoint": "checkout"},
    "since": "2026-11-21T12:15:00Z",
    "quiet_hours": 24,
    "sequence": 4402341478406,
}
