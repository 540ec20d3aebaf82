"""What of a person is found in bytes and documents, and what is left of a document without it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
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

_PERSONS_KEY: Final = re.compile(
    r"(^|_)(e?mail|phone|mobile|tel|name|firstname|lastname|surname|fullname|address|street|birth(day|date)?|dob|"
    r"passport|login|username|contact|ip|iban|card|ім_?я|пошта|телефон|имя|почта)(_|$)",
    re.IGNORECASE,
)
_NUMBER_OF_A_PERSON: Final = re.compile(r"\+?[0-9][0-9 ()./-]{7,}[0-9]")
_LONGEST_WORDS: Final = 60
_MOST_WORDS: Final = 4


def names_somebody(key: str, value: object) -> bool:
    """Whether an attribute that nobody registered is kept apart as personal (design.md 1).

    A key that says so, an address, a long number, or words that somebody wrote; codes and labels are facts.
    """
    if not isinstance(value, str):
        return False
    if _PERSONS_KEY.search(key) or "@" in value or _NUMBER_OF_A_PERSON.search(value):
        return True
    return len(value) > _LONGEST_WORDS or len(value.split()) > _MOST_WORDS


def left_of_attributes(
    attributes: Mapping[str, object], registered: Collection[str], traces: Traces
) -> dict[str, object]:
    """What an erasure leaves of a fact's attributes: numbers, what the tenant registered as not personal,
    and single words that do not name the person. More than one word could be a name."""
    return {
        key: value
        for key, value in attributes.items()
        if not isinstance(value, str)
        or (
            not traces.found_in(value.encode("utf-8", "surrogatepass"))
            and (key in registered or (len(value.split()) < 2 and not names_somebody(key, value)))
        )
    }


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
