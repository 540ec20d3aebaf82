"""Strict reading of a configuration document: every refusal names the place and the cure."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from app.domain.errors import InvalidError

_SLUG = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}", re.ASCII)
_LONGEST_TEXT = 500

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Node:
    """A value inside a document, with the RFC 6901 pointer that leads to it."""

    value: object
    pointer: str = ""

    def refusal(self, reason: str, detail: str, cure: str = "") -> InvalidError:
        """The error that refuses what stands at this place."""
        return InvalidError(reason, detail[:_LONGEST_TEXT], pointer=self.pointer, cure=cure)

    def fields(self, allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Node]:
        """The members of an object; a key that is not allowed or a missing required one is refused."""
        if not isinstance(self.value, Mapping):
            raise self.refusal("not_an_object", "An object is expected here.", "Write it in braces.")
        members = {str(name): self._child(str(name), value) for name, value in self.value.items()}
        for name, child in members.items():
            if name not in allowed:
                raise child.refusal("unknown_key", f"There is no key {name!r} here.", nearest(name, allowed))
        for name in required:
            if name not in members:
                raise self.refusal("missing_key", f"The key {name!r} is missing.", f"Add {name!r}.")
        return members

    def members(self) -> dict[str, Node]:
        """The members of an object whose keys are free."""
        names = [str(name) for name in self.value] if isinstance(self.value, Mapping) else []
        return self.fields(names)

    def elements(self) -> list[Node]:
        """The elements of an array."""
        if not isinstance(self.value, list | tuple):
            raise self.refusal("not_an_array", "An array is expected here.", "Write it in brackets.")
        return [self._child(str(index), value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A string that is not blank and has no control characters."""
        value = self.value
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
            detail = f"Text of 1 to {_LONGEST_TEXT} characters is expected here."
            raise self.refusal("not_text", detail, "Write it in quotes, or drop the key.")
        if not value.isprintable():
            raise self.refusal("not_text", "The text has control characters.", "Remove them.")
        return value

    def slug(self) -> str:
        """A key: lower-case letters, digits, `_`, `-`, `.`; at most 64."""
        value = self.value
        if not isinstance(value, str) or not _SLUG.fullmatch(value):
            detail = "A key of a-z, 0-9, '_', '-', '.' (at most 64) is expected here."
            raise self.refusal("not_a_key", detail, "Write it like 'first_response'.")
        return value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.refusal("not_a_boolean", "true or false is expected here.", "Without quotes.")
        return self.value

    def number(self) -> float:
        """A finite number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refusal("not_a_number", "A number is expected here.", "Without quotes.")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.refusal("not_a_number", "A finite number is expected here.", "Give a smaller one.")
        return value

    def integer(self, least: int, most: int, reason: str = "out_of_range") -> int:
        """A whole number with least <= number <= most."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refusal("not_an_integer", "A whole number is expected here.", "Without quotes.")
        if not least <= value <= most:
            detail = f"A whole number from {least} to {most} is expected here."
            cure = "Give a greater one." if value < least else "Give a smaller one."
            raise self.refusal(reason, detail, cure)
        return value

    def choice(self, choices: type[Choice]) -> Choice:
        """One of a closed list of words."""
        names = [member.value for member in choices]
        if not isinstance(self.value, str) or self.value not in names:
            listed = ", ".join(names)
            raise self.refusal(
                "unknown_choice", f"{self.value!r} is not one of: {listed}.", nearest(self.value, names)
            )
        return choices(self.value)

    def _child(self, name: str, value: object) -> Node:
        escaped = name.replace("~", "~0").replace("/", "~1")
        return Node(value, f"{self.pointer}/{escaped}")


def nearest(word: object, known: Collection[str]) -> str:
    """The cure for a misspelt word: the nearest known one, or all of them."""
    close = get_close_matches(str(word)[:64], known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Known here: {', '.join(sorted(known)) or 'nothing'}."
