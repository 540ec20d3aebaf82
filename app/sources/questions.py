"""A partner's answers read with what the source's configuration says of its questions; nothing is guessed.

Forms, flows and buttons send `key: value` and no scale. A key that the configuration names is an answer
on that scale, or text; one that it does not name is kept as the attribute `answer_<key>`, unscored: the
raw payload stays, and `reprocess` scores it when the configuration has learned the question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.domain.errors import InvalidError
from app.domain.scales import get_scale
from app.sources.errors import PayloadError

MAX_ATTRIBUTES = 40
MAX_ANSWERS = 50
_LONGEST_TEXT = 30_000
_LONGEST_ATTRIBUTE = 2_000
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")
_NOT_IN_KEYS = re.compile(r"[\x00-\x1f]+")

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class QuestionRule:
    """What one question of a partner is: `as_` is `score` (on `scale`), `text`, `attribute` or `nothing`.

    `question` renames it to a key of ours; `words` turns the partner's answers into values of the scale.
    """

    as_: str = "score"
    scale: str | None = None
    measure: str | None = None
    question: str | None = None
    words: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """One answer as the partner gives it. `scale` and `as_` are what the partner itself says of it."""

    key: str
    value: object
    pointer: str = ""
    as_: str = "attribute"
    scale: str | None = None
    measure: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(slots=True)
class Answers:
    """What a form said: scored answers, text, and what nobody has explained yet."""

    answers: list[dict[str, object]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str | None:
        """The texts, one under the other."""
        return "\n".join(self.texts)[:_LONGEST_TEXT] or None

    def __bool__(self) -> bool:
        return bool(self.answers or self.texts or self.attributes)


def read_answers(given: Iterable[Given], rules: Mapping[str, QuestionRule]) -> Answers:
    """Answers of a form. Raises PayloadError when a score is none of its scale's values."""
    found = Answers()
    for item in given:
        value = _scalar(item.value)
        if value is None:
            continue
        rule = next((rules[key] for key in (item.key, *item.aliases) if key in rules), None)
        match rule.as_ if rule is not None else item.as_:
            case "nothing":
                pass
            case "text":
                found.texts.append(str(value))
            case "score":
                found.answers.append(_answer(item, rule, value))
            case _:
                _keep(found, rule.question if rule and rule.question else f"answer_{item.key}", value)
    del found.answers[MAX_ANSWERS:]
    return found


def one_score(
    key: str, value: object, scale: str, measure: str, pointer: str = ""
) -> list[dict[str, object]]:
    """The `answers` of a partner's own question, whose scale it documents. Raises PayloadError."""
    stated = _scalar(value)
    if stated is None:
        return []
    return [_answer(Given(key, value, pointer, "score", scale, measure), None, stated)]


def slug(name: str, longest: int = 63) -> str:
    """A name as an attribute may bear it."""
    name = _NOT_IN_NAMES.sub("_", name).strip("_")[:longest]
    return name if name[:1].isalpha() else f"q_{name}"[:longest]


def _answer(item: Given, rule: QuestionRule | None, value: Scalar) -> dict[str, object]:
    scale = (rule.scale if rule is not None else None) or item.scale
    measure = (rule.measure if rule is not None else None) or item.measure
    raw: object = value
    if rule is not None and rule.words:
        key = str(value).lower() if isinstance(value, bool) else str(value)
        if key not in rule.words:
            raise _unreadable(item, f"{key[:60]!r} is none of the words of this question", "words")
        raw = rule.words[key]
    if isinstance(raw, bool):
        raw = int(raw)
    if scale is not None:
        try:
            get_scale(scale).read(raw if isinstance(raw, int | float) else str(raw))
        except InvalidError as error:
            raise _unreadable(item, error.detail, "scale") from error
    name = (rule.question if rule is not None else None) or _NOT_IN_KEYS.sub(" ", item.key).strip()[:100]
    stated = {"question": name, "scale": scale, "measure": measure, "value": raw}
    return {key: part for key, part in stated.items() if part is not None}


def _keep(found: Answers, name: str, value: Scalar) -> None:
    if len(found.attributes) < MAX_ATTRIBUTES:
        kept = value[:_LONGEST_ATTRIBUTE] if isinstance(value, str) else value
        if isinstance(kept, int) and abs(kept) >= 2**63:
            kept = str(kept)
        found.attributes.setdefault(slug(name), kept)


def _scalar(value: object) -> Scalar | None:
    """One value; a list of values is written as text; nothing is None."""
    if isinstance(value, list | tuple):
        parts = [str(part) for part in value if isinstance(part, str | int | float) and part != ""]
        return ", ".join(parts) or None
    if isinstance(value, str):
        return value.strip() or None
    return value if isinstance(value, int | float | bool) else None


def _unreadable(item: Given, detail: str, what: str) -> PayloadError:
    return PayloadError(
        "score_invalid",
        f"the answer to {item.key[:60]!r}: {detail}",
        pointer=item.pointer,
        cure=f"Correct the {what} of this question in the source's `defaults.questions`, then replay.",
    )
