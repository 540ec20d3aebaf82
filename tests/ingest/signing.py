"""Deliveries signed as each partner signs them, written here a second time and by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

PUBLIC_URL = "https://feedback.example.com/hooks/here"

SECRETS = {
    # These travel in the body: the sample has its own.
    "livechat": "<secret_key>",
    "bitrix24": "masked-token",
    "basic": "partner:long-password",
    "standard_webhooks": "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode(),
}
DEFAULT_SECRET = "the-secret-that-the-partner-shows"


def secret_of(family: str) -> str:
    return SECRETS.get(family, DEFAULT_SECRET)


def sign(family: str, body: bytes, *, form: bool = False) -> tuple[dict[str, str], bytes]:
    """Headers that prove this body, and the body as it travels (two partners sign inside of it)."""
    key = secret_of(family).encode()
    now = time.time()
    stamp, millis = str(int(now)), str(int(now * 1000))
    match family:
        case "chatwoot":
            signature = "sha256=" + _hex(key, stamp.encode() + b"." + body)
            return {"X-Chatwoot-Timestamp": stamp, "X-Chatwoot-Signature": signature}, body
        case "standard_webhooks":
            raw = base64.b64decode(key.removeprefix(b"whsec_"))
            signed = b"msg_1." + stamp.encode() + b"." + body
            headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp}
            return headers | {"webhook-signature": "v1," + _b64(raw, signed)}, body
        case "hubspot_v3":
            signed = b"POST" + PUBLIC_URL.encode() + body + millis.encode()
            return {
                "X-HubSpot-Request-Timestamp": millis,
                "X-HubSpot-Signature-v3": _b64(key, signed),
            }, body
        case "hub_sha1":
            return {"X-Hub-Signature": "sha1=" + _hex(key, body, "sha1")}, body
        case "meta":
            return {"X-Hub-Signature-256": "sha256=" + _hex(key, body)}, body
        case "segment":
            return {"X-Signature": _hex(key, body, "sha1")}, body
        case "shopify":
            return {"X-Shopify-Hmac-Sha256": _b64(key, body)}, body
        case "surveymonkey":
            return {"Sm-Signature": _b64(key, body, "sha1")}, body
        case "telegram":
            return {"X-Telegram-Bot-Api-Secret-Token": key.decode()}, body
        case "basic":
            return {"Authorization": "Basic " + base64.b64encode(key).decode()}, body
        case "twilio":
            return {"X-Twilio-Signature": _twilio(key, body, form=form)}, body
        case "plivo":
            return _plivo(key, body), body
        case "typeform":
            return {"Typeform-Signature": "sha256=" + _b64(key, body)}, body
        case "viber":
            return {"X-Viber-Content-Signature": _hex(key, body)}, body
        case "zendesk":
            written = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return {
                "X-Zendesk-Webhook-Signature-Timestamp": written,
                "X-Zendesk-Webhook-Signature": _b64(key, written.encode() + body),
            }, body
        case "qualtrics":
            return {}, _qualtrics(key, body)
        case _:
            return {}, body


def _twilio(key: bytes, body: bytes, *, form: bool) -> str:
    text = f"{PUBLIC_URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    if form:
        pairs = sorted(set(parse_qsl(body.decode(), keep_blank_values=True)))
        text = PUBLIC_URL + "".join(name + value for name, value in pairs)
    return _b64(key, text.encode(), "sha1")


def _plivo(key: bytes, body: bytes) -> dict[str, str]:
    pairs = sorted(set(parse_qsl(body.decode(), keep_blank_values=True)))
    text = f"{PUBLIC_URL}?" + "".join(name + value for name, value in pairs) + ".n1"
    headers = {"X-Plivo-Signature-V3-Nonce": "n1"}
    return headers | {"X-Plivo-Signature-V3": _b64(key, text.encode())}


def _qualtrics(key: bytes, body: bytes) -> bytes:
    pairs = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return urlencode(pairs | {"HMAC": _hex(key, pairs["MSG"].encode(), "sha512")}).encode()


def _hex(key: bytes, message: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(key, message, algorithm).hexdigest()


def _b64(key: bytes, message: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(hmac.new(key, message, algorithm).digest()).decode()
