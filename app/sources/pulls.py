"""Sources that are asked: the address of each page, how a request proves itself, where the next page is.

Hosts are constants: a tenant chooses what is asked for, never whom. A source is read by its own adapter.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, assert_never
from urllib.parse import quote, urlencode, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.domain.errors import InvalidError

GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
TOKEN_SECONDS = 900

_HOST_SETTINGS, _HOST_PART = ("datacenter",), re.compile(r"[a-z0-9]{2,12}")
_VALUE = re.compile(r"[A-Za-z0-9._:@~-]{1,200}")
Auth = Literal["bearer", "google", "app_store", "qualtrics"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One HTTP request of a pull."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: Literal["GET", "POST"] = "GET"
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a source is asked. `url` holds the names of the settings in braces.

    `next_key` leads to the token of the next page, sent as `next_parameter`, or to its whole address.
    `newest_first`: a page without anything new ends the pull. `exported`: the partner lists nothing; it is
    asked for an export at `url`, and for its file when that is ready.
    """

    url: str
    settings: tuple[str, ...]
    auth: Auth
    next_key: tuple[str, ...] = ()
    next_parameter: str | None = None
    newest_first: bool = True
    scope: str = ""
    exported: bool = False


RECIPES: Mapping[str, Recipe] = {
    "google_business": Recipe(
        "https://mybusiness.googleapis.com/v4/accounts/{account}/locations/{location}/reviews"
        "?pageSize=50&orderBy=updateTime%20desc",
        ("account", "location"),
        "google",
        ("nextPageToken",),
        "pageToken",
        scope="https://www.googleapis.com/auth/business.manage",
    ),
    "google_play": Recipe(
        "https://androidpublisher.googleapis.com/androidpublisher/v3/applications/{package}/reviews"
        "?maxResults=100",
        ("package",),
        "google",
        ("tokenPagination", "nextPageToken"),
        "token",
        scope="https://www.googleapis.com/auth/androidpublisher",
    ),
    "app_store": Recipe(
        "https://api.appstoreconnect.apple.com/v1/apps/{app}/customerReviews"
        "?sort=-createdDate&limit=100&include=response",
        ("app",),
        "app_store",
        ("links", "next"),
    ),
    "yelp": Recipe(
        "https://api.yelp.com/v3/businesses/{business}/reviews?limit=50&sort_by=newest",
        ("business",),
        "bearer",
    ),
    "google_forms": Recipe(
        "https://forms.googleapis.com/v1/forms/{form}/responses?pageSize=500",
        ("form",),
        "google",
        ("nextPageToken",),
        "pageToken",
        newest_first=False,
        scope="https://www.googleapis.com/auth/forms.responses.readonly",
    ),
    "surveymonkey": Recipe(
        "https://api.surveymonkey.com/v3/surveys/{survey}/responses/bulk"
        "?per_page=50&sort_by=date_modified&sort_order=DESC",
        ("survey",),
        "bearer",
        ("links", "next"),
    ),
    "qualtrics": Recipe(
        "https://{datacenter}.qualtrics.com/API/v3/surveys/{survey}/export-responses",
        ("datacenter", "survey"),
        "qualtrics",
        exported=True,
    ),
}

_CREDENTIALS: Mapping[Auth, tuple[tuple[str, ...], ...]] = {
    "bearer": (("token",),),
    "qualtrics": (("api_token",),),
    "google": (("client_id", "client_secret", "refresh_token"), ("client_email", "private_key")),
    "app_store": (("issuer_id", "key_id", "private_key"),),
}


def get_recipe(adapter: str | None) -> Recipe:
    """The recipe of an adapter. Raises InvalidError for a source that cannot be asked."""
    recipe = RECIPES.get(adapter or "")
    if recipe is None:
        raise InvalidError(
            "not_pulled",
            f"a source of the adapter {adapter!r} sends by itself: there is nothing to pull",
            pointer="/pull",
            cure=f"leave `pull` out; what can be pulled: {', '.join(RECIPES)}",
        )
    return recipe


