"""The language of a text, by its letters and its commonest words: Ukrainian, Russian or English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

LONGEST_TEXT: Final = 1_000
_LONGEST_REMEMBERED: Final = 32

_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*", re.UNICODE)
_LETTERS: Final = {"uk": frozenset("іїєґ"), "ru": frozenset("ыэъё")}
_COMMON: Final = {
    language: frozenset(words.split(", "))
    for language, words in {
        "uk": "і, й, та, що, як, це, він, немає, дуже, було, при, але, для, вже, ще, тільки, дякую, "
        "добре, все, також, до, з, у, ви, мені, чому",
        "ru": "и, что, как, это, он, нет, очень, было, при, но, для, уже, еще, только, спасибо, хорошо, "
        "все, также, с, мне, почему, вы, меня, их, или",
        "en": "the, a, an, and, is, was, it, to, of, in, for, not, very, my, i, you, we, they, this, that, "
        "with, have, had, but, no, on, so, good, bad, great, thanks, thank, service",
    }.items()
}
_LEAST_SHARE: Final = 0.12
"""Of a text's Latin words so many must be common English ones: it could be any other language."""


def detect_language(text: str) -> str | None:
    """`uk`, `ru` or `en`; None when the text does not say (too short, mixed, another language)."""
    lowered = text[:LONGEST_TEXT].lower().replace("\u2019", "'")
    words: list[str] = []
    for chunk in lowered.split():
        words += _words_of(chunk) if len(chunk) <= _LONGEST_REMEMBERED else _WORD.findall(chunk)
    if not words:
        return None
    cyrillic = sum("Ѐ" <= word[0] <= "ӿ" for word in words)
    if cyrillic * 2 > len(words):
        return _cyrillic(lowered, words)
    if cyrillic:
        return None
    common = sum(word in _COMMON["en"] for word in words)
    return "en" if common and common >= _LEAST_SHARE * len(words) else None


@lru_cache(maxsize=20_000)
def _words_of(chunk: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(chunk))


def _cyrillic(lowered: str, words: Sequence[str]) -> str | None:
    found = {
        language: 3 * sum(map(lowered.count, letters))
        + len([1 for word in words if word in _COMMON[language]])
        for language, letters in _LETTERS.items()
    }
    if found["uk"] == found["ru"]:
        return None
    return max(found, key=lambda language: found[language])
