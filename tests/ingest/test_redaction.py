"""What is kept of a body: everything but the secrets and the tokens that travelled in it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from app.ingest.redaction import without_secrets
from app.sources.delivery import FormField
from app.sources.signatures import EchoedSecret, Unsigned

FORM = "application/x-www-form-urlencoded"
BITRIX = EchoedSecret(FormField("auth[application_token]"))


def test_every_token_of_a_bitrix_form_is_masked_and_the_rest_stays() -> None:
    fields = {
        "event": "ONSESSIONFINISH",
        "data[DATA][0][session][id]": "42",
        "auth[access_token]": "s6p6eclrvim",
        "auth[refresh_token]": "4s386p3q0tr8",
        "auth[application_token]": "51856fefc120",
        "auth[domain]": "some.bitrix24.com",
    }
    for body in (urlencode(fields), "&".join(f"{key}={value}" for key, value in fields.items())):
        kept = without_secrets(BITRIX, ["51856fefc120"], body.encode(), FORM).decode()
        assert not [secret for secret in ("s6p6", "4s386", "51856") if secret in kept]
        assert "some.bitrix24.com" in kept and "=42" in kept and kept.count("***") == 3


def test_tokens_of_a_json_body_are_masked_and_it_is_json_still() -> None:
    told = {"auth": {"access_token": 'a"b\\', "Refresh_Token": "x"}, "text": "access_token: mine", "n": None}
    kept = json.loads(
        without_secrets(Unsigned(), [], json.dumps(told, indent=1).encode(), "application/json")
    )
    assert kept == {
        "auth": {"access_token": "***", "Refresh_Token": "***"},
        "text": "access_token: mine",
        "n": None,
    }


def test_a_body_without_any_stays_as_it_came() -> None:
    for body, kind in (
        (b'{"a": "token"}', "application/json"),
        (b"a=1&token=2", FORM),
        (b"\xff", "text/csv"),
    ):
        assert without_secrets(Unsigned(), ["token"], body, kind) == body
