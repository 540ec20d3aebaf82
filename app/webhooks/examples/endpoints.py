"""What an endpoint is told of itself."""

from __future__ import annotations

from typing import Any

ENDPOINT_FAILING: dict[str, Any] = {
    "endpoint_id": "ep_01kb3v6n8qe5vr2a4d1f7m9xyz",
    "url": "https://crm.example.com/webhooks/vidhuk",
    "failing_since": "2026-11-17T08:00:00Z",
    "failures": 131,
    "percent": 50,
    "disables_at": "2026-11-22T08:00:00Z",
    "sequence": 4402341478402,
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
