"""Whatever is put in place of a part of a care document: it is read, or refused with a reason and a place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.compensation_document import parse_policy
from app.domain.complaint_document import parse_rules, rules_document
from app.domain.errors import InvalidError
from app.domain.playbook_document import parse_playbooks
from app.domain.playbook_preset import default_document
from app.domain.routing import parse_routing

_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_DOCUMENTS: dict[str, tuple[Any, Any]] = {
    "playbooks": (
        parse_playbooks,
        {**default_document(), "waiting": {"notice_days": 1}, "verification_days": 3},
    ),
    "rules": (parse_rules, rules_document()),
    "routing": (
        parse_routing,
        {
            "owners": [{"employee": "a", "active": True}, {"employee": "b", "brand": "x"}],
            "rules": [{"name": "r", "when": {"kind": ["complaint"], "cause": "staff"}, "assignee": "c"}],
            "managers": {"c": "a"},
            "default_assignee": "d",
            "brand_attribute": "brand",
        },
    ),
    "compensation": (
        parse_policy,
        {
            "currency": "UAH",
            "rates": {"USD": "41.5"},
            "limits": {"agent": 2000},
            "roles": {"a": "agent"},
            "default_role": "agent",
            "approver": "b",
            "rules": [{"name": "r", "when": {"kind": "question"}, "types": ["gift"], "limits": {"agent": 1}}],
        },
    ),
}


def _replaced(data: st.DataObject, place: Any, junk: Any) -> Any:
    """The document with one place, somewhere inside, replaced by junk."""
    if isinstance(place, tuple):
        place = list(place)
    if not isinstance(place, dict | list) or not place or data.draw(st.integers(0, 3)) == 0:
        return junk
    keys = sorted(place) if isinstance(place, dict) else range(len(place))
    key = data.draw(st.sampled_from(list(keys)))
    place[key] = _replaced(data, place[key], junk)
    return place


@pytest.mark.parametrize("name", _DOCUMENTS)
@given(data=st.data(), junk=_junk)
def test_a_damaged_document_is_read_or_refused(name, data, junk):
    parse, document = _DOCUMENTS[name]
    try:
        parse(_replaced(data, copy.deepcopy(document), junk))
    except InvalidError as error:
        assert error.reason
        assert error.pointer == "" or error.pointer.startswith("/")


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_the_document_that_is_damaged_is_a_good_one(name):
    parse, document = _DOCUMENTS[name]
    assert parse(document)
