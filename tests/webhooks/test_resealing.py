"""Changing the master key: everything sealed is sealed anew, and opens without the old key."""

from __future__ import annotations

import base64

import pytest

from app.command_line.resealing import Resealer
from app.ingest.adapting import secret_context as source_context
from app.kit.crypto import Sealer, SealError, generate_master_key, key_id_of
from app.webhooks.keyring import open_headers, open_secret
from tests.conftest import MASTER_KEY
from tests.receiver import Receiver
from tests.webhooks.conftest import SECRET, Outlet

NEW = generate_master_key("new")

_SOURCE = """
INSERT INTO sources (tenant_id, key, verification, sealed_secrets, defaults, handles_cases, grace_seconds,
                     backdate_bound_seconds, created_at)
VALUES ($1, 'chat', 'none', jsonb_build_array($2::text), '{}', false, 0, 0, now())
"""


async def test_after_resealing_the_new_key_alone_opens_everything_and_the_old_one_nothing(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.url(), headers={"X-Key": "hunter2"})
    tenant_id, old, both, new = (
        outlet.tenant.tenant_id,
        Sealer([MASTER_KEY]),
        Sealer([NEW, MASTER_KEY]),
        Sealer([NEW]),
    )
    proof = base64.b64encode(old.seal(b"proof", source_context(tenant_id, "chat"))).decode()
    async with outlet.database.write(tenant_id) as tx:
        await tx.execute(_SOURCE, tenant_id, proof)

    tally = await Resealer(outlet.database, both).run()
    assert (tally.resealed, tally.unreadable) == (4, 0)
    async with outlet.database.operator() as connection:
        query = "SELECT sealed_secret FROM tenants"
        tenant = (await connection.exec_driver_sql(query)).scalar_one()
    async with outlet.database.write(tenant_id) as tx:
        (stored,) = await tx.fetchval("SELECT sealed_secrets FROM sources")
    (secret,) = await outlet.sql("SELECT sealed, key_id FROM endpoint_secrets")
    headers = (await outlet.endpoint_row(endpoint_id))["sealed_headers"]
    assert len(new.open(tenant, tenant_id.bytes)) >= 16
    assert new.open(base64.b64decode(stored), source_context(tenant_id, "chat")) == b"proof"
    assert open_secret(new, endpoint_id, secret["sealed"]) == SECRET
    assert secret["key_id"] == key_id_of(secret["sealed"]) == "new"
    assert open_headers(new, endpoint_id, headers) == {"X-Key": "hunter2"}
    with pytest.raises(SealError):
        open_headers(old, endpoint_id, headers)
    assert (await Resealer(outlet.database, both).run()).resealed == 0


async def test_what_no_key_opens_is_counted_and_left_as_it_is(outlet: Outlet, receiver: Receiver) -> None:
    endpoint_id = await outlet.endpoint(receiver.url())
    (before,) = await outlet.sql("SELECT sealed FROM endpoint_secrets")
    tally = await Resealer(outlet.database, Sealer([NEW])).run()
    assert (tally.resealed, tally.unreadable) == (0, 2)
    (after,) = await outlet.sql("SELECT sealed FROM endpoint_secrets")
    assert after["sealed"] == before["sealed"]
    assert open_secret(Sealer([MASTER_KEY]), endpoint_id, after["sealed"]) == SECRET
