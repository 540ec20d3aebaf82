"""Our way through VADER's rules gives the library's own score, to the last digit."""

from hypothesis import given
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from app.language.vader import Vader

OURS, LIBRARY = Vader(), SentimentIntensityAnalyzer()
_TEXT = (
    "good bad great not never so this without doubt least at very kind of sort but no nor or isn't "
    "the bomb yeah right kiss to die for GREAT BAD Terrible happy, sad! love? :) :( 💘 😁 lol table "
    "just enough hardly cannot waiter ass a"
)
_WORDS = _TEXT.split()


@given(st.lists(st.sampled_from(_WORDS), max_size=14).map(" ".join))
def test_words_that_turn_each_other_round_score_as_in_the_library(text: str) -> None:
    assert OURS.compound(text) == LIBRARY.polarity_scores(text)["compound"]


@given(st.text(max_size=80))
def test_odd_texts_score_as_in_the_library(text: str) -> None:
    assert OURS.compound(text) == LIBRARY.polarity_scores(text)["compound"]


def test_a_text_in_which_nothing_speaks_scores_zero() -> None:
    assert OURS.compound("the table stands by the door") == 0.0
    assert OURS.compound("the good table stands by the door") > 0.0