def check_pull(
    adapter: str | None, settings: Mapping[str, str], credentials: Mapping[str, str] | None
) -> None:
    """Refuse settings or credentials that the recipe could not ask with. Raises InvalidError.

    `credentials` None: those that are stored stay.
    """
    recipe = get_recipe(adapter)
    if set(settings) != set(recipe.settings):
        raise _wrong("/pull/settings", f"the settings are {', '.join(recipe.settings)}")
    for name, value in settings.items():
        if _VALUE.fullmatch(value) is None:
            raise _wrong(f"/pull/settings/{name}", "an id: letters, digits and . _ : @ ~ -")
        if name in _HOST_SETTINGS and _HOST_PART.fullmatch(value) is None:
            raise _wrong(
                f"/pull/settings/{name}", "the name of a data centre, such as fra1: letters and digits"
            )
    if credentials is None:
        return
    forms = _CREDENTIALS[recipe.auth]
    if set(credentials) not in [set(form) for form in forms]:
        wanted = " or ".join(", ".join(form) for form in forms)
        raise _wrong("/credentials", f"the credentials are {wanted}")
    if "private_key" in credentials:
        _private_key(credentials["private_key"])


def first_page(recipe: Recipe, settings: Mapping[str, str]) -> str:
    """The address of the first page."""
    return recipe.url.format(**{name: quote(value, safe="") for name, value in settings.items()})


def next_page(recipe: Recipe, settings: Mapping[str, str], payload: object) -> str | None:
    """The address of the page after this one; None when there is none, or it lies on another host."""
    found: object = payload
    for key in recipe.next_key:
        found = found.get(key) if isinstance(found, Mapping) else None
    if not recipe.next_key or not isinstance(found, str) or not found:
        return None
    first = first_page(recipe, settings)
    if recipe.next_parameter is not None:
        return f"{first}&{urlencode({recipe.next_parameter: found})}"
    same = urlsplit(found)[:2] == urlsplit(first)[:2]
    return found if same else None


def token_request(recipe: Recipe, credentials: Mapping[str, str], now: datetime) -> PullRequest | None:
    """The request that gets an access token, None where credentials are enough by themselves."""
    match recipe.auth:
        case "bearer" | "app_store" | "qualtrics":
            return None
        case "google":
            if "refresh_token" in credentials:
                form = {"grant_type": "refresh_token", **credentials}
            else:
                claims = {"iss": credentials["client_email"], "scope": recipe.scope, "aud": GOOGLE_TOKENS}
                assertion = _jwt({"alg": "RS256"}, claims, credentials["private_key"], now)
                grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
                form = {"grant_type": grant, "assertion": assertion}
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return PullRequest(GOOGLE_TOKENS, kind, "POST", urlencode(form).encode())
        case _:
            assert_never(recipe.auth)


def page_request(
    recipe: Recipe, url: str, credentials: Mapping[str, str], access_token: str | None, now: datetime
) -> PullRequest:
    """The request of a page. `access_token` is what `token_request` was answered with."""
    match recipe.auth:
        case "bearer":
            token = credentials["token"]
        case "qualtrics":
            return PullRequest(url, {"X-API-TOKEN": credentials["api_token"], "Accept": "application/json"})
        case "google":
            token = access_token or ""
        case "app_store":
            head = {"alg": "ES256", "kid": credentials["key_id"]}
            claims = {"iss": credentials["issuer_id"], "aud": "appstoreconnect-v1"}
            token = _jwt(head, claims, credentials["private_key"], now)
        case _:
            assert_never(recipe.auth)
    return PullRequest(url, {"Authorization": f"Bearer {token}", "Accept": "application/json"})


def _jwt(head: Mapping[str, str], claims: Mapping[str, str], pem: str, now: datetime) -> str:
    at = int(now.timestamp())
    parts = [{**head, "typ": "JWT"}, {**claims, "iat": at, "exp": at + TOKEN_SECONDS}]
    signed = b".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    key = _private_key(pem)
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32) + s.to_bytes(32)
    return (signed + b"." + _b64(signature)).decode()


def _private_key(pem: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _wrong("/credentials/private_key", "a private key in PEM, without a password") from error
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
        return key
    raise _wrong("/credentials/private_key", "an RSA or a P-256 key")


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _wrong(pointer: str, cure: str) -> InvalidError:
    return InvalidError("pull_invalid", "the source could not be asked with this", pointer=pointer, cure=cure)
