"""Documents of complaint rules: what they change, what is refused; severity explained."""

from __future__ import annotations

import pytest

from app.domain.complaint import (
    DEFAULT_RULES,
    CaseKind,
    Severity,
    detect,
    severity_of_signs,
    severity_reason,
    severity_signs,
)
from app.domain.complaint_document import parse_rules, rules_document
from app.domain.errors import InvalidError


def test_the_preset_is_read_from_its_own_document():
    assert parse_rules(rules_document()) == DEFAULT_RULES
    assert parse_rules({}) == DEFAULT_RULES


def test_what_a_document_says_takes_effect_and_the_rest_stays():
    rules = parse_rules({"words": {"pl": ["skarg"]}, "low_norm01": None, "legal_words": ["sąd"]})
    assert detect({"text": "To jest skarga!"}, None, rules).rule_id == "words.pl"
    assert detect({"answers": [{"norm01": 0.1}]}, None, rules) is None
    assert severity_signs({"text": "pójdę do sąd"}, rules=rules) == ("legal",)
    assert severity_signs({"cause": "staff.rudeness"}, rules=rules) == ("rudeness",)


@pytest.mark.parametrize(
    ("document", "reason", "pointer"),
    [
        ([], "not_an_object", ""),
        ({"word": {}}, "unknown_key", "/word"),
        ({"words": {"en": "bad"}}, "not_an_array", "/words/en"),
        ({"words": {"en": ["Bad"]}}, "not_lower_case", "/words/en/0"),
        ({"words": {"en": [" "]}}, "not_text", "/words/en/0"),
        ({"low_norm01": 2}, "out_of_range", "/low_norm01"),
        ({"repeat_days": 0}, "out_of_range", "/repeat_days"),
        ({"safety_words": ["a"] * 501}, "too_many", "/safety_words"),
        ({"negative_class": False, "low_norm01": None, "words": {}}, "finds_nothing", ""),
    ],
)
def test_a_wrong_document_is_refused_at_its_place(document, reason, pointer):
    with pytest.raises(InvalidError) as refused:
        parse_rules(document)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


@pytest.mark.parametrize(
    ("kind", "signs", "severity", "why"),
    [
        ("complaint", (), "sev3", "a complaint starts at sev3"),
        (
            "complaint",
            ("rudeness", "loss"),
            "sev1",
            "a complaint starts at sev3, one up for rudeness, one up for loss",
        ),
        ("question", ("repeat",), "sev4", "a question is sev4"),
        ("question", ("legal",), "sev1", "legal: always sev1"),
        ("complaint", ("safety", "repeat"), "sev1", "safety: always sev1"),
    ],
)
def test_a_severity_comes_with_its_reason(kind, signs, severity, why):
    assert severity_of_signs(CaseKind(kind), signs) is Severity(severity)
    assert severity_reason(CaseKind(kind), signs) == why
