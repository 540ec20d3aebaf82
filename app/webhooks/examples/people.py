"""What is told of asking, of silence and of forgetting."""

from __future__ import annotations

from typing import Any


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
