"""A lexicon of weighted word stems: which weight a word form has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SHORTEST_STEM: Final = 2
LONGEST_STEM: Final = 16
LONGEST_REMEMBERED: Final = 32
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Weights from -3 to 3. A word form has the weight of the longest stem that it begins with.

    `words` are whole words and go before stems (weight 0: an exception); `phrases` are two or more words
    in a row and go before both; `symbols` are emoji and smileys.
    """

    language: str
    version: str
    stems: Mapping[str, float]
    words: Mapping[str, float]
    phrases: Mapping[tuple[str, ...], float]
    symbols: Mapping[str, float]
    negators: frozenset[str]
    boosters: frozenset[str]
    contrasts: frozenset[str]
    openers: frozenset[str] = field(init=False)
    """first words of the phrases"""
    _found: dict[str, float | None] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "openers", frozenset(phrase[0] for phrase in self.phrases))

    def plain_weight(self, token: str) -> float | None:
        """The weight of a lower-case token by itself; None: it acts upon its neighbours, or they on it."""
        try:
            return self._found[token]
        except KeyError:
            pass
        weight = None if self._is_special(token) else self.weight(token)
        if len(token) <= LONGEST_REMEMBERED:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[token] = weight
        return weight

    def weight(self, token: str) -> float:
        """The weight of a lower-case word form or sign; 0 when nothing is known of it."""
        if token[0].isalnum():
            return self._weigh(token)
        return self.symbols.get(token) or self.symbols.get(token[:2]) or 0.0

    def _is_special(self, token: str) -> bool:
        return token in self.openers or token in self.negators or token in self.boosters

    def _weigh(self, word: str) -> float:
        known = self.words.get(word)
        if known is not None:
            return known
        for length in range(min(len(word), LONGEST_STEM), SHORTEST_STEM - 1, -1):
            stem = self.stems.get(word[:length])
            # a short stem must be nearly the whole word, or it is met by chance
            if stem is not None and (length > 3 or len(word) - length <= 3):
                return stem
        return 0.0


def read_lexicon(language: str, document: Mapping[str, Any]) -> Lexicon:
    """The lexicon of a document of ours."""
    return Lexicon(
        language=language,
        version=document["version"],
        stems=document["stems"],
        words=document["words"],
        phrases={tuple(text.split()): weight for text, weight in document["phrases"].items()},
        symbols=document["symbols"],
        negators=frozenset(document["negators"]),
        boosters=frozenset(document["boosters"]),
        contrasts=frozenset(document["contrasts"]),
    )
