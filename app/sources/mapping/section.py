"""Reading a mapping document strictly: every key is known, every error says where and what to write."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from app.sources.errors import MappingError
from app.sources.times import find_zone

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Section:
    """An object of the document and the pointer to it."""

    value: Mapping[str, object]
    pointer: str

    @classmethod
    def of(cls, value: object, pointer: str) -> Section:
        """Raises MappingError unless `value` is an object."""
        if not isinstance(value, Mapping):
            raise wrong_type(value, "an object", pointer)
        return cls(value, pointer)

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def at(self, key: str) -> str:
        """Pointer to `key`."""
        return join(self.pointer, key)

    def only(self, known: Collection[str]) -> None:
        """Raises MappingError for the first key that is not known, naming the nearest one that is."""
        for key in self.value:
            if key not in known:
                raise unknown_word("unknown_key", key, known, self.at(key))

    def required(self, key: str) -> object:
        """The value under `key`. Raises MappingError when it is absent."""
        if key not in self.value:
            raise MappingError(
                "missing_key", f"{key!r} is missing", pointer=self.pointer, cure=f"Add {key!r}."
            )
        return self.value[key]

    def text(self, key: str) -> str | None:
        """Text that is not empty, or None when absent."""
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise wrong_type(value, "text", self.at(key))
        return value

    def required_text(self, key: str) -> str:
        """Text that must be there."""
        self.required(key)
        return self.text(key) or ""

    def word(self, key: str, known: Collection[str], default: str | None = None) -> str:
        """One of the known words."""
        value = self.text(key) if default is not None else self.required_text(key)
        if value is None and default is not None:
            return default
        if value not in known:
            raise unknown_word("unknown_word", str(value), known, self.at(key))
        return str(value)

    def zone(self, key: str) -> ZoneInfo | None:
        """An IANA zone, or None when absent."""
        name = self.text(key)
        zone = None if name is None else find_zone(name)
        if name is not None and zone is None:
            raise MappingError(
                "unknown_zone",
                f"there is no time zone {name[:60]!r}",
                pointer=self.at(key),
                cure="Use an IANA name such as Europe/Kyiv or America/New_York.",
            )
        return zone

    def section(self, key: str) -> Section:
        """The object under `key`."""
        return Section.of(self.required(key), self.at(key))

    def items(self, key: str) -> list[tuple[str, object]]:
        """The list under `key`, each element with its pointer."""
        value = self.required(key)
        if not isinstance(value, list | tuple):
            raise wrong_type(value, "a list", self.at(key))
        return [(f"{self.at(key)}/{index}", element) for index, element in enumerate(value)]


def join(pointer: str, key: str) -> str:
    """RFC 6901: the pointer to `key` under `pointer`."""
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def wrong_type(value: object, wanted: str, pointer: str) -> MappingError:
    """The error of a value that is not what its key wants."""
    detail = f"{type(value).__name__} where {wanted} belongs"
    return MappingError("wrong_type", detail, pointer=pointer, cure=f"Write {wanted} here.")


def unknown_word(reason: str, word: str, known: Collection[str], pointer: str) -> MappingError:
    """The error of a word that is not in the vocabulary, with the nearest one that is."""
    near = get_close_matches(word, list(known), n=1)
    cure = f"Did you mean {near[0]!r}?" if near else f"One of: {', '.join(sorted(known))}."
    return MappingError(reason, f"{word[:60]!r} is not known here", pointer=pointer, cure=cure)
