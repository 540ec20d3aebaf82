"""A lexicon of weighted word stems: which weight a word form has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SHORTEST_STEM: Final = 2
LONGEST_STEM: Final = 16


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

    def weight(self, word: str) -> float:
        """The weight of a lower-case word form; 0 when nothing is known of it."""
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
