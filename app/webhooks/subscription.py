"""Who wants an event: the endpoints of its tenant whose types and filter let it pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import structlog

from app.domain.errors import DomainError
from app.domain.event_filter import EventFilter, holds, parse_filter
from app.kit import json
from app.kit.ids import parse_public_id, public_id
from app.webhooks.catalogue import OPERATIONAL
from app.webhooks.patterns import matches

log = structlog.get_logger()


class Subscription:
    """An endpoint as fan-out sees it; `row` holds the columns that its messages take over."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.endpoint_id: UUID = row["endpoint_id"]
        self.is_listening: bool = row["is_listening"]

    def wants(self, event_type: str) -> bool:
        """True when one of its patterns holds the type."""
        return matches(self.row["event_types"], event_type)

    @cached_property
    def filter(self) -> EventFilter | None:
        """Its filter. One that cannot be read (none is ever stored) lets everything pass, and is logged."""
        stored = self.row["filter"]
        if stored is None:
            return None
        try:
            return parse_filter(json.loads(stored) if isinstance(stored, str) else stored)
        except DomainError as error:
            log.error("filter_unreadable", endpoint=public_id("ep", self.endpoint_id), reason=error.reason)
            return None


def passing(asking: Sequence[Subscription], event: Any, body: bytes) -> list[Subscription]:
    """Those whose filter the event passes; an operational one never goes to the endpoint that it is about."""
    if event["type"] not in OPERATIONAL and all(endpoint.filter is None for endpoint in asking):
        return list(asking)
    content = json.loads(body)
    about = content["data"]["endpoint_id"] if event["type"] in OPERATIONAL else None
    return [
        endpoint
        for endpoint in asking
        if (endpoint.filter is None or holds(endpoint.filter, content))
        and (about is None or endpoint.endpoint_id != parse_public_id("ep", about))
    ]
