"""Rules that find touchpoints, what the map leaves out, and templates that can be placed as they are."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.errors import InvalidError
from app.domain.journey.coverage import Heard, Touchpoint, cover
from app.domain.journey.rules import Stage, parse_journey_rules
from app.domain.journey.templates import LANGUAGES, TEMPLATES, template

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def document(*rules: Any) -> dict[str, Any]:
    return {"format": 1, "rules": list(rules)}


def test_the_first_rule_that_holds_in_every_fact_finds_the_touchpoint() -> None:
    rules = parse_journey_rules(
        document(
            {"when": {"source": ["chat"], "attributes.page": ["basket"]}, "touchpoint": "basket"},
            {"when": {"source": ["chat", "crm"]}, "touchpoint": "chat", "stage": "after"},
        ),
        3,
    )
    found = rules.find("chat", "feedback.received", {"attributes": {"page": "basket"}})
    assert found is not None and found.touchpoint == "basket"
    found = rules.find("chat", "feedback.received", {"attributes": {"page": "home"}})
    assert found is not None and (found.touchpoint, found.stage) == ("chat", Stage.AFTER)
    assert rules.find("till", "feedback.received", {}) is None


@pytest.mark.parametrize(
    ("rule", "reason", "pointer"),
    [
        ({"when": {}, "touchpoint": "x"}, "matches_all", "/rules/0/when"),
        ({"when": {"colour": ["red"]}, "touchpoint": "x"}, "unknown_fact", "/rules/0/when/colour"),
        ({"when": {"source": []}, "touchpoint": "x"}, "no_values", "/rules/0/when/source"),
        ({"when": {"source": ["a"]}}, "missing_key", "/rules/0"),
        (
            {"when": {"source": ["a"]}, "touchpoint": "x", "stage": "later"},
            "unknown_choice",
            "/rules/0/stage",
        ),
    ],
)
def test_a_bad_rule_is_refused_where_it_is_bad(rule: Any, reason: str, pointer: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_journey_rules(document(rule), 1)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


def findings(*touchpoints: Touchpoint, **heard: Heard) -> dict[str, tuple[str, ...]]:
    return {item.touchpoint.key: item.findings for item in cover(touchpoints, heard)}


KEY = Touchpoint("shop", None, Stage.PURCHASE, is_key=True, owner="olena", questions=("csat",))


@pytest.mark.parametrize(
    ("touchpoint", "heard", "found"),
    [
        (KEY, Heard(3, NOON, frozenset({"csat"})), ()),
        (KEY, Heard(3, NOON, frozenset({"other"})), ("survey_silent",)),
        (KEY, Heard(), ("survey_silent",)),
        (Touchpoint("shop", None, Stage.PURCHASE, True, "olena"), Heard(3, NOON), ("no_survey",)),
        (Touchpoint("shop", None, Stage.PURCHASE, True), Heard(), ("no_survey", "no_owner")),
        (Touchpoint("shop", None, Stage.PURCHASE), Heard(), ()),
        (Touchpoint("shop"), Heard(3, NOON), ("uncategorised",)),
    ],
)
def test_a_key_touchpoint_without_a_living_survey_is_a_finding(
    touchpoint: Touchpoint, heard: Heard, found: tuple[str, ...]
) -> None:
    assert findings(touchpoint, shop=heard) == {"shop": found}


def test_a_survey_below_covers_the_touchpoint_above_it() -> None:
    above = Touchpoint("floor", None, Stage.PURCHASE, True, "olena")
    below = Touchpoint("till", "floor", Stage.PURCHASE, questions=("csat",))
    assert findings(above, below, till=Heard(2, NOON, frozenset({"csat"})))["floor"] == ()
    [first, _] = cover([above, below], {"till": Heard(2, NOON, frozenset({"csat"}))})
    assert (first.answers, first.answers_below, first.last_at) == (0, 2, NOON)


@pytest.mark.parametrize("industry", TEMPLATES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_is_a_tree_of_all_stages_in_every_language(industry: str, language: str) -> None:
    items = template(industry, language)
    keys = [item["key"] for item in items]
    assert len(set(keys)) == len(keys)
    assert {item["parent"] for item in items} - {None} <= set(keys)
    assert {Stage(item["stage"]) for item in items} == set(Stage)
    assert all(item["title"] for item in items)
    assert sum(item["is_key"] for item in items) >= 4
