"""The sentiment of a text by a lexicon: sum of weights, turned round by negation, weighed by contrast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Any, Final

from app.domain.sentiment.lexicon import LONGEST_REMEMBERED, Lexicon

THRESHOLD: Final = 0.12
"""Below this strength (of 1) nothing is said: `unknown`, which is not `neutral`."""
TURNED: Final = -0.75
BOOSTED: Final = 1.4
BEFORE_CONTRAST, AFTER_CONTRAST = 0.6, 1.3
REACH: Final = 2
"""How many words a negator turns round."""
LONGEST_TEXT: Final = 5_000

_TOKEN: Final = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*|[():]{2,}|:d\b|[^\w\s]", re.UNICODE)
_SMOOTHING: Final = 12.0


@dataclass(frozen=True, slots=True)
class Sentiment:
    """What a text says: positive, negative or unknown; `score` -1..1, `confidence` 0..1 (its strength)."""

    label: str
    score: float
    confidence: float
    method: str
    version: str

    def as_fact(self) -> dict[str, Any]:
        """The JSON form kept in the journal."""
        return {
            "label": self.label,
            "score": round(self.score, 3),
            "confidence": round(self.confidence, 3),
            "method": self.method,
            "version": self.version,
        }


def sentiment_of(text: str, lexicon: Lexicon) -> Sentiment:
    """The sentiment of a text in the lexicon's language; only its first 5,000 letters are read."""
    tokens = tokens_of(text)
    weights = _weights(tokens, lexicon)
    turn = next((at for at, token in enumerate(tokens) if token in lexicon.contrasts and at > 2), None)
    if turn is not None and any(at < turn for at, _ in weights) and any(at > turn for at, _ in weights):
        total = sum(weight * (BEFORE_CONTRAST if at < turn else AFTER_CONTRAST) for at, weight in weights)
    else:
        total = sum(weight for _, weight in weights)
    return judged(total / sqrt(total * total + _SMOOTHING), f"lexicon_{lexicon.language}", lexicon.version)


def judged(score: float, method: str, version: str, threshold: float = THRESHOLD) -> Sentiment:
    """The label of a score from -1 to 1, whoever gave it."""
    label = "positive" if score >= threshold else "negative" if score <= -threshold else "unknown"
    return Sentiment(label, score, abs(score), method, version)


def tokens_of(text: str) -> list[str]:
    """Lower-case words, smileys and signs, with one kind of apostrophe and without the Russian ё."""
    lowered = text[:LONGEST_TEXT].lower().replace("\u2019", "'").replace("\u02bc", "'").replace("ё", "е")
    tokens: list[str] = []
    # no token holds a space, and people use few words: each is taken apart once
    for chunk in lowered.split():
        tokens += _tokens_of(chunk) if len(chunk) <= LONGEST_REMEMBERED else _TOKEN.findall(chunk)
    return tokens


@lru_cache(maxsize=20_000)
def _tokens_of(chunk: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(chunk))


def _weights(tokens: Sequence[str], lexicon: Lexicon) -> list[tuple[int, float]]:
    """Where something speaks, and how much; most words say nothing."""
    found: list[tuple[int, float]] = []
    negated_at = boosted_at = -9
    at = 0
    while at < len(tokens):
        weight = lexicon.plain_weight(tokens[at])
        if weight is None:
            phrase, length = _phrase(tokens, at, lexicon)
            if length:
                found.append((at, phrase))
                at += length
                negated_at = -9
                continue
            token = tokens[at]
            if token in lexicon.negators:
                negated_at = at
                weight = lexicon.words.get(token, 0.0)
            elif token in lexicon.boosters:
                boosted_at = at
                weight = 0.0
            else:
                weight = lexicon.weight(token)
        if weight:
            if boosted_at == at - 1:
                weight *= BOOSTED
            found.append((at, weight * TURNED if 0 < at - negated_at <= REACH else weight))
        at += 1
    return found


def _phrase(tokens: Sequence[str], at: int, lexicon: Lexicon) -> tuple[float, int]:
    if tokens[at] not in lexicon.openers:
        return 0.0, 0
    for length in (3, 2, 1):
        weight = lexicon.phrases.get(tuple(tokens[at : at + length]))
        if weight is not None:
            return weight, length
    return 0.0, 0
