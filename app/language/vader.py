"""VADER's compound score of an English text by VADER's own rules, asked only where a word speaks."""

from __future__ import annotations

from string import punctuation
from typing import Any, NamedTuple

from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SentimentIntensityAnalyzer, normalize

_BEFORE, _AFTER = 3, 2
"""How far its rules look from a word to its neighbours."""
_TURNING = frozenset({*NEGATE, "so", "this"})
"""Words without which nothing is negated; so does every word with `n't`."""
_LONGEST_REMEMBERED = 32
_REMEMBERED = 20_000


class _Word(NamedTuple):
    """A word of a text: as it stands there without punctuation, and whether it may say something."""

    text: str
    lowered: str
    speaks: bool
    is_upper: bool


class _Window:
    """A word and its neighbours, as the rules want them."""

    def __init__(self, words: list[str], is_cap_diff: bool) -> None:
        self.words_and_emoticons = words
        self.is_cap_diff = is_cap_diff


class Vader(SentimentIntensityAnalyzer):  # type: ignore[misc]
    """The same score as the library's, which walks the whole text again for each of its words."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, _Word] = {}

    def compound(self, text: str) -> float:
        """The score from -1 to 1."""
        text = text if text.isascii() else self._described(text)
        known = self._known
        words = [known.get(chunk) or self._read(chunk) for chunk in text.split()]
        speaking = [at for at, word in enumerate(words) if word.speaks]
        if not speaking:
            return 0.0
        raised = sum(word.is_upper for word in words)
        valences = self._valences(words, speaking, is_cap_diff=0 < raised < len(words))
        total = float(sum(valences))
        emphasis = self._punctuation_emphasis(text)
        total += emphasis if total > 0 else -emphasis if total < 0 else 0
        return round(float(normalize(total)), 4)

    def _valences(self, words: list[_Word], speaking: list[int], *, is_cap_diff: bool) -> list[Any]:
        found: list[Any] = [0] * len(words)
        texts = [word.text for word in words]
        lowered = [word.lowered for word in words]
        for at in speaking:
            if lowered[at : at + 2] == ["kind", "of"]:
                continue
            first = max(0, at - _BEFORE)
            window = _Window(texts[first : at + _AFTER + 1], is_cap_diff)
            [found[at]] = self.sentiment_valence(0, window, texts[at], at - first, [])
        return self._but_check(texts, found) if "but" in lowered else found

    def _read(self, chunk: str) -> _Word:
        stripped = chunk.strip(punctuation)
        text = stripped if len(stripped) > 2 else chunk  # two signs are an emoticon
        lowered = text.lower()
        word = _Word(text, lowered, lowered in self.lexicon and lowered not in BOOSTER_DICT, text.isupper())
        if len(chunk) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[chunk] = word
        return word

    def _negation_check(self, valence: float, words: list[str], start_i: int, i: int) -> float:
        """The library's, which looks through all its negators each time, where there may be one."""
        before = [word.lower() for word in words[max(0, i - _BEFORE) : i]]
        if _TURNING.isdisjoint(before) and "n't" not in " ".join(before):
            return valence
        turned: float = super()._negation_check(valence, words, start_i, i)
        return turned

    def _described(self, text: str) -> str:
        """The text with its emoji in words."""
        described, spaced = "", True
        for sign in text:
            words = self.emojis.get(sign)
            if words is None:
                described += sign
                spaced = sign == " "
            else:
                described += words if spaced else f" {words}"
                spaced = False
        return described
