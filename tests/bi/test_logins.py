"""Report logins are made, limited, listed and taken back."""

from uuid import uuid4

import asyncpg
import pytest

from app.bi.logins import Limits, list_logins, login_name, revoke_login
from app.bi.scram import verifier_of
from app.domain.errors import ConflictError, InvalidError, NotFoundError

from .conftest import connected, grant


async def test_a_login_is_granted_once_listed_and_revoked_with_its_sessions(server):
    tenant_id, label = uuid4(), "tableau"
    url = await grant(server, tenant_id, label, Limits(connections=1))
    with pytest.raises(ConflictError) as twice:
        await grant(server, tenant_id, label)
    assert twice.value.reason == "login_exists"
    session = await asyncpg.connect(url)
    with pytest.raises(asyncpg.TooManyConnectionsError):
        await asyncpg.connect(url)
    assert [
        (login.label, login.connections, login.open_sessions)
        for login in await list_logins(server.owner, tenant_id)
    ] == [(label, 1, 1)]
    assert await revoke_login(server.owner, tenant_id, label) == 1
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await session.fetchval("SELECT 1")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(url)
    assert await list_logins(server.owner, tenant_id) == []
    with pytest.raises(NotFoundError):
        await revoke_login(server.owner, tenant_id, label)


async def test_a_login_of_a_tenant_that_is_not_there_sees_nothing(server):
    tenant_id = uuid4()
    url = await grant(server, tenant_id, "x")
    async with connected(url) as connection:
        assert await connection.fetchval("SELECT count(*) FROM bi.tenant") == 0
    await revoke_login(server.owner, tenant_id, "x")


@pytest.mark.parametrize("label", ["", "A", "a-b", "a b", "x" * 28, 'a"; DROP ROLE postgres', "ä"])
def test_a_label_that_is_no_plain_name_is_refused(label):
    with pytest.raises(InvalidError):
        login_name(uuid4(), label)


def test_the_longest_name_fits_into_a_name_of_postgresql():
    assert len(login_name(uuid4(), "x" * 27)) == 63


def test_the_verifier_is_the_one_of_the_standard():
    # RFC 7677, section 3: user `user`, password `pencil`, this salt, 4096 rounds; its signature of the server
    # follows from ServerKey, which is the last part.
    import base64
    import hashlib
    import hmac

    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    head, _, server_key = verifier_of("pencil", salt).rpartition(":")
    assert head.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    signature = hmac.digest(base64.b64decode(server_key), message, hashlib.sha256)
    assert base64.b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
