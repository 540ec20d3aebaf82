"""Words, negation, contrast and signs: what a text is taken to say, and when nothing is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.cause_hints import hint_cause
from app.domain.language import detect_language
from app.domain.sentiment.lexicon import read_lexicon
from app.domain.sentiment.score import sentiment_of
from app.language.reader import TextReader

LEXICON = read_lexicon(
    "xx",
    {
        "version": "1",
        "stems": {"good": 2.0, "bad": -2.0, "terrib": -3.0},
        "words": {"badge": 0.0},
        "phrases": {"no problem": 1.0},
        "symbols": {"👍": 2.0, "((": -1.5},
        "negators": ["not", "no"],
        "boosters": ["very"],
        "contrasts": ["but"],
    },
)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("good", "positive"),
        ("Goodness!", "positive"),
        ("not good", "negative"),
        ("not at good", "negative"),
        ("not at all very good", "positive"),  # out of the negator's reach
        ("bad badge", "negative"),
        ("badge", "unknown"),
        ("no problem", "positive"),
        ("it was good but terrible", "negative"),
        ("it was terrible but good good", "positive"),
        ("👍", "positive"),
        ("so so ((", "negative"),
        ("good bad", "unknown"),
        ("the table is green", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_a_text_says(text: str, label: str) -> None:
    assert sentiment_of(text, LEXICON).label == label


def test_a_booster_makes_it_stronger() -> None:
    assert sentiment_of("very good", LEXICON).score > sentiment_of("good", LEXICON).score


@given(st.text(max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    found = sentiment_of(text, LEXICON)
    assert -1 <= found.score <= 1
    assert found.label == "unknown" or found.confidence >= 0.12
    hint_cause(text)
    assert detect_language(text) in ("uk", "ru", "en", None)


READER = TextReader()


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("uk", "Чудовий сервіс, дякую!", "positive"),
        ("uk", "Не раджу, обманули", "negative"),
        ("uk", "Чекав дві години, дуже повільно", "negative"),
        ("uk", "Жодних проблем, все добре", "positive"),
        ("uk", "Ваша робота і дорога", "unknown"),
        ("ru", "Отличная работа, спасибо", "positive"),
        ("ru", "Мастер не приехал, деньги не вернули", "negative"),
        ("ru", "Не понравилось", "negative"),
        ("ru", "Работа сайта: страница заказа", "unknown"),
        ("en", "The staff were friendly and helpful", "positive"),
        ("en", "Awful, I want my money back", "negative"),
        ("de", "Sehr gut", "unknown"),
        (None, "👍", "unknown"),
    ],
)
def test_service_feedback_in_three_languages(language: str | None, text: str, label: str) -> None:
    assert READER.sentiment(text, language).label == label


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Дуже довго чекали, але все добре", "uk"),
        ("Очень долго ждали, но всё хорошо", "ru"),
        ("спасибо", "ru"),
        ("дякую", "uk"),
        ("The food was cold and the waiter rude", "en"),
        ("Das Essen war kalt und der Kellner unfreundlich", None),
        ("ок", None),
        ("12345", None),
        ("", None),
    ],
)
def test_the_language_of_a_text(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Менеджер нагрубіянив мені", "staff.rudeness"),
        ("Стояли в очереди час", "office_process.queue"),
        ("Still waiting for my parcel", "office_process.delivery_delay"),
        ("Ніхто не передзвонив", "office_process.no_status_info"),
        ("Все чудово", None),
    ],
)
def test_a_cause_is_hinted_by_words(text: str, cause: str | None) -> None:
    assert hint_cause(text) == cause
