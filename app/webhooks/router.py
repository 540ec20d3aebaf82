"""Webhook endpoints over HTTP: create, read, change, rotate, test, switch on and off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app.deps import DatabaseDep, NowDep, WebhooksManager, parse_id, refuse_unknown_query
from app.domain.outgoing import Format
from app.editing import EditingRoute, IfMatch, etag_of_version
from app.kit.ids import public_id
from app.problems import Problem
from app.webhooks import handshake, repository, service
from app.webhooks.deps import BellDep, GuardDep, OriginDep, SealerDep
from app.webhooks.options import Throttle, throttle_of
from app.webhooks.paging import next_cursor, read_id
from app.webhooks.presentation import endpoint_out, secret_out, shown_once
from app.webhooks.schemas import (
    EndpointIn,
    EndpointOut,
    EndpointPage,
    EndpointPatch,
    MessageRef,
    NewEndpointOut,
    RotateIn,
    RotateOut,
    TestIn,
)
from app.webhooks.service import Edit

router = APIRouter(
    prefix="/v1/webhooks/endpoints",
    tags=["Webhook endpoints"],
    dependencies=[Depends(refuse_unknown_query)],
    route_class=EditingRoute,
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 409, 412, 422, 503)},
)

Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=500)]


class Editor:
    """Opens transactions for a caller who may manage webhooks."""

    def __init__(
        self,
        principal: WebhooksManager,
        database: DatabaseDep,
        sealer: SealerDep,
        now: NowDep,
        response: Response,
        if_match: IfMatch = None,
    ) -> None:
        self._principal, self._database, self._sealer, self._now = principal, database, sealer, now
        self._response, self._if_match = response, if_match

    @asynccontextmanager
    async def edit(self) -> AsyncIterator[Edit]:
        """A transaction; it commits at the end of the block."""
        tenant_id, actor = self._principal.tenant_id, self._principal.hint
        async with self._database.tenant(tenant_id) as connection:
            yield Edit(connection, self._sealer, tenant_id, actor, self._now, self._if_match)

    async def show(self, edit: Edit, endpoint_id: UUID) -> EndpointOut:
        """The endpoint as it is now, its ETag in the answer."""
        row = await repository.get_endpoint(edit.connection, edit.tenant_id, endpoint_id)
        secrets = await repository.list_secrets(edit.connection, [endpoint_id], now=edit.now)
        waiting = await repository.count_waiting(edit.connection, endpoint_id)
        self._response.headers["ETag"] = etag_of_version(row.version)
        return endpoint_out(row, secrets.get(endpoint_id, ()), waiting=waiting)


EditorDep = Annotated[Editor, Depends()]


class Asker:
    """Asks receivers of CloudEvents whether they want our posts; others it leaves alone."""

    def __init__(self, editor: EditorDep, guard: GuardDep, origin: OriginDep) -> None:
        self._editor, self._guard, self._origin = editor, guard, origin

    async def hear(self, url: str, throttle: Throttle | None) -> dict[str, Any]:
        """What the receiver at a URL says."""
        return await handshake.ask(self._guard, url, self._origin, throttle)

    async def ask(self, endpoint_id: UUID) -> None:
        """Ask and keep the answer; no transaction is open meanwhile. Raises NotFoundError."""
        async with self._editor.edit() as edit:
            row = await repository.get_endpoint(edit.connection, edit.tenant_id, endpoint_id)
        if row.format != Format.CLOUDEVENTS:
            return
        said = await self.hear(row.url, throttle_of(row))
        async with self._editor.edit() as edit:
            await handshake.keep(edit.connection, edit.tenant_id, endpoint_id, row.url, said, edit.now)


AskerDep = Annotated[Asker, Depends()]


@router.post("", status_code=201, summary="Create an endpoint", operation_id="create_endpoint")
async def create_endpoint(
    wanted: EndpointIn, editor: EditorDep, guard: GuardDep, asker: AskerDep
) -> NewEndpointOut:
    """Register a URL. The signing secret is in this answer and never shown again."""
    await guard.check(wanted.url)
    secret = service.read_secret(wanted.secret, wanted.signature)
    asks = wanted.format is Format.CLOUDEVENTS
    said = await asker.hear(wanted.url, wanted.throttle) if asks else None
    async with editor.edit() as edit:
        endpoint_id = await service.create_endpoint(edit, wanted, secret)
        if said is not None:
            await handshake.keep(edit.connection, edit.tenant_id, endpoint_id, wanted.url, said, edit.now)
        shown = await editor.show(edit, endpoint_id)
    return NewEndpointOut(**shown.model_dump(), secret=shown_once(secret))


@router.get("", summary="List endpoints", operation_id="list_endpoints")
async def list_endpoints(
    editor: EditorDep, request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None
) -> EndpointPage:
    """The tenant's endpoints, oldest first."""
    after = read_id(cursor)
    async with editor.edit() as edit:
        rows = await repository.list_endpoints(edit.connection, edit.tenant_id, after=after, limit=limit + 1)
        ids = [row.endpoint_id for row in rows]
        secrets = await repository.list_secrets(edit.connection, ids, now=edit.now)
    items = [endpoint_out(row, secrets.get(row.endpoint_id, ())) for row in rows[:limit]]
    return EndpointPage(items=items, next_cursor=next_cursor(rows, limit, request, response, "endpoint_id"))


