"""Genuine deliveries pass, everything else is a VerificationError and never another exception."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from app.domain.errors import InvalidError
from app.sources.delivery import Delivery
from app.sources.signatures import FAMILIES, get_family
from app.sources.verification import VerificationError, verify

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
SECRET = "s3cr3t-з-кирилицею"
OLD_SECRET = "the one before"
BODY = '{"event":"message_created","content":"добрий день"}'.encode()


def _hex(key: str, message: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(key.encode(), message, algorithm).hexdigest()


def _b64(key: str, message: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(hmac.new(key.encode(), message, algorithm).digest()).decode()


def _chatwoot(secret: str = SECRET, at: datetime = NOW, body: bytes = BODY) -> Delivery:
    stamp = str(int(at.timestamp()))
    signature = "sha256=" + _hex(secret, stamp.encode() + b"." + body)
    return Delivery({"x-chatwoot-signature": signature, "x-chatwoot-timestamp": stamp}, body)


def _refusal(family: str, delivery: Delivery, *secrets: str, now: datetime = NOW) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(get_family(family), delivery, secrets, now)
    return caught.value.reason


def test_a_chatwoot_delivery_is_proven_by_its_secret() -> None:
    verify(get_family("chatwoot"), _chatwoot(), [SECRET], NOW)


def test_both_secrets_of_a_rotation_are_good_and_a_retired_one_is_not() -> None:
    for signer in (SECRET, OLD_SECRET):
        verify(get_family("chatwoot"), _chatwoot(signer), [SECRET, OLD_SECRET], NOW)
    assert _refusal("chatwoot", _chatwoot(OLD_SECRET), SECRET) == "signature_mismatch"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_delivery_inside_the_window_passes(seconds: int) -> None:
    verify(get_family("chatwoot"), _chatwoot(at=NOW + timedelta(seconds=seconds)), [SECRET], NOW)


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(-301, "timestamp_too_old"), (301, "timestamp_in_future"), (-86_400, "timestamp_too_old")],
)
def test_a_delivery_outside_the_window_is_refused(seconds: int, reason: str) -> None:
    assert _refusal("chatwoot", _chatwoot(at=NOW + timedelta(seconds=seconds)), SECRET) == reason


def test_moving_the_timestamp_breaks_the_signature() -> None:
    old = _chatwoot(at=NOW - timedelta(hours=1))
    moved = Delivery({**old.headers, "x-chatwoot-timestamp": str(int(NOW.timestamp()))}, old.body)
    assert _refusal("chatwoot", moved, SECRET) == "signature_mismatch"


def test_a_body_written_anew_is_refused_even_when_it_means_the_same() -> None:
    rewritten = json.dumps(json.loads(BODY)).encode()
    assert rewritten != BODY
    assert _refusal("chatwoot", Delivery(_chatwoot().headers, rewritten), SECRET) == "signature_mismatch"
    assert (
        _refusal("chatwoot", Delivery(_chatwoot().headers, b"\xef\xbb\xbf" + BODY), SECRET)
        == "signature_mismatch"
    )


def test_a_source_without_a_live_secret_refuses_everything() -> None:
    for name, family in FAMILIES.items():
        if name == "none":
            verify(family, Delivery({}, BODY), [], NOW)
        else:
            assert _refusal(name, _chatwoot("")) == "no_live_secret"
            assert _refusal(name, _chatwoot(""), "") == "no_live_secret"


HOSTILE = [
    "",
    " ",
    "sha256=",
    "sha256",
    "v1,",
    "v1,a,b",
    "garbage",
    "sha256=" + "0" * 63,
    "sha256=" + "0" * 65,
    "sha256=" + "zz" * 32,
    "sha1=" + "0" * 40,
    "SHA256=" + "0" * 64,
    "sha256=" + " 0" * 64,
    "підпис",
    "\u00ff\u00fe",
    "\ud800",
    "v1," + "=" * 44,
    " ".join(["v1," + "A" * 43 + "="] * 100),
    "Basic",
    "Basic ===",
    "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    "Bearer x",
    "a" * 100_000,
]


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"none"}))
def test_no_hostile_signature_passes_or_raises_anything_else(name: str) -> None:
    family = get_family(name)
    stamp = str(int(NOW.timestamp()))
    for value in HOSTILE:
        headers = dict.fromkeys(
            [
                "authorization",
                "webhook-signature",
                "x-signature",
                "x-webhook-secret",
                "x-chatwoot-signature",
                "x-hub-signature-256",
                "x-hub-signature",
                "x-viber-content-signature",
                "x-shopify-hmac-sha256",
                "typeform-signature",
                "x-zendesk-webhook-signature",
                "x-square-hmacsha256-signature",
                "x-hubspot-signature",
                "x-hubspot-signature-v3",
                "x-twilio-signature",
                "sm-signature",
                "x-telegram-bot-api-secret-token",
            ],
            value,
        )
        stamps = {
            "webhook-id": "msg_1",
            "webhook-timestamp": stamp,
            "x-timestamp": stamp,
            "x-chatwoot-timestamp": stamp,
        }
        field = {"HMAC": value.encode("utf-8", "replace").decode(), "MSG": "m"}
        for body in (BODY, urlencode(field).encode(), b"", b"\xff\xfe", b"[" * 100_000, b"a=%ff&" * 500):
            with pytest.raises(VerificationError):
                verify(family, Delivery({**headers, **stamps}, body), [SECRET, "whsec_" + "QUJD" * 8], NOW)


@pytest.mark.parametrize("stamp", ["", "now", "١٧٦٨٠٤٦٤٠٠", "1e9", "-1", "9" * 30, "9" * 5000, "\ud800"])
def test_a_hostile_timestamp_is_refused(stamp: str) -> None:
    signature = "sha256=" + _hex(SECRET, stamp.encode("utf-8", "surrogatepass") + b"." + BODY)
    delivery = Delivery({"x-chatwoot-signature": signature, "x-chatwoot-timestamp": stamp}, BODY)
    assert _refusal("chatwoot", delivery, SECRET).startswith(("timestamp_", "signature_"))


@given(st.text(max_size=200), st.text(max_size=40), st.binary(max_size=200))
def test_nothing_that_was_not_signed_is_ever_taken(signature: str, stamp: str, body: bytes) -> None:
    headers = {"x-chatwoot-signature": signature, "x-chatwoot-timestamp": stamp, "authorization": signature}
    for family in ("chatwoot", "basic"):
        with pytest.raises(VerificationError):
            verify(get_family(family), Delivery(headers, body), [SECRET], NOW)


def test_standard_webhooks_are_verified_as_the_reference_library_signs_them() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": "v1a,ignored v1,AAAA " + Webhook(secret).sign("msg_1", NOW, BODY.decode()),
    }
    verify(get_family("standard_webhooks"), Delivery(headers, BODY), ["whsec_!!!", secret], NOW)
    dotted = {
        **headers,
        "webhook-id": "msg.1",
        "webhook-signature": Webhook(secret).sign("msg.1", NOW, BODY.decode()),
    }
    assert _refusal("standard_webhooks", Delivery(dotted, BODY), secret) == "signed_part_malformed"
    assert (
        _refusal("standard_webhooks", Delivery({**headers, "webhook-id": "msg_2"}, BODY), secret)
        == "signature_mismatch"
    )


def test_square_signs_the_public_url_and_not_the_one_behind_a_proxy() -> None:
    url = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"
    body = b'{"hello":"world"}'
    signature = _b64("key", url.encode() + body)
    delivery = Delivery({"x-square-hmacsha256-signature": signature}, body, url=url)
    verify(get_family("square"), delivery, ["key"], NOW)
    behind_proxy = Delivery(delivery.headers, body, url="http://10.0.0.7/in/x")
    assert _refusal("square", behind_proxy, "key") == "signature_mismatch"


def test_twilio_signs_the_url_and_the_sorted_form() -> None:
    url = "https://example.com/in/token?x=1"
    form = {"To": "+18005551212", "From": "+14158675309", "Body": "дякую & бувайте"}
    message = url + "".join(key + form[key] for key in sorted(form))
    delivery = Delivery(
        {"x-twilio-signature": _b64("tok", message.encode(), "sha1")}, urlencode(form).encode(), url=url
    )
    verify(get_family("twilio"), delivery, ["tok"], NOW)
    assert _refusal("twilio", Delivery(delivery.headers, BODY, url=url), "tok") == "delivery_unreadable"


def test_hubspot_v3_signs_method_uri_body_and_time() -> None:
    url, stamp = "https://example.com/in/token", str(int(NOW.timestamp() * 1000))
    signature = _b64("app", f"POST{url}".encode() + BODY + stamp.encode())
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp}
    verify(get_family("hubspot_v3"), Delivery(headers, BODY, url=url), ["app"], NOW)
    assert (
        _refusal("hubspot_v3", Delivery(headers, BODY, method="PUT", url=url), "app") == "signature_mismatch"
    )


def test_the_plain_hash_of_hubspot_v1_is_not_an_hmac() -> None:
    digest = hashlib.sha256(b"app" + BODY).hexdigest()
    verify(get_family("hubspot_v1"), Delivery({"x-hubspot-signature": digest}, BODY), ["app"], NOW)
    keyed = Delivery({"x-hubspot-signature": _hex("app", BODY)}, BODY)
    assert _refusal("hubspot_v1", keyed, "app") == "signature_mismatch"


def test_zendesk_signs_an_iso_time_before_the_body() -> None:
    stamp = "2026-01-10T11:58:00Z"
    headers = {
        "x-zendesk-webhook-signature": _b64("z", stamp.encode() + BODY),
        "x-zendesk-webhook-signature-timestamp": stamp,
    }
    verify(get_family("zendesk"), Delivery(headers, BODY), ["z"], NOW)
    assert (
        _refusal("zendesk", Delivery(headers, BODY), "z", now=NOW + timedelta(hours=1)) == "timestamp_too_old"
    )


@pytest.mark.parametrize(
    ("name", "header", "signature"),
    [
        ("hmac_hex_body", "x-signature", _hex("k", BODY)),
        ("hmac_hex_body", "x-signature", _hex("k", BODY).upper()),
        ("hmac_base64_body", "x-signature", _b64("k", BODY)),
        ("meta", "x-hub-signature-256", "sha256=" + _hex("k", BODY)),
        ("viber", "x-viber-content-signature", _hex("k", BODY)),
        ("hub_sha1", "x-hub-signature", "sha1=" + _hex("k", BODY, "sha1")),
        ("segment", "x-signature", _hex("k", BODY, "sha1")),
        ("shopify", "x-shopify-hmac-sha256", _b64("k", BODY)),
        ("typeform", "typeform-signature", "sha256=" + _b64("k", BODY)),
        ("surveymonkey", "sm-signature", _b64("k", BODY, "sha1")),
        ("telegram", "x-telegram-bot-api-secret-token", "k"),
        ("secret_header", "x-webhook-secret", "k"),
        ("basic", "authorization", "Basic " + base64.b64encode(b"vidhuk:pass:word").decode()),
        ("basic", "authorization", "basic " + base64.b64encode(b"vidhuk:pass:word").decode()),
    ],
)
def test_each_body_family_takes_its_own_proof_and_no_other(name: str, header: str, signature: str) -> None:
    secret = "vidhuk:pass:word" if name == "basic" else "k"
    verify(get_family(name), Delivery({header: signature}, BODY), [secret], NOW)
    assert _refusal(name, Delivery({header: signature}, BODY), secret + "x").endswith("_mismatch")
    if name not in ("telegram", "secret_header", "basic"):
        assert _refusal(name, Delivery({header: signature}, BODY + b" "), secret) == "signature_mismatch"


def test_proofs_that_lie_inside_the_body_are_found_there() -> None:
    message = "SurveyID=SV_1&Status=Complete"
    form = urlencode({"MSG": message, "HMAC": _hex("q", message.encode(), "sha512")}).encode()
    verify(get_family("qualtrics"), Delivery({}, form), ["q"], NOW)
    assert (
        _refusal("qualtrics", Delivery({}, form.replace(b"Complete", b"Partial")), "q")
        == "signature_mismatch"
    )
    verify(get_family("livechat"), Delivery({}, b'{"secret_key":"q"}'), ["q"], NOW)
    assert _refusal("livechat", Delivery({}, b'{"secret_key":["q"]}'), "q") == "secret_missing"
    verify(get_family("bitrix24"), Delivery({}, b"auth%5Bapplication_token%5D=q"), ["q"], NOW)


def test_a_family_can_read_its_proof_from_another_header() -> None:
    family = get_family("hmac_hex_body", header="X-Acme-Sign")
    verify(family, Delivery({"x-acme-sign": _hex("k", BODY)}, BODY), ["k"], NOW)
    with pytest.raises(InvalidError) as caught:
        get_family("basic", header="x-acme-sign")
    assert caught.value.reason == "verification_has_no_header"


def test_an_unknown_family_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidError) as caught:
        get_family("chatwot")
    assert caught.value.cure == "Did you mean 'chatwoot'?"
