"""What an expression may call beside JMESPath's own functions: small, pure, and harmless on nothing (null).

lower(t) upper(t) trim(t)          text in another case, or without the blanks around it
split(t, by)  replace(t, old, new) a list of parts; other words in their place
number_in(t)                       the first number that stands in a text: "4 of 5" -> 4, "4,5" -> 4.5
count(t, of)                       how often a text holds another: stars drawn as glyphs
plain(html)                        the words of a page
from_json(t)                       JSON that stands in a text
entries(object)                    its keys and values as a list of {key, value}
get(object, key)                   the value under a key that is itself read from the payload
find(list, key, value)             the first element whose key has that value: an option by its id
payload()                          the whole payload, from inside of `items` or `each`
header('x-name')                   a header of the delivery, named literally
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jmespath import Options, functions

from app.sources.bodies import embedded_json
from app.sources.html import text_of_html

MAX_TEXT = 200_000
MAX_PARTS = 1_000
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(?:[.,][0-9]{1,6})?")

_TEXT: Any = {"types": ["string", "null"]}
_WORD: Any = {"types": ["string"]}
_NUMERIC: Any = {"types": ["string", "number", "null"]}
_SCALARS: Any = {"types": ["string", "number", "boolean", "null"], "variadic": True}
_OBJECT: Any = {"types": ["object", "null"]}
_LIST: Any = {"types": ["array", "null"]}
_ANY: Any = {"types": []}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an expression may look at beside its own element: the whole payload and the headers."""

    payload: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Functions(functions.Functions):
    """JMESPath's functions and ours; one instance per delivery."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__()
        self._envelope = envelope

    @functions.signature(_SCALARS)
    def _func_text(self, *parts: str | float | bool | None) -> str | None:
        if any(part is None for part in parts):
            return None
        return "".join(str(part).lower() if isinstance(part, bool) else str(part) for part in parts)

    @functions.signature(_TEXT)
    def _func_lower(self, text: str | None) -> str | None:
        return None if text is None else text.lower()

    @functions.signature(_TEXT)
    def _func_upper(self, text: str | None) -> str | None:
        return None if text is None else text.upper()

    @functions.signature(_TEXT)
    def _func_trim(self, text: str | None) -> str | None:
        return None if text is None else text.strip()

    @functions.signature(_TEXT, _WORD)
    def _func_split(self, text: str | None, by: str) -> list[str] | None:
        if text is None:
            return None
        return text.split(by, MAX_PARTS) if by else text.split(None, MAX_PARTS)

    @functions.signature(_TEXT, _WORD, _WORD)
    def _func_replace(self, text: str | None, old: str, new: str) -> str | None:
        if text is None or not old:
            return text
        if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
            raise ValueError(f"replace() gives more than {MAX_TEXT} characters")
        return text.replace(old, new)

    @functions.signature(_NUMERIC)
    def _func_number_in(self, text: str | float | None) -> int | float | None:
        if text is None or not isinstance(text, str):
            return text
        found = _NUMBER.search(text)
        if found is None:
            return None
        number = float(found[0].replace(",", "."))
        return int(number) if number.is_integer() else number

    @functions.signature(_TEXT, _WORD)
    def _func_count(self, text: str | None, of: str) -> int | None:
        return None if text is None or not of else text.count(of)

    @functions.signature(_TEXT)
    def _func_plain(self, html: str | None) -> str | None:
        return text_of_html(html)

    @functions.signature(_TEXT)
    def _func_from_json(self, text: str | None) -> object:
        return embedded_json(text, "") if text and text.strip() else None

    @functions.signature(_OBJECT)
    def _func_entries(self, found: Mapping[str, object] | None) -> list[dict[str, object]] | None:
        return None if found is None else [{"key": key, "value": value} for key, value in found.items()]

    @functions.signature(_OBJECT, _TEXT)
    def _func_get(self, found: Mapping[str, object] | None, key: str | None) -> object:
        return None if found is None or key is None else found.get(key)

    @functions.signature(_LIST, _WORD, _ANY)
    def _func_find(self, found: list[object] | None, key: str, value: object) -> object:
        if value is None:
            return None
        elements = (one for one in found or () if isinstance(one, Mapping))
        return next((one for one in elements if one.get(key) == value), None)

    @functions.signature(_LIST, _WORD, _ANY)
    def _func_find_all(self, found: list[object] | None, key: str, values: object) -> object:
        wanted = values if isinstance(values, list) else [values]
        return [one for one in found or () if isinstance(one, Mapping) and one.get(key) in wanted]

    @functions.signature()
    def _func_payload(self) -> object:
        return self._envelope.payload

    @functions.signature(_WORD)
    def _func_header(self, name: str) -> str | None:
        return self._envelope.headers.get(name.lower())


NOWHERE = Envelope()
_PLAIN = Options(custom_functions=Functions(NOWHERE))


def options_of(envelope: Envelope) -> Any:
    """The options under which an expression is applied."""
    return _PLAIN if envelope is NOWHERE else Options(custom_functions=Functions(envelope))


def known_functions() -> frozenset[str]:
    """Names that an expression may call."""
    return frozenset(Functions.FUNCTION_TABLE)
