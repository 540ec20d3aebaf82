"""The adapters that ship with the service: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from app.domain.errors import InvalidError
from app.sources.base import Adapter
from app.sources.chatwoot import ChatwootAdapter
from app.sources.trustpilot import TrustpilotAdapter

ADAPTERS: Mapping[str, Adapter] = {
    adapter.name: adapter
    for adapter in (
        ChatwootAdapter(),
        TrustpilotAdapter(),
    )
}


def get_adapter(name: str) -> Adapter:
    """The adapter of that partner. Raises InvalidError naming the nearest one."""
    adapter = ADAPTERS.get(name)
    if adapter is None:
        near = get_close_matches(name, ADAPTERS, n=1)
        raise InvalidError(
            "unknown_adapter",
            f"no adapter is named {name[:60]!r}",
            pointer="/adapter",
            cure=f"Did you mean {near[0]!r}?" if near else "Use a mapping document for this source.",
        )
    return adapter
