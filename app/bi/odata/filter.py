"""The grammar of $filter, as far as the feed takes it: text -> a tree, or a refusal with its place.

or    := and ("or" and)*          and  := not ("and" not)*        not := "not" not | test
test  := "(" or ")" | term [op term | "in" "(" literal, ... ")"]
term  := property | literal | function "(" term, ... ")"          op  := eq ne gt ge lt le
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.bi.odata.errors import NotOfferedError, ODataError

COMPARISONS: Final = ("eq", "ne", "gt", "ge", "lt", "le")
FUNCTIONS: Final = {"contains": 2, "startswith": 2, "endswith": 2, "tolower": 1, "toupper": 1}
"""The functions that are known, with how many arguments each takes."""

LONGEST: Final = 8_000
_MOST_PARTS: Final = 500
_DEEPEST: Final = 30
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*')
    |(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-]))
    |(?P<instant>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)(?![\w:]))
    |(?P<date>\d{4}-\d\d-\d\d(?![\w-]))
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<word>[A-Za-z_][\w./]*)
    |(?P<mark>[(),]))""",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A property."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it was written; `kind` is string, guid, instant, date, number, boolean or null."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of terms."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two terms compared."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class OneOf:
    """A term that is any of these values."""

    term: Node
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by `and` or `or`."""

    word: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    part: Node


Node = Name | Literal | Call | Comparison | OneOf | Joined | Not
_Rule = Callable[[], Node]


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def parse_filter(text: str) -> Node:
    """The tree of a $filter. Raises ODataError with the place of what is wrong, NotOfferedError."""
    if len(text) > LONGEST:
        raise ODataError("filter_too_long", f"$filter is longer than {LONGEST} letters", pointer="$filter")
    parser = _Parser(_tokens(text))
    tree = parser.either()
    parser.expect_end()
    return tree


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            place += len(text[place:]) - len(text[place:].lstrip())
            raise _refused(f"cannot be read at {text[place : place + 20]!r}", place)
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        place = match.end()
        if len(found) > _MOST_PARTS:
            raise _refused(f"has more than {_MOST_PARTS} parts", place)
    return [*found, _Token("end", "", end)]


def _refused(what: str, place: int) -> ODataError:
    return ODataError("malformed_filter", f"$filter {what} (letter {place + 1})", pointer="$filter")


class _Parser:
    """Recursive descent over the tokens; each method reads one rule of the grammar above."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def either(self) -> Node:
        return self._joined("or", self._both)

    def expect_end(self) -> None:
        token = self._peek()
        if token.kind != "end":
            raise _refused(f"goes on with {token.text[:20]!r} where it should end", token.place)

    def _both(self) -> Node:
        return self._joined("and", self._negated)

    def _joined(self, word: str, part: _Rule) -> Node:
        parts = [part()]
        while self._takes("word", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _negated(self) -> Node:
        if not self._takes("word", "not"):
            return self._test()
        self._enter()
        part = self._negated()
        self._depth -= 1
        return Not(part)

    def _test(self) -> Node:
        if self._takes("mark", "("):
            self._enter()
            inner = self.either()
            self._needs(")")
            self._depth -= 1
            return inner
        left = self._term()
        token = self._peek()
        if token.kind == "word" and token.text in COMPARISONS:
            self._next += 1
            return Comparison(token.text, left, self._term())
        if self._takes("word", "in"):
            return OneOf(left, self._values())
        return left

    def _values(self) -> tuple[Literal, ...]:
        self._needs("(")
        values = []
        while True:
            place = self._peek().place
            value = self._term()
            if not isinstance(value, Literal):
                raise _refused("takes only values inside `in (...)`", place)
            values.append(value)
            if not self._takes("mark", ","):
                break
        self._needs(")")
        return tuple(values)

    def _term(self) -> Node:
        token = self._peek()
        self._next += 1
        match token.kind:
            case "string":
                return Literal("string", token.text[1:-1].replace("''", "'"))
            case "guid" | "instant" | "date" | "number":
                return Literal(token.kind, token.text)
            case "word" if token.text in ("true", "false"):
                return Literal("boolean", token.text)
            case "word" if token.text == "null":
                return Literal("null", "null")
            case "word" if self._takes("mark", "("):
                return self._call(token)
            case "word":
                return Name(token.text)
        raise _refused(f"has {token.text[:20]!r} where a property or a value should be", token.place)

    def _call(self, token: _Token) -> Node:
        count = FUNCTIONS.get(token.text)
        if count is None:
            known = ", ".join(FUNCTIONS)
            raise NotOfferedError(
                "unknown_function",
                f"the function {token.text[:40]!r} is not offered",
                pointer="$filter",
                cure=f"known are {known}; `and`, `or`, `not`, `in` and the comparisons",
            )
        self._enter()
        arguments = [self._term()]
        while self._takes("mark", ","):
            arguments.append(self._term())
        self._needs(")")
        self._depth -= 1
        if len(arguments) != count:
            raise _refused(f"gives {token.text} {len(arguments)} arguments, not {count}", token.place)
        return Call(token.text, tuple(arguments))

    def _peek(self) -> _Token:
        return self._tokens[min(self._next, len(self._tokens) - 1)]

    def _takes(self, kind: str, text: str) -> bool:
        token = self._peek()
        if (token.kind, token.text) != (kind, text):
            return False
        self._next += 1
        return True

    def _needs(self, mark: str) -> None:
        token = self._peek()
        if not self._takes("mark", mark):
            shown = token.text[:20] or "its end"
            raise _refused(f"has {shown!r} where {mark!r} should be", token.place)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _refused(f"is nested deeper than {_DEEPEST} levels", self._peek().place)
