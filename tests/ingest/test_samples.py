"""Published payloads of every partner at their inlets, signed: right events once, or kept with a reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sources.registry import ADAPTERS, USUAL_FAMILY
from tests.builders import assert_problem, query
from tests.conftest import Server
from tests.ingest.signing import PUBLIC_URL, secret_of, sign
from tests.ingest.test_partners import open_inlet

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
_FOLDERS = {"facebook_messenger": "messenger"}
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data; boundary=------------------------J1JNT4vbVO4FCC1qLG4HSv"
_TYPES = {
    "webhook_multipart.txt": _MULTIPART,
    "completed_response.txt": _FORM,
    "hangup_callback.txt": _FORM,
    "voice_gather_signature_vector.txt": _FORM,
    "cel_csv.csv": "text/csv",
}
# What each published payload states where the source handles cases; a reason is why it is in quarantine.
STATED: dict[str, list[str] | str] = {
    "amazon_connect/case_updated.txt": ["case.reopened"],
    "amazon_connect/contact_event_connected_to_agent.json": [],
    "amazon_connect/contact_event_disconnected.txt": ["interaction.ended"],
    "amazon_connect/contact_lens_chat_output.txt": ["feedback.received"],
    "app_store/customer_reviews_list.json": ["review.published"],
    "appfollow/review_text.json": ["review.published"],
    "appfollow/sample.json": [],
    "asterisk/ami_originate_with_events.txt": "malformed_json",  # the manager protocol is no webhook
    "asterisk/ami_queue_status.txt": "malformed_json",
    "asterisk/cel_csv.csv": ["interaction.ended"] * 4,
    "binotel/apiCallCompleted.json": ["interaction.ended"],
    "bitrix24/ONOPENLINEMESSAGEADD.json": ["case.customer_contacted"],
    "bitrix24/ONSESSIONFINISH.json": ["interaction.ended"],
    "bitrix24/ONVOXIMPLANTCALLEND.json": [],  # a call that nobody took
    "chatwoot/conversation_opened.json": [],  # what it was before is not told
    "chatwoot/conversation_resolved.json": ["interaction.ended", "case.closed"],
    "chatwoot/conversation_status_changed.json": [],
    "chatwoot/message_created.json": ["case.customer_contacted"],
    "chatwoot/message_updated.json": [],
    "chatwoot/webwidget_triggered.json": [],
    "facebook_messenger/message_echo.json": [],  # our own words
    "facebook_messenger/message_text.json": ["feedback.received"],
    "formbricks/responseCreated.json": ["feedback.received"],
    "formbricks/responseFinished.json": ["feedback.received"],
    "freshdesk/automation_inline_images.json": ["case.opened"],
    "freshdesk/automation_priority_changed.json": ["case.assessed"],
    "freshdesk/automation_private_note.json": [],
    "freshdesk/automation_public_note.json": ["case.replied"],
    "freshdesk/automation_ticket_created.json": ["case.opened"],
    "freshdesk/web_chat_ticket_with_conversations.json": [
        "case.opened",
        "case.replied",
        "case.customer_contacted",
        "case.replied",
        "case.replied",
    ],
    "google_business/reviews_list.json": ["review.published", "review.replied", "review.edited"],
    "google_forms/responses_list.json": ["feedback.received"],
    "google_play/review_with_reply.json": ["review.published", "review.replied"],
    "hubspot/ticket_propertyChange_captured.json": [],  # a property that moves no case
    "intercom/conversation_admin_assigned.json": ["case.assigned"],
    "intercom/conversation_user_created.json": ["case.opened"],
    "intercom/conversation_user_replied.json": ["case.customer_contacted"],
    "intercom/conversation_with_rating_resource.json": ["feedback.received"],
    "intercom/ping.json": [],
    "jotform/submission_api.json": ["feedback.received"],
    "jotform/webhook_multipart.txt": ["feedback.received"],
    "livechat/chat_deactivated.txt": ["interaction.ended"],
    "livechat/incoming_event.txt": "unknown_event",  # a template without its event
    "plivo/hangup_callback.txt": ["interaction.ended"],
    "qualtrics/completed_response.txt": ["survey.answered"],
    "salesforce/case_change_event.json": [],  # the account of a case moves no case
    "segment/track.json": [],  # an event of the tenant's own invention
    "shopify/order.json": ["transaction.completed"],
    "shopify/refund.json": ["order.status_changed"],
    "surveymonkey/response_completed_survey_filter.json": ["survey.answered"],
    "surveymonkey/response_post_result.txt": ["feedback.received"],
    "telegram/callback_query.json": [],  # a menu of the bot: no question is configured
    "telegram/message_reply.json": [],  # commands
    "telegram/message_text.json": [],
    "trustpilot/service_review_events.json": "unknown_event",  # with the review stored beside it
    "twilio/call_quality_feedback.json": ["feedback.received"],
    "twilio/call_resource.json": ["interaction.ended"],
    "twilio/taskrouter_event_resource.json": [],
    "twilio/voice_gather_signature_vector.txt": "question_unknown",
    "typeform/form_response.json": ["feedback.received"],
    "viber/webhook_signature_vector.json": [],
    "whatsapp/flow_completion.json": ["feedback.received"],
    "whatsapp/message_image.json": [],  # without a word
    "whatsapp/message_order.json": [],
    "whatsapp/message_status_sent.json": [],
    "whatsapp/message_text.json": ["feedback.received"],
    "yelp/business_review.json": ["review.published"],
    "zendesk/messaging_ticket_message_added.json": ["case.replied"],
    "zendesk/satisfaction_ratings_list.json": ["feedback.received"] * 2,
    "zendesk/ticket_created.json": ["case.opened"],
}

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample payloads are not here")


def _samples() -> Iterator[tuple[str, str, Path]]:
    for path in sorted(SAMPLES.glob("*/*")):
        adapter = _FOLDERS.get(path.parent.name, path.parent.name)
        name = f"{path.parent.name}/{path.name}"
        if adapter in ADAPTERS and not path.name.startswith("event_object"):  # LiveChat's parts of a webhook
            yield name, adapter, path


def _headers(family: str, path: Path, body: bytes) -> tuple[dict[str, str], bytes]:
    media_type = _TYPES.get(path.name, "application/json")
    headers, body = sign(family, body, form=media_type == _FORM)
    return headers | {"Content-Type": media_type}, body


async def _open(client: httpx.AsyncClient, key: str, adapter: str) -> tuple[str, str]:
    family = USUAL_FAMILY.get(adapter, "none")
    settings: dict[str, Any] = {"verification": family, "time_zone": "Europe/Kyiv", "handles_cases": True}
    if family != "none":
        settings["secrets"] = [secret_of(family)]
    if family in ("plivo", "twilio", "hubspot_v3"):
        settings["public_url"] = PUBLIC_URL
    return await open_inlet(client, key, adapter=adapter, **settings), family


async def test_what_is_published_is_stored_once_or_kept_with_a_reason(
    client: httpx.AsyncClient, server: Server
) -> None:
    seen: dict[str, list[str] | str] = {}
    for number, (name, adapter, path) in enumerate(_samples()):
        key = f"{adapter}-{number}"
        inlet, family = await _open(client, key, adapter)
        headers, body = _headers(family, path, path.read_bytes())
        if family == "twilio" and headers["Content-Type"] != _FORM:
            inlet += f"?bodySHA256={hashlib.sha256(body).hexdigest()}"  # what no form is bound by the URL
        first = await client.post(inlet, content=body, headers=headers)
        again = await client.post(inlet, content=body, headers=headers)
        assert first.status_code == 200, (name, first.text)
        assert first.json() == again.json(), (name, again.text)
        if family != "none":
            bare = {"Content-Type": headers["Content-Type"]}
            forged = body.replace(secret_of(family).encode(), b"wrong").replace(b"HMAC=", b"HMAC=0")
            assert_problem(await client.post(inlet, content=forged, headers=bare), 401, "not_genuine")
        reasons = await query(
            server, "SELECT reason FROM raw_payloads WHERE source = $1 AND state = 'quarantined'", key
        )
        stored = await query(server, "SELECT type FROM events WHERE source = $1 ORDER BY position", key)
        seen[name] = reasons[0]["reason"] if reasons else [row["type"] for row in stored]
    assert {name: _sorted(value) for name, value in seen.items()} == {
        name: _sorted(value) for name, value in STATED.items()
    }


def _sorted(value: list[str] | str) -> list[str] | str:
    return value if isinstance(value, str) else sorted(value)


async def test_what_is_broken_on_its_way_is_kept_and_never_a_500(
    client: httpx.AsyncClient, server: Server
) -> None:
    """Cut short, with a field more, with every top-level value of a wrong type: 200, and nothing is lost."""
    inlets: dict[str, str] = {}
    posted = 0
    for name, adapter, path in _samples():
        if adapter not in inlets:
            inlets[adapter] = await open_inlet(client, adapter, adapter=adapter, time_zone="Europe/Kyiv")
        headers = {"Content-Type": _TYPES.get(path.name, "application/json")}
        for body in _broken(path.read_bytes(), headers["Content-Type"]):
            answer = await client.post(inlets[adapter], content=body, headers=headers)
            assert answer.status_code == 200, (name, answer.text)
            posted += 1
    kept = await query(server, "SELECT state, reason FROM raw_payloads")
    assert len(kept) == posted
    assert all(row["reason"] for row in kept if row["state"] == "quarantined")
    assert not [row for row in kept if row["reason"] == "adapter_failed"]


def _broken(body: bytes, media_type: str) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    if media_type == _FORM:
        yield body + b"&zz_new_field=1"
        return
    try:
        document = json.loads(body)
    except ValueError:
        return
    if isinstance(document, dict):
        yield json.dumps(document | {"zz_new_field": {"a": [1]}}).encode()
        yield from (json.dumps(document | {key: [["wrong"]]}).encode() for key in list(document)[:2])
