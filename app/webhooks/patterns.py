"""What endpoints ask the catalogue for: types, families (`sla.*`), all (`*`), fields of their events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from app.domain.errors import InvalidError
from app.webhooks.catalogue import OUTGOING, OutgoingType

ANY = "*"


def matches(patterns: Iterable[str], event_type: str) -> bool:
    """True when one of an endpoint's patterns (exact, `family.*`, `*`) holds this type."""
    return any(
        pattern in (ANY, event_type) or (pattern.endswith(".*") and event_type.startswith(pattern[:-1]))
        for pattern in patterns
    )


def check_patterns(patterns: Sequence[str], place: str | None = None) -> None:
    """Refuse a pattern that no type will ever match. Raises InvalidError naming the nearest type.

    `place` is a pointer to the only pattern; without it they are the list `event_types`.
    """
    for number, pattern in enumerate(patterns):
        if not any(matches([pattern], event_type) for event_type in OUTGOING):
            families = {event_type.partition(".")[0] + ".*" for event_type in OUTGOING}
            nearest = get_close_matches(pattern, [*OUTGOING, *families], n=1, cutoff=0.3)
            raise InvalidError(
                "unknown_event_type",
                f"no outgoing event matches {pattern!r}",
                pointer=place or f"/event_types/{number}",
                cure=f"did you mean '{nearest[0]}'?" if nearest else "use `*` for all events",
            )


def types_of(pattern: str) -> list[str]:
    """The types that a list is asked for: of a family, or the one named. Raises InvalidError."""
    check_patterns([pattern], "query:type")
    return matching_types([pattern])


def get_type(event_type: str) -> OutgoingType:
    """The entry of a type. Raises InvalidError."""
    check_patterns([event_type])
    if event_type not in OUTGOING:
        raise InvalidError(
            "unknown_event_type",
            f"{event_type!r} is a pattern, not one type",
            pointer="/event_type",
            cure="name one type, such as 'sla.breached'",
        )
    return OUTGOING[event_type]


def matching_types(patterns: Iterable[str]) -> list[str]:
    """The types of the catalogue that these patterns ask for."""
    wanted = list(patterns)
    return [event_type for event_type in OUTGOING if matches(wanted, event_type)]


_OPEN = ("data.facts.", "data.case.steps.")
"""Objects whose names depend on the tenant and the event."""


def nearest_field(path: Sequence[str], types: Iterable[str]) -> str | None:
    """None when some event of these types has the field, else the name that is nearest to it ("": none)."""
    known: set[str] = set()
    for event_type in types:
        body = {"type": "", "timestamp": "", "data": OUTGOING[event_type].example}
        known |= set(_fields(body, ()))
    wanted = ".".join(path)
    if wanted in known or any(wanted.startswith(start) and start != wanted for start in _OPEN):
        return None
    return next(iter(get_close_matches(wanted, sorted(known), n=1, cutoff=0.5)), "")


def _fields(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield ".".join((*path, name))
            yield from _fields(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, path)
