"""What the webhook routes take from the process: the guard, the sealer, the bell."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.db.wakeup import Bell
from app.kit.crypto import Sealer
from app.webhooks.egress import EgressGuard


def get_guard(request: Request) -> EgressGuard:
    """The guard that deliveries go through too."""
    guard: EgressGuard = request.app.state.egress
    return guard


def get_sealer(request: Request) -> Sealer:
    """Seals secrets at rest."""
    sealer: Sealer = request.app.state.sealer
    return sealer


def get_bell(request: Request) -> Bell:
    """Wakes the dispatchers."""
    bell: Bell = request.app.state.bell
    return bell


def get_origin(request: Request) -> str:
    """By which name we ask receivers of CloudEvents for their consent."""
    origin: str = request.app.state.webhook_origin
    return origin


OriginDep = Annotated[str, Depends(get_origin)]
GuardDep = Annotated[EgressGuard, Depends(get_guard)]
SealerDep = Annotated[Sealer, Depends(get_sealer)]
BellDep = Annotated[Bell, Depends(get_bell)]
