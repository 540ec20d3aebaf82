"""What may go wrong between a payload and its events.

InvalidError
├── PayloadError            the payload, or one item of it, cannot be understood: quarantine
│   └── UnknownEventError   its event name is not one that the adapter knows: quarantine, loudly
└── MappingError            the mapping document itself is wrong: refused when it is saved
"""

from __future__ import annotations

from app.domain.errors import InvalidError


class PayloadError(InvalidError):
    """Bytes that were genuine but say nothing we can read; `pointer` leads into the payload."""


class UnknownEventError(PayloadError):
    """An event name no one has decided about. Never passed over in silence: it may be a fact we lose."""

    def __init__(self, adapter: str, name: object, *, pointer: str = "") -> None:
        self.event_name = str(name)[:80]
        super().__init__(
            "unknown_event",
            f"{adapter} sends no event named {self.event_name!r} that this adapter knows",
            pointer=pointer,
            cure="Unsubscribe the event at the partner, or teach the adapter and replay the quarantine.",
        )


class MappingError(InvalidError):
    """A mapping document that breaks the format; `pointer` leads into the document."""


def names(text: str) -> frozenset[str]:
    """A vocabulary written as one text: the event names that a partner is known to send."""
    return frozenset(text.split())
