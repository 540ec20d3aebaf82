"""What of a person is found in bytes and documents, and what is left of a document without it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, quote_plus

SHORTEST_NUMBER: Final = 9
"""Digits of a phone number below which its digits alone are no proof that it is meant."""
SHORTEST_NAME: Final = 8
"""Letters of an event's or object's name below which it is met in other payloads by chance."""

_PERSONAL_KEYS: Final = frozenset(
    {
        "text", "title", "author", "customer", "customer_ref", "ref", "refs", "subject_ref", "transaction",
        "interaction", "attributes", "reason", "requested_remedy", "source_url", "id",
    }
)  # fmt: skip
_KEPT_IDS: Final = (
    "case_",
    "evt_",
    "fb_",
    "plan_",
    "msg_",
    "ers_",
    "interaction_",
    "review_",
    "order_",
    "survey_",
)
_SEPARATORS: Final = bytes.maketrans(b"", b"")
_DROPPED: Final = b" -()+.\\/"


@dataclass(frozen=True, slots=True)
class Traces:
    """What to look for: spellings of the identifier and names of the person's own events and objects."""

    spellings: tuple[bytes, ...]
    digits: bytes | None = None

    def found_in(self, body: bytes) -> bool:
        """True when the bytes hold any of them, whatever the case."""
        lowered = body.lower()
        if any(spelling in lowered for spelling in self.spellings):
            return True
        return self.digits is not None and self.digits in lowered.translate(_SEPARATORS, _DROPPED)


def traces_of(kind: str, value: str, names: Sequence[str] = ()) -> Traces:
    """The traces of an identifier as it is written in JSON, forms and URLs; `names` are ids of its events."""
    plain = value.strip().lower()
    written = {plain, json.dumps(plain)[1:-1], quote(plain, safe=""), quote_plus(plain)}
    written |= {name.lower() for name in names if len(name) >= SHORTEST_NAME}
    digits = "".join(letter for letter in value if letter.isdigit()).removeprefix("00")
    is_number = kind == "phone" and len(digits) >= SHORTEST_NUMBER
    spellings = tuple(sorted(text.lower().encode() for text in written if text))
    return Traces(spellings, digits.encode() if is_number else None)


def redacted(document: Any, traces: Traces) -> Any:
    """A copy of a message's data without words, references and names; our own ids and numbers stay.

    Gone is what stands under a key that may hold such things, and every text with a trace of the person.
    """
    if isinstance(document, Mapping):
        return {name: _kept(name, value, traces) for name, value in document.items()}
    if isinstance(document, str):
        return None if traces.found_in(document.encode()) else document
    if isinstance(document, Sequence):
        return [redacted(item, traces) for item in document]
    return document


def _kept(name: str, value: Any, traces: Traces) -> Any:
    if name not in _PERSONAL_KEYS:
        return redacted(value, traces)
    if isinstance(value, str) and value.startswith(_KEPT_IDS):
        return value
    return [] if isinstance(value, list) else None
