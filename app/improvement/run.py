"""Carries a command of improvement out for a route, and wakes the loops that it has work for."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from app.journal.orders import Asked, Build, carry_out


async def run_order(request: Request, tenant_id: UUID, asked: Asked, build: Build) -> UUID:
    """Carry it out, once however often it is repeated; the subject of its first event."""
    services = request.app.state.services
    subject_id, is_new = await carry_out(services.journal, tenant_id, asked, build)
    if is_new:
        services.bell.ring("fanout", "sla")
    return subject_id
