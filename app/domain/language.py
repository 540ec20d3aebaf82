"""The language of a text, by its letters and its commonest words: Ukrainian, Russian or English."""

from __future__ import annotations

import re
from typing import Final

LONGEST_TEXT: Final = 1_000

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
    words = _WORD.findall(text[:LONGEST_TEXT].lower().replace("\u2019", "'"))
    if not words:
        return None
    cyrillic = sum("Ѐ" <= word[0] <= "ӿ" for word in words)
    if cyrillic * 2 > len(words):
        return _cyrillic(words)
    if cyrillic:
        return None
    common = sum(word in _COMMON["en"] for word in words)
    return "en" if common and common >= _LEAST_SHARE * len(words) else None


def _cyrillic(words: list[str]) -> str | None:
    found = {
        language: 3 * sum(letter in letters for word in words for letter in word)
        + sum(word in _COMMON[language] for word in words)
        for language, letters in _LETTERS.items()
    }
    if found["uk"] == found["ru"]:
        return None
    return max(found, key=lambda language: found[language])
