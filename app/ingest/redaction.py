"""A delivery's body as it may be kept: without the secrets and the credentials that travelled in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote_plus

from app.kit import json
from app.sources.delivery import FormField, JsonField
from app.sources.signatures import EchoedSecret, Family

MASK = b"***"
_NAMES = rb"access_token|refresh_token|application_token|id_token|client_secret|secret_key|api_key|apikey"
# Bitrix24 sends the tokens of its own account with every event: who reads the raw store could act as it.
_IN_JSON = re.compile(rb'("(?:' + _NAMES + rb')"\s*+:\s*+")((?:[^"\\]++|\\.)*+)(?=")', re.IGNORECASE)
_IN_FORM = re.compile(
    rb"((?:^|&)(?:[^=&]*?(?:\[|%5B))?(?:" + _NAMES + rb")(?:\]|%5D)?=)[^&]*+", re.IGNORECASE
)


def without_secrets(family: Family, secrets: Sequence[str], body: bytes, content_type: str) -> bytes:
    """The body with `***` where a partner wrote out its secret, or a credential of its account."""
    if isinstance(family, EchoedSecret) and isinstance(family.place, JsonField | FormField):
        for secret in secrets:
            for written in (secret, quote_plus(secret), json.dumps_text(secret)[1:-1]):
                body = body.replace(written.encode("utf-8", "surrogatepass"), MASK)
    if body.lstrip()[:1] in (b"{", b"["):
        return _IN_JSON.sub(rb"\1" + MASK, body)
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _IN_FORM.sub(rb"\1" + MASK, body)
    return body
