"""The published vectors: ours to the letter, and an independent library's too; anybody can check theirs."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook

from app.domain.signature import parse_secret, sign

PAGE = Path(__file__).resolve().parents[2] / "examples" / "webhooks" / "vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(PAGE.read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_published_vector_is_what_we_sign(vector: dict[str, Any]) -> None:
    secrets = [parse_secret(text) for text in vector["secrets"]]
    body = vector["body"].encode()
    signed = sign(vector["webhook_id"], vector["webhook_timestamp"], body, secrets)
    assert signed == vector["webhook_signature"]
    assert sign(vector["webhook_id"], vector["webhook_timestamp"] + 1, body, secrets) != signed


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_independent_libraries_agree(vector: dict[str, Any]) -> None:
    signed = f"{vector['webhook_id']}.{vector['webhook_timestamp']}.{vector['body']}".encode()
    given = dict(part.split(",", 1)[::-1] for part in vector["webhook_signature"].split(" "))
    for public in vector["public_keys"]:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
        signature = next(base64.b64decode(text) for text, scheme in given.items() if scheme == "v1a")
        key.verify(signature, signed)
        with pytest.raises(InvalidSignature):
            key.verify(signature, signed + b" ")
    at = datetime.fromtimestamp(vector["webhook_timestamp"], UTC)
    for secret in (text for text in vector["secrets"] if text.startswith("whsec_")):
        library = Webhook(secret)
        assert library.sign(vector["webhook_id"], at, vector["body"]).partition(",")[2] in given
