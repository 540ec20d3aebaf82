"""Which messages of an endpoint keep their order among themselves."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

WHOLE = "*"
NO_SUBJECT = ""


class Ordering(StrEnum):
    """What an endpoint gets one after another, in the order of `sequence`."""

    NONE = "none"
    SUBJECT = "subject"
    ENDPOINT = "endpoint"


def order_key(ordering: Ordering, subject: str | None) -> str | None:
    """What a message must not overtake within its endpoint: those of the same key; None: it may any.

    `subject` is the public id of what the event is about; events without one share a key of their own.
    """
    match ordering:
        case Ordering.NONE:
            return None
        case Ordering.SUBJECT:
            return NO_SUBJECT if subject is None else subject
        case Ordering.ENDPOINT:
            return WHOLE
        case _:
            assert_never(ordering)
