"""The shapes of a body: full and thin, Standard Webhooks and CloudEvents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.outgoing import Format, Payload, render

TENANT = UUID("01900000-0000-7000-8000-000000000001")
BODY: dict[str, Any] = {
    "type": "sla.breached",
    "timestamp": "2026-11-22T12:15:00Z",
    "data": {
        "subject": {"kind": "case", "id": "case_1", "refs": ["crm-1"]},
        "facts": {"employee": "olena"},
        "sequence": 7,
    },
}


def rendered(payload: Payload, form: Format, body: dict[str, Any] = BODY) -> dict[str, Any]:
    return render(body, payload, form, tenant_id=TENANT, event_id="evt_1")


def test_the_full_standard_body_is_the_stored_one() -> None:
    assert rendered(Payload.FULL, Format.STANDARD) == BODY


def test_a_thin_body_holds_ids_and_nothing_of_a_person() -> None:
    thin = rendered(Payload.THIN, Format.STANDARD)
    assert thin == {
        "type": "sla.breached",
        "timestamp": "2026-11-22T12:15:00Z",
        "data": {"event_id": "evt_1", "sequence": 7, "subject": {"kind": "case", "id": "case_1"}},
    }


def test_a_thin_case_event_names_its_case() -> None:
    body = {
        **BODY,
        "data": {"case": {"id": "case_1", "employee": "olena"}, "event_id": "evt_9", "ref": "crm-1"},
    }
    assert rendered(Payload.THIN, Format.STANDARD, body)["data"] == {
        "event_id": "evt_9",
        "subject": {"kind": "case", "id": "case_1"},
    }


def test_a_cloud_event_has_the_required_attributes_and_none_that_is_null() -> None:
    event = rendered(Payload.FULL, Format.CLOUDEVENTS)
    assert event == {
        "specversion": "1.0",
        "id": "evt_1",
        "source": f"urn:uuid:{TENANT}",
        "type": "sla.breached",
        "subject": "case_1",
        "time": "2026-11-22T12:15:00Z",
        "sequence": "7",
        "datacontenttype": "application/json",
        "data": BODY["data"],
    }
    bare = rendered(Payload.THIN, Format.CLOUDEVENTS, {**BODY, "data": {"endpoint_id": "ep_1"}})
    assert bare["subject"] == "ep_1"
    assert "sequence" not in bare
    assert bare["data"] == {"event_id": "evt_1", "endpoint_id": "ep_1"}


def test_each_format_has_its_media_type() -> None:
    assert Format.STANDARD.content_type == "application/json"
    assert Format.CLOUDEVENTS.content_type == "application/cloudevents+json"
