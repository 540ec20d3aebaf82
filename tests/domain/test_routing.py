"""Routing: exactly one owner, ordered rules, causes as branches; which documents are refused."""

from __future__ import annotations

import pytest

from app.domain.errors import InvalidError
from app.domain.routing import parse_routing

DOCUMENT = {
    "owners": [
        {"employee": "olena"},
        {"employee": "former", "active": False},
        {"employee": "lux-owner", "brand": "lux"},
    ],
    "rules": [
        {"name": "grave", "when": {"severity": "sev1", "kind": ["complaint"]}, "assignee": "head"},
        {"name": "staff", "when": {"cause": "staff", "location": ["kyiv-1", "kyiv-2"]}, "assignee": "hr"},
        {
            "name": "lux queues",
            "when": {"cause": "office_process.queue", "brand": "lux"},
            "assignee": "lux-lead",
        },
    ],
    "managers": {"hr": "head"},
}
ROUTING = parse_routing(DOCUMENT)
LUX = {"attributes": {"brand": "lux"}}


@pytest.mark.parametrize(
    ("facts", "assignee", "rule"),
    [
        ({"severity": "sev1", "kind": "complaint", "cause": "staff.rudeness"}, "head", "grave"),
        ({"severity": "sev1", "kind": "question"}, "olena", "feedback_owner"),
        ({"cause": "staff.rudeness", "location": "kyiv-2"}, "hr", "staff"),
        ({"cause": "staff", "location": "kyiv-1"}, "hr", "staff"),
        ({"cause": "staffing", "location": "kyiv-1"}, "olena", "feedback_owner"),
        ({"cause": "staff.rudeness"}, "olena", "feedback_owner"),
        ({"cause": "office_process.queue"}, "olena", "feedback_owner"),
        ({"cause": "office_process.queue", **LUX}, "lux-lead", "lux queues"),
        (LUX, "lux-owner", "feedback_owner"),
        ({"attributes": {"brand": "other"}}, "olena", "feedback_owner"),
        ({}, "olena", "feedback_owner"),
    ],
)
def test_the_first_rule_that_holds_decides_else_the_owner_of_the_brand(facts, assignee, rule):
    found = ROUTING.assign(facts)
    assert (found.assignee, found.rule) == (assignee, rule)


def test_a_default_assignee_stands_before_the_owner_who_stays_the_last_rung():
    routing = parse_routing({**DOCUMENT, "default_assignee": "desk"})
    assert routing.assign({}).assignee == "desk"
    assert routing.above("hr", {}) == "head"
    assert routing.above("desk", LUX) == "lux-owner"
    assert routing.above(None, {}) == "olena"


@pytest.mark.parametrize(
    ("change", "reason", "pointer"),
    [
        ({"owners": []}, "owner_missing", "/owners"),
        ({"owners": [{"employee": "a", "brand": "lux"}]}, "owner_missing", "/owners"),
        ({"owners": [{"employee": "a", "active": False}]}, "owner_missing", "/owners"),
        ({"owners": [{"employee": "a"}, {"employee": "b"}]}, "owner_ambiguous", "/owners/1"),
        (
            {"owners": [{"employee": "a"}, *({"employee": x, "brand": "l"} for x in "bc")]},
            "owner_ambiguous",
            "/owners/2",
        ),
        ({"owners": [{"employee": " a"}]}, "not_a_key", "/owners/0/employee"),
        (
            {"rules": [{"name": "a", "when": {"mood": "x"}, "assignee": "b"}]},
            "unknown_key",
            "/rules/0/when/mood",
        ),
        (
            {"rules": [{"name": "a", "when": {"kind": "x"}, "assignee": "b"}]},
            "unknown_value",
            "/rules/0/when/kind",
        ),
        (
            {"rules": [{"name": "a", "when": {"kind": []}, "assignee": "b"}]},
            "never_matches",
            "/rules/0/when/kind",
        ),
        ({"rules": [{"name": "feedback_owner", "when": {}, "assignee": "b"}]}, "repeated_key", "/rules/0"),
        ({"managers": {"a": "a"}}, "manager_of_himself", "/managers/a"),
    ],
)
def test_a_wrong_routing_is_refused_at_its_place(change, reason, pointer):
    with pytest.raises(InvalidError) as refused:
        parse_routing({**DOCUMENT, **change})
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)
