"""Reading a partner's JSON without trust: a wrong type is an error that names the place, never a crash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.sources.errors import PayloadError

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


@dataclass(frozen=True, slots=True)
class Reader:
    """A JSON object and the pointer to it. Absent and null are the same; unknown keys are ignored."""

    value: Mapping[str, object] = field(default_factory=dict)
    pointer: str = ""

    @classmethod
    def of(cls, value: object, pointer: str = "") -> Reader:
        """Reader of a JSON object. Raises PayloadError when it is something else."""
        if not isinstance(value, Mapping):
            raise _wrong_type(value, "an object", pointer)
        return cls(value, pointer)

    def __bool__(self) -> bool:
        return bool(self.value)

    def at(self, key: str) -> str:
        """RFC 6901 pointer to `key`."""
        return f"{self.pointer}/{key.replace('~', '~0').replace('/', '~1')}"

    def raw(self, key: str) -> object:
        """The value as it stands, None when absent."""
        return self.value.get(key)

    def text(self, key: str) -> str | None:
        """Text that says something (None when absent, null or blank), as it was written."""
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise _wrong_type(value, "text", self.at(key))
        return value if value.strip() else None

    def flag(self, key: str) -> bool:
        """True or false; absent is false."""
        value = self.value.get(key)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise _wrong_type(value, "true or false", self.at(key))
        return value

    def identifier(self, key: str) -> str | None:
        """An id as text. A fractional number is refused: an id that went through a float is another id."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise _wrong_type(value, "an id (text or a whole number)", self.at(key))
        return str(value).strip()

    def required_identifier(self, key: str) -> str:
        """An id that must be there. Raises PayloadError."""
        value = self.identifier(key)
        if not value:
            raise PayloadError(
                "field_missing", f"{key!r} is missing", pointer=self.at(key), cure=f"Send {key!r}."
            )
        return value

    def score(self, key: str, least: int, most: int) -> int | None:
        """A whole score, also when written as text. Outside its scale it is refused, never clipped."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        for candidate in range(least, most + 1):
            if not isinstance(value, bool) and (value == candidate or value == str(candidate)):
                return candidate
        raise PayloadError(
            "score_invalid",
            f"{str(value)[:60]!r} is not a whole score from {least} to {most}",
            pointer=self.at(key),
            cure=f"Send a whole number from {least} to {most}, or none.",
        )

    def number(self, key: str) -> float | int | None:
        """A finite number, also when written as text (forms know no numbers)."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value) if "." in value else int(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(value, "a number", self.at(key))
        return value

    def first(self, *keys: str) -> str | None:
        """The first of these keys that holds an id or a text."""
        return next((value for key in keys if (value := self.identifier(key))), None)

    def required_text(self, key: str) -> str:
        """Text that must be there. Raises PayloadError."""
        value = self.text(key)
        if value is None:
            raise PayloadError(
                "field_missing", f"{key!r} is missing", pointer=self.at(key), cure=f"Send {key!r}."
            )
        return value

    def object(self, key: str) -> Reader:
        """The object under `key`; an empty one when absent."""
        value = self.value.get(key)
        return Reader({}, self.at(key)) if value is None else Reader.of(value, self.at(key))

    def objects(self, key: str) -> list[Reader]:
        """The objects in the list under `key`; none when absent."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise _wrong_type(value, "a list", self.at(key))
        return [Reader.of(item, f"{self.at(key)}/{index}") for index, item in enumerate(value)]


def _wrong_type(value: object, wanted: str, pointer: str) -> PayloadError:
    return PayloadError(
        "wrong_type",
        f"{type(value).__name__} where {wanted} belongs",
        pointer=pointer,
        cure=f"Send {wanted}.",
    )
