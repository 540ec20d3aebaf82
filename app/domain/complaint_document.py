"""Documents of complaint and severity rules: what is accepted, and what is refused with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from app.domain.complaint import DEFAULT_RULES, ComplaintRules
from app.domain.sla.document import Node

_LISTS: Final = (
    "safety_words", "safety_causes", "legal_words", "legal_causes", "rudeness_causes", "loss_causes",
)  # fmt: skip
_KEYS: Final = ("negative_class", "low_norm01", "words", "model_confidence", "repeat_days", *_LISTS)
_MOST_WORDS: Final = 500


def rules_document(rules: ComplaintRules = DEFAULT_RULES) -> dict[str, Any]:
    """The rules in the form that `parse_rules` reads."""
    return {
        "negative_class": rules.negative_class,
        "low_norm01": rules.low_norm01,
        "words": {language: list(stems) for language, stems in rules.words.items()},
        "model_confidence": rules.model_confidence,
        "repeat_days": rules.repeat_days,
        **{name: list(getattr(rules, name)) for name in _LISTS},
    }


def parse_rules(document: object) -> ComplaintRules:
    """Read a document of rules; what it leaves out stays as it is in the preset.

    Word lists hold stems in lower case, matched at the beginning of a word. Raises `InvalidError` with a
    pointer: `unknown_key`, `not_an_array`, `not_text`, `not_lower_case`, `out_of_range`, `too_many`,
    `finds_nothing` when no rule is left that could find a complaint.
    """
    node = Node(document)
    fields = node.fields(_KEYS)
    changes: dict[str, Any] = {name: _words(fields[name]) for name in _LISTS if name in fields}
    if "negative_class" in fields:
        changes["negative_class"] = fields["negative_class"].flag()
    if "low_norm01" in fields:
        low = fields["low_norm01"]
        changes["low_norm01"] = None if low.value is None else _share(low)
    if "model_confidence" in fields:
        changes["model_confidence"] = _share(fields["model_confidence"])
    if "repeat_days" in fields:
        changes["repeat_days"] = fields["repeat_days"].integer(1, 365)
    if "words" in fields:
        changes["words"] = _by_language(fields["words"])
    rules = replace(DEFAULT_RULES, **changes)
    if not rules.negative_class and rules.low_norm01 is None and not any(rules.words.values()):
        detail = "With these rules no score and no word would ever be a complaint."
        raise node.refusal("finds_nothing", detail, "Leave at least one rule.")
    return rules


def _by_language(node: Node) -> Mapping[str, tuple[str, ...]]:
    return {language: _words(child) for language, child in node.members().items()}


def _words(node: Node) -> tuple[str, ...]:
    elements = node.elements()
    if len(elements) > _MOST_WORDS:
        raise node.refusal("too_many", f"At most {_MOST_WORDS} are kept.", "Use stems.")
    words = []
    for element in elements:
        word = element.text().strip()
        if word != word.casefold():
            raise element.refusal(
                "not_lower_case", f"{word!r} would never match.", f"Write {word.casefold()!r}."
            )
        words.append(word)
    return tuple(words)


def _share(node: Node) -> float:
    share = node.number()
    if not 0 <= share <= 1:
        raise node.refusal("out_of_range", "A number from 0 to 1 is expected here.")
    return share
