"""How sources are asked: addresses, proofs, the page after this one; all without a network."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from app.domain.errors import InvalidError
from app.sources.pulls import (
    GOOGLE_TOKENS,
    RECIPES,
    check_pull,
    first_page,
    next_page,
    page_request,
    token_request,
)
from app.sources.registry import ADAPTERS
from tests.sources.conftest import RECEIVED_AT

_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_EC = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(key.private_bytes(*form).decode())


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    return json.loads(head), json.loads(claims), token.rpartition(".")[0].encode(), signature


def test_every_recipe_has_an_adapter_and_takes_its_settings() -> None:
    for name, recipe in RECIPES.items():
        assert name in ADAPTERS
        settings = dict.fromkeys(recipe.settings, "a:b") | {"datacenter": "fra1"}
        address = first_page(recipe, settings)
        assert address.startswith("https://") and "a%3Ab" in address and "{" not in address


@pytest.mark.parametrize("name", ["evil.example#", "fra1.evil", "127.0.0.1", "FRA1", "a"])
def test_no_setting_leads_to_another_host(name: str) -> None:
    settings = {"datacenter": "fra1", "survey": "SV_1"}
    check_pull("qualtrics", settings, {"api_token": "t"})
    with pytest.raises(InvalidError):
        check_pull("qualtrics", settings | {"datacenter": name}, {"api_token": "t"})


def test_a_service_account_asks_google_for_a_token_that_its_public_key_proves() -> None:
    credentials = {"client_email": "reader@x.example", "private_key": pem(_RSA)}
    request = token_request(RECIPES["google_play"], credentials, RECEIVED_AT)
    assert request is not None and (request.url, request.method) == (GOOGLE_TOKENS, "POST")
    (assertion,) = parse_qs((request.body or b"").decode())["assertion"]
    head, claims, signed, signature = parts(assertion)
    _RSA.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    assert (head["alg"], claims["aud"], claims["exp"] - claims["iat"]) == ("RS256", GOOGLE_TOKENS, 900)
    assert claims["scope"].endswith("/androidpublisher")


def test_app_store_connect_is_asked_with_a_signed_token() -> None:
    credentials = {"issuer_id": "i", "key_id": "K1", "private_key": pem(_EC)}
    recipe = RECIPES["app_store"]
    assert token_request(recipe, credentials, RECEIVED_AT) is None
    request = page_request(recipe, first_page(recipe, {"app": "7"}), credentials, None, RECEIVED_AT)
    head, claims, signed, signature = parts(request.headers["Authorization"].removeprefix("Bearer "))
    both = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    _EC.public_key().verify(both, signed, ec.ECDSA(hashes.SHA256()))
    assert (head["kid"], claims["aud"], len(signature)) == ("K1", "appstoreconnect-v1", 64)


def test_the_next_page_is_a_token_or_an_address_of_the_same_host() -> None:
    google, store = RECIPES["google_business"], RECIPES["app_store"]
    where = {"account": "1", "location": "2"}
    assert (next_page(google, where, {"nextPageToken": "a/b"}) or "").endswith("&pageToken=a%2Fb")
    own = "https://api.appstoreconnect.apple.com/v1/apps/7/customerReviews?cursor=x"
    assert next_page(store, {"app": "7"}, {"links": {"next": own}}) == own
    for elsewhere in ("https://evil.example/v1", "http://api.appstoreconnect.apple.com/v1", "", 5, None, {}):
        assert next_page(store, {"app": "7"}, {"links": {"next": elsewhere}}) is None
    for strange in (None, [], "x", {"links": []}):
        assert next_page(store, {"app": "7"}, strange) is None
    assert next_page(RECIPES["yelp"], {"business": "x"}, {"next": "y"}) is None


@pytest.mark.parametrize(
    ("adapter", "settings", "credentials", "pointer"),
    [
        ("chatwoot", {}, None, "/pull"),
        ("yelp", {}, None, "/pull/settings"),
        ("yelp", {"business": "a/../b"}, None, "/pull/settings/business"),
        ("yelp", {"business": "a"}, {"password": "x"}, "/credentials"),
        (
            "google_play",
            {"package": "a"},
            {"client_email": "x", "private_key": "no"},
            "/credentials/private_key",
        ),
    ],
)
def test_what_could_not_be_asked_is_refused_with_its_place(
    adapter: str, settings: dict[str, str], credentials: dict[str, str] | None, pointer: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        check_pull(adapter, settings, credentials)
    assert refused.value.pointer == pointer
    check_pull("yelp", {"business": "la-palma"}, {"token": "t"})
