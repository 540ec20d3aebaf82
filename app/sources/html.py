"""Text out of the HTML that helpdesks send: tags away, breaks kept, entities read."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"<\s*(?:br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>", re.IGNORECASE)
_HIDDEN = re.compile(r"<\s*(script|style)\b.*?<\s*/\s*\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z!][^<>]*>")
_SPACES = re.compile(r"[ \t\xa0]+")
_LINES = re.compile(r"\s*\n\s*")

MAX_CHARACTERS = 200_000


def text_of_html(written: str | None) -> str | None:
    """What a person reads in it, None when that is nothing (a picture, an empty paragraph)."""
    if written is None:
        return None
    text = _TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub("", written[:MAX_CHARACTERS])))
    return _LINES.sub("\n", _SPACES.sub(" ", html.unescape(text))).strip() or None
