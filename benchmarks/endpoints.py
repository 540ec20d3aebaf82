"""Webhook endpoints of the tenant under test, made by the service's own parts."""

from __future__ import annotations

from collections.abc import Sequence

from app.webhooks.schemas import EndpointIn
from app.webhooks.service import Edit, create_endpoint, read_secret
from app.wiring import Services
from benchmarks.stage import Place


async def subscribe(place: Place, url: str, event_types: Sequence[str], *, count: int = 1) -> None:
    """Endpoints at this URL for these types."""

    async def work(services: Services) -> None:
        async with services.database.tenant(place.tenant_id) as connection:
            edit = Edit(connection, services.sealer, place.tenant_id, "bench", services.clock())
            for _ in range(count):
                wanted = EndpointIn(url=url, event_types=list(event_types))
                await create_endpoint(edit, wanted, read_secret(None, "hmac"))

    await place.with_services(work)