@router.get("/{endpoint_id}", summary="Get an endpoint", operation_id="get_endpoint")
async def get_endpoint(endpoint_id: str, editor: EditorDep) -> EndpointOut:
    """One endpoint, with how many messages wait for it."""
    async with editor.edit() as edit:
        return await editor.show(edit, parse_id("ep", endpoint_id))


@router.patch("/{endpoint_id}", summary="Change an endpoint", operation_id="change_endpoint")
async def change_endpoint(
    endpoint_id: str, patch: EndpointPatch, editor: EditorDep, guard: GuardDep, asker: AskerDep
) -> EndpointOut:
    """Change what the body names. URL and headers hold from the next try of every waiting message on."""
    target = parse_id("ep", endpoint_id)
    if "url" in patch.model_fields_set:
        await guard.check(patch.url)
    async with editor.edit() as edit:
        await service.patch_endpoint(edit, target, patch)
    if {"url", "format"} & patch.model_fields_set:
        await asker.ask(target)
    async with editor.edit() as edit:
        return await editor.show(edit, target)


@router.delete(
    "/{endpoint_id}", status_code=204, summary="Delete an endpoint", operation_id="delete_endpoint"
)
async def delete_endpoint(endpoint_id: str, editor: EditorDep) -> None:
    """Delete it with its secrets. What waits for it is cancelled; what was sent stays on record."""
    async with editor.edit() as edit:
        await service.delete_endpoint(edit, parse_id("ep", endpoint_id))


@router.post("/{endpoint_id}/enable", summary="Enable an endpoint", operation_id="enable_endpoint")
async def enable_endpoint(endpoint_id: str, editor: EditorDep, bell: BellDep) -> EndpointOut:
    """Start its health afresh; what is parked goes out within a minute."""
    target = parse_id("ep", endpoint_id)
    async with editor.edit() as edit:
        await service.enable_endpoint(edit, target)
        shown = await editor.show(edit, target)
    bell.ring("deliver")
    return shown


@router.post("/{endpoint_id}/disable", summary="Disable an endpoint", operation_id="disable_endpoint")
async def disable_endpoint(endpoint_id: str, editor: EditorDep) -> EndpointOut:
    """Park what waits; new events pass it by until it is enabled again."""
    target = parse_id("ep", endpoint_id)
    async with editor.edit() as edit:
        await service.disable_endpoint(edit, target)
        return await editor.show(edit, target)


@router.post("/{endpoint_id}/rotate-secret", summary="Rotate the secret", operation_id="rotate_secret")
async def rotate_secret(endpoint_id: str, wanted: RotateIn, editor: EditorDep) -> RotateOut:
    """A new signing secret. During the overlap messages carry signatures by the new and the old ones.

    Rotating again with `overlap_seconds: 0` retires every old secret at once.
    """
    target = parse_id("ep", endpoint_id)
    secret = service.read_secret(wanted.secret, wanted.signature)
    async with editor.edit() as edit:
        await service.rotate_secret(edit, target, wanted, secret)
        live = (await repository.list_secrets(edit.connection, [target], now=edit.now))[target]
    shown = [secret_out(row) for row in live]
    return RotateOut(secret=shown_once(secret), public_key=shown[0].public_key, secrets=shown)


@router.post(
    "/{endpoint_id}/test", status_code=202, summary="Send a test event", operation_id="test_endpoint"
)
async def test_endpoint(
    endpoint_id: str, wanted: TestIn, editor: EditorDep, bell: BellDep, asker: AskerDep
) -> MessageRef:
    """Queue the example of a type for this endpoint: guarded, signed and logged like any message, one try.

    A receiver of CloudEvents is first asked again whether it allows our posts (see `handshake`).
    """
    target = parse_id("ep", endpoint_id)
    async with editor.edit() as edit:
        message_id = await service.send_test(edit, target, wanted.event_type)
    await asker.ask(target)
    bell.ring("deliver")
    return MessageRef(message_id=public_id("msg", message_id))
