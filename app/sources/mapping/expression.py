"""JMESPath expressions: compiled once, checked when the mapping is saved, harmless when they fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from app.sources.errors import MappingError, PayloadError
from app.sources.mapping.functions import NOWHERE, Envelope, known_functions, options_of

MAX_LENGTH = 1_000

# Parts of the names of headers that an expression may not read: what it reads is kept with the payload.
_NEVER_READ = ("authorization", "cookie", "secret", "token", "signature", "password", "key", "hmac")

# Right of these nodes a field is looked up in what the left side gave, not in the row.
_INNER = frozenset({"subexpression", "pipe", "projection", "filter_projection", "value_projection"})


@dataclass(frozen=True, slots=True)
class Expression:
    """One compiled expression."""

    text: str
    compiled: ParsedResult

    def search(self, document: object, pointer: str, envelope: Envelope = NOWHERE) -> object:
        """What the expression finds. Raises PayloadError when it cannot be applied to this document."""
        try:
            return self.compiled.search(document, options_of(envelope))
        except (PayloadError, JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise PayloadError(
                "expression_failed",
                f"{self.text!r} cannot be applied: {str(error)[:300]}",
                pointer=pointer,
                cure="Guard the expression with `when`, or mend the row.",
            ) from error

    def holds(self, document: object, pointer: str, envelope: Envelope = NOWHERE) -> bool:
        """JMESPath truth: null, false, empty text, empty list and empty object are false; 0 is true."""
        found = self.search(document, pointer, envelope)
        return found is not None and found is not False and found not in ("", [], {})

    def fields(self) -> frozenset[str]:
        """Names that the expression looks up in the row itself."""
        return frozenset(_row_fields(self.compiled.parsed))

    def headers(self) -> frozenset[str]:
        """Names of the headers that the expression reads, in lower case."""
        return frozenset(name for name in _header_names(self.compiled.parsed) if name is not None)


def compile_expression(text: str, pointer: str) -> Expression:
    """Raises MappingError for what does not parse, is too long, or calls a function that does not exist."""
    if len(text) > MAX_LENGTH:
        raise _bad(text, f"longer than {MAX_LENGTH} characters", pointer)
    try:
        compiled = jmespath.compile(text)
        unknown = [name for name in _functions(compiled.parsed) if name not in known_functions()]
        headers = list(_header_names(compiled.parsed))
    except RecursionError as error:
        raise _bad(text, "nested too deep", pointer) from error
    except JMESPathError as error:
        raise _bad(text, " ".join(str(error).split()), pointer) from error
    if unknown:
        near = get_close_matches(unknown[0], known_functions(), n=1)
        meant = f"; did you mean {near[0]}()?" if near else ""
        raise _bad(text, f"there is no function {unknown[0]}(){meant}", pointer)
    for name in headers:
        if name is None:
            raise _bad(text, "header() wants the name written out: header('x-event')", pointer)
        if any(word in name for word in _NEVER_READ):
            raise _bad(text, f"the header {name[:60]!r} may hold a secret and is never kept", pointer)
    return Expression(text, compiled)


def _bad(text: str, why: str, pointer: str) -> MappingError:
    return MappingError(
        "bad_expression",
        f"{text[:80]!r} is not a JMESPath expression: {why}",
        pointer=pointer,
        cure='A name with spaces is quoted ("\\"Due Date\\"") or given as {"column": "Due Date"}.',
    )


def _functions(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "function_expression":
        yield node["value"]
    for child in _children(node):
        yield from _functions(child)


def _header_names(node: Mapping[str, Any]) -> Iterator[str | None]:
    """The literal argument of every header(); None for one that is computed."""
    if node["type"] == "function_expression" and node["value"] == "header":
        named = _children(node)[:1]
        literal = named[0]["value"] if named and named[0]["type"] == "literal" else None
        yield literal.lower() if isinstance(literal, str) else None
    for child in _children(node):
        yield from _header_names(child)


def _row_fields(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
    children = _children(node)
    for child in children[:1] if node["type"] in _INNER else children:
        yield from _row_fields(child)


def _children(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [child for child in node.get("children", []) if isinstance(child, Mapping)]
