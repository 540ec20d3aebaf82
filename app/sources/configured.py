"""A source's stored configuration as adapters need it: its defaults, its questions, its adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.errors import NotFoundError
from app.sources.base import Adapter, SourceDefaults
from app.sources.mapping import MappingAdapter, compile_mapping
from app.sources.questions import QuestionRule
from app.sources.registry import get_adapter

_PLAIN = frozenset(SourceDefaults.__dataclass_fields__) - {"questions", "handles_cases"}


def defaults_of(stored: Mapping[str, Any], *, handles_cases: bool) -> SourceDefaults:
    """The defaults behind the stored document; what it does not know is left out."""
    plain = {name: value for name, value in stored.items() if name in _PLAIN}
    questions = {key: question_of(rule) for key, rule in (stored.get("questions") or {}).items()}
    return SourceDefaults(**plain, handles_cases=handles_cases, questions=questions)


def question_of(rule: Mapping[str, Any]) -> QuestionRule:
    """One question's rule; `as` says what its answer is, a score by default."""
    return QuestionRule(
        as_=rule.get("as") or "score",
        scale=rule.get("scale"),
        measure=rule.get("measure"),
        question=rule.get("question"),
        words=rule.get("words") or {},
    )


def adapter_of(name: str | None, mapping: Mapping[str, Any] | None) -> Adapter:
    """The adapter of a source. Raises NotFoundError when it posts canonical events itself."""
    if mapping is not None:
        return MappingAdapter(compile_mapping(mapping))
    if name is None:
        raise NotFoundError("no_adapter", "this source posts its events to /v1/events")
    return get_adapter(name)
