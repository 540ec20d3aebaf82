"""Creates the demonstration tenant and fills in its history, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from app.auth import Scope, generate_key
from app.demo.history import Histories, synthetic_events
from app.domain.errors import NotFoundError
from app.domain.events import Event
from app.ingest.reading import event_of
from app.ingest.results import Status, Terms
from app.tenants.repository import get_tenant, insert_key, insert_tenant
from app.wiring import Services

TENANT_KEY = "demo"
TIME_ZONE = "Europe/Kyiv"
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration tenant and a key that may do everything in it."""

    tenant_id: UUID
    key: str
    events: int


async def seed_demo(services: Services, home: Path, progress: Callable[[int], None]) -> Demo:
    """The tenant with its history; on a second start it is found as it was left."""
    key_file = home / "demo.key"
    try:
        tenant_id = (await get_tenant(services.database, TENANT_KEY)).tenant_id
    except NotFoundError:
        tenant_id = await insert_tenant(
            services.database,
            services.sealer,
            key=TENANT_KEY,
            name="Demo shop (synthetic)",
            time_zone=TIME_ZONE,
            synthetic=True,
            now=services.clock(),
        )
        key_file.unlink(missing_ok=True)
    if not key_file.exists():
        key_file.touch(mode=0o600)
        key_file.write_text(await _make_key(services, tenant_id))
    stored = await _fill(services, tenant_id, home, progress)
    return Demo(tenant_id, key_file.read_text(), stored)


async def _make_key(services: Services, tenant_id: UUID) -> str:
    new = generate_key("demo")
    async with services.database.operator() as connection:
        await insert_key(
            connection,
            tenant_id,
            new,
            name="demo",
            scopes=[Scope.ADMIN.value],
            expires_at=None,
            now=services.clock(),
        )
    return new.text


async def _fill(services: Services, tenant_id: UUID, home: Path, progress: Callable[[int], None]) -> int:
    """Post the history; it is idempotent, so an interrupted first start is finished by the next."""
    done = home / "demo.seeded"
    if done.exists():
        return 0
    now = services.clock()
    limit = now + timedelta(minutes=1)
    events = [
        event
        for envelope in synthetic_events(Histories(now, ZoneInfo(TIME_ZONE)))
        if (event := event_of(envelope)).occurred_at <= limit
    ]
    terms = Terms(None, now, backfill=True, open_cases=True)
    stored = 0
    for first in range(0, len(events), _CHUNK):
        chunk: list[Event] = events[first : first + _CHUNK]
        results = await services.ingest.accept(tenant_id, chunk, terms)
        refused = next((result.error for result in results if result.status is Status.REJECTED), None)
        if refused is not None:
            raise refused
        stored += len(chunk)
        progress(round(100 * stored / len(events)))
    done.touch()
    return stored
