"""Reads a customer's text offline when it is accepted: language, sentiment, hints. No score is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from app.domain.cause_hints import hint_cause
from app.domain.complaint import detect
from app.domain.events import EventType
from app.domain.language import detect_language
from app.domain.sentiment.lexicon import Lexicon, read_lexicon
from app.domain.sentiment.score import LONGEST_TEXT, Sentiment, judged, sentiment_of
from app.journal.config import TenantConfig
from app.journal.ports import Draft
from app.language.vader import Vader

VADER_VERSION: Final = "3.3.2"
VADER_THRESHOLD: Final = 0.05
"""The threshold that its authors give."""

_LEXICONS: Final = ("uk", "ru")
_READ: Final = frozenset(
    {
        EventType.FEEDBACK_RECEIVED,
        EventType.REVIEW_PUBLISHED,
        EventType.REVIEW_EDITED,
        EventType.SURVEY_ANSWERED,
    }
)


class TextReader:
    """The annotator of texts: English by VADER, Ukrainian and Russian by lexicons of our own.

    What it finds stands in the event's facts with method and version, so that a rebuild finds the same
    after the lexicon has changed; a tenant's own classifier replaces it by `feedback.classified`.
    """

    def __init__(self) -> None:
        self._lexicons: dict[str, Lexicon] = {name: _load(name) for name in _LEXICONS}
        self._vader = Vader()

    def annotate(self, draft: Draft, config: TenantConfig) -> Draft:
        """The draft with what its text says; as it was, when there is no text."""
        if draft.event.type not in _READ:
            return draft
        text = "\n".join(
            part for name in ("title", "text") if isinstance(part := draft.personal.get(name), str) and part
        )
        if not text.strip():
            return draft
        stated = draft.fact.get("lang")
        language = str(stated).lower()[:2] if stated else detect_language(text)
        reading = self.read(text, language)
        fact: dict[str, Any] = {**draft.fact, "reading": reading}
        if stated is None and language is not None:
            fact["lang"] = language
            reading["lang"] = "detected"
        return draft.with_fact(fact)

    def read(self, text: str, language: str | None) -> dict[str, Any]:
        """Sentiment and hints of a text, as they stand in the facts."""
        sentiment = self.sentiment(text, language)
        reading: dict[str, Any] = {"sentiment": sentiment.as_fact()}
        if sentiment.label == "positive":
            return reading  # praise needs no hints, and most texts are praise
        finding = detect({"text": text}, None)
        hints: Mapping[str, Any] = {
            "complaint": None if finding is None else finding.rule_id,
            "cause": hint_cause(text),
        }
        found = {name: value for name, value in hints.items() if value is not None}
        if found:
            reading["hints"] = {**found, "method": "rules"}
        return reading

    def sentiment(self, text: str, language: str | None) -> Sentiment:
        """The sentiment of a text; unknown in a language that is not read."""
        if language in self._lexicons:
            return sentiment_of(text, self._lexicons[language])
        if language == "en":
            score = self._vader.compound(text[:LONGEST_TEXT])
            return judged(score, "vader", VADER_VERSION, VADER_THRESHOLD)
        return Sentiment("unknown", 0.0, 0.0, "none", "1")


def _load(language: str) -> Lexicon:
    document = files("app.language").joinpath(f"lexicons/{language}.json").read_text("utf-8")
    return read_lexicon(language, json.loads(document))
