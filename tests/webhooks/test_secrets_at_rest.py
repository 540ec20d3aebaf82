"""No secret stands in clear in any table: every text, document and byte string is searched."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx

from tests.builders import query, rating
from tests.conftest import Server
from tests.ingest.test_pulls import SECRET as CREDENTIALS
from tests.ingest.test_pulls import SOURCE as PULLED
from tests.receiver import Receiver, status
from tests.webhooks.conftest import SECRET, Outlet

SECOND = "whsec_" + base64.b64encode(bytes(range(100, 132))).decode()
HEADER = "hunter2-of-the-custom-header"
INLET = "secret-that-a-partner-shows"
PULL = "token-that-we-show-to-a-partner"
_COLUMNS = """
SELECT c.relname AS table, a.attname AS column, a.atttypid::regtype::text AS type
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
   AND a.atttypid::regtype::text IN ('text', 'text[]', 'bytea', 'json', 'jsonb', 'character varying', 'name')
"""


async def everything(server: Server) -> dict[str, bytes]:
    """What each column holds, as bytes; `table.column` -> all its values."""
    found = {}
    for row in await query(server, _COLUMNS):
        cast = "{}" if row["type"] == "bytea" else "convert_to({}::text, 'UTF8')"
        value = cast.format('"' + row["column"] + '"')
        values = await query(server, f'SELECT {value} AS v FROM "{row["table"]}" WHERE {value} IS NOT NULL')
        found[f"{row['table']}.{row['column']}"] = b"\n".join(item["v"] for item in values)
    return found


def spellings(secret: str) -> set[bytes]:
    """A secret as it is, in hex, in base64 and reversed from base64."""
    plain = secret.encode()
    forms = {plain, plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")[:-1]}
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        forms |= {key, key.hex().encode(), secret.removeprefix("whsec_").encode().rstrip(b"=")}
    return forms


def places(stored: dict[str, bytes], secret: str) -> set[str]:
    return {name for name, value in stored.items() for form in spellings(secret) if form in value}


async def test_no_secret_stands_in_clear_in_any_column_of_any_table(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, server: Server
) -> None:
    url = receiver.on("/hook", status(500))
    wanted: dict[str, Any] = {"url": url, "secret": SECRET.text, "headers": {"X-Key": HEADER}}
    made = await client.post("/v1/webhooks/endpoints", json={**wanted, "description": "in clear"})
    assert made.status_code == 201, made.text
    path = f"/v1/webhooks/endpoints/{made.json()['id']}"
    for rotation in ({"secret": SECOND}, {"signature": "ed25519"}):
        rotated = await client.post(f"{path}/rotate-secret", json=rotation)
        assert rotated.is_success, rotated.text
    source = {"adapter": "chatwoot", "verification": "secret_header", "secrets": [INLET]}
    assert (await client.put("/v1/sources/chat", json=source)).is_success
    inlet = (await client.post("/v1/sources/chat/token")).json()["path"]
    delivery = await client.post(inlet, content=b"{}", headers={"X-Webhook-Secret": INLET})
    assert delivery.status_code == 200, delivery.text
    pulled = {**PULLED, "credentials": {**CREDENTIALS, "client_secret": PULL}}
    asked = await client.put("/v1/sources/forms", json=pulled)
    assert asked.is_success, asked.text
    key = (await client.post("/v1/keys", json={"name": "till", "scopes": ["events:write"]})).json()["key"]
    sent = await client.post("/v1/events", json=rating("f1", 2), headers={"Authorization": f"Bearer {key}"})
    assert sent.status_code == 201
    assert (await client.post(f"{path}/test", json={})).is_success
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    assert receiver.arrivals()[0].headers["x-key"] == HEADER  # it was opened and sent

    stored = await everything(server)
    known = [SECRET.text, SECOND, HEADER, INLET, PULL, key, inlet.removeprefix("/in/")]
    assert all(len(secret) > 20 for secret in known)
    assert {secret: places(stored, secret) for secret in known} == {secret: set() for secret in known}
    # the search finds what does stand there: in text, in documents, in bytes
    assert places(stored, "in clear") == {"endpoints.description"}
    assert "message_bodies.body" in places(stored, '"type":"sla.breached"')
    assert any(hashlib.sha256(key.encode()).digest() in value for value in stored.values())
