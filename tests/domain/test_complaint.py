"""When feedback is a complaint, who decided so, how severe it starts, and what its case opens with."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.case_opening import (
    case_opening,
    feedback_case_ref,
    internal_case_ref,
    internal_place,
    named_by,
    next_internal_ref,
)
from app.domain.complaint import (
    CaseKind,
    ComplaintRules,
    DecidedBy,
    Severity,
    case_kind,
    detect,
    initial_severity,
    severity_signs,
)
from app.domain.scales import AnswerClass

POSITIVE, NEUTRAL, NEGATIVE = AnswerClass.POSITIVE, AnswerClass.NEUTRAL, AnswerClass.NEGATIVE
UNKNOWN = AnswerClass.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "answer_class", "decided_by", "rule_id"),
    [
        ({"is_complaint": True}, POSITIVE, DecidedBy.EXPLICIT, "is_complaint"),
        ({"kind": "complaint"}, POSITIVE, DecidedBy.EXPLICIT, "kind"),
        ({"kind": "rating"}, NEGATIVE, DecidedBy.RULE, "negative_class"),
        ({"kind": "complaint"}, NEGATIVE, DecidedBy.EXPLICIT, "kind"),
        ({"answers": [{"norm01": 1.0}, {"norm01": 0.25}]}, UNKNOWN, DecidedBy.RULE, "low_score"),
        ({"text": "Залишаю СКАРГУ на касира"}, UNKNOWN, DecidedBy.RULE, "words.uk"),
        ({"text": "Верните деньги"}, NEUTRAL, DecidedBy.RULE, "words.ru"),
        ({"title": "Terrible  queue"}, None, DecidedBy.RULE, "words.en"),
    ],
)
def test_the_first_that_has_an_opinion_decides_and_is_named(facts, answer_class, decided_by, rule_id):
    finding = detect(facts, answer_class)
    assert finding is not None
    assert (finding.decided_by, finding.rule_id) == (decided_by, rule_id)
    assert finding.as_fact() == {"decided_by": decided_by, "rule_id": rule_id, "reason": finding.reason}


@pytest.mark.parametrize(
    ("facts", "answer_class"),
    [
        ({}, POSITIVE),
        ({}, AnswerClass.SILENT),
        ({"kind": "review"}, NEUTRAL),
        ({"kind": "suggestion", "text": "Add a tram stop"}, UNKNOWN),
        ({"answers": [{"norm01": 0.26}, {"norm01": None}]}, NEUTRAL),
        ({"text": "no complaints at all, never terrible"}, UNKNOWN),
        ({"text": "Без скарг, жодних скарг"}, UNKNOWN),
        ({"text": "Пожалуйста, наглядно и не ужасно"}, UNKNOWN),
        ({"text": "the terrible queue is gone, thanks"}, POSITIVE),
        ({"text": None, "answers": None}, None),
    ],
)
def test_what_nobody_calls_a_complaint_is_none(facts, answer_class):
    assert detect(facts, answer_class) is None


@pytest.mark.parametrize("kind", ["rating", "complaint"])
def test_an_explicit_no_is_heard_even_beside_the_lowest_score(kind):
    facts = {"is_complaint": False, "kind": kind, "answers": [{"norm01": 0.0}], "text": "скарга"}
    model = {"is_complaint": True, "confidence": 1.0}
    assert detect(facts, NEGATIVE, classification=model) is None
    assert detect({**facts, "is_complaint": None}, NEGATIVE) is not None


@pytest.mark.parametrize(
    ("classification", "found"),
    [
        ({"is_complaint": True, "confidence": 0.8, "model": "bert"}, True),
        ({"is_complaint": True}, True),
        ({"is_complaint": True, "confidence": 0.79}, False),
        ({"is_complaint": True, "confidence": "high"}, False),
        ({"is_complaint": False, "confidence": 1.0}, False),
        ({}, False),
    ],
)
def test_a_model_decides_last_and_only_when_it_is_sure(classification, found):
    finding = detect({"text": "меня не поняли"}, UNKNOWN, classification=classification)
    assert (finding is not None) is found
    if finding is not None:
        assert finding.decided_by is DecidedBy.MODEL
    by_rule = detect({}, NEGATIVE, classification=classification)
    assert by_rule is not None and by_rule.decided_by is DecidedBy.RULE


def test_every_rule_can_be_configured_away():
    silent = ComplaintRules(negative_class=False, low_norm01=None, words={})
    facts = {"answers": [{"norm01": 0.0}], "text": "скарга"}
    assert detect(facts, NEGATIVE, silent) is None
    assert detect(facts, NEGATIVE, ComplaintRules(negative_class=False, words={})).rule_id == "low_score"
    assert detect(facts, NEGATIVE, ComplaintRules(low_norm01=None, words={})).rule_id == "negative_class"


def test_the_reason_never_repeats_the_words_of_the_customer():
    finding = detect({"text": "Ivanenko was terrible to me"}, UNKNOWN)
    assert "Ivanenko" not in finding.reason
    assert "terribl" in finding.reason


def test_a_complaint_and_a_question_open_a_case_and_praise_does_not():
    assert case_kind({"kind": "rating"}, detect({}, NEGATIVE)) is CaseKind.COMPLAINT
    assert case_kind({"kind": "question"}, None) is CaseKind.QUESTION
    assert case_kind({"kind": "question"}, detect({}, NEGATIVE)) is CaseKind.COMPLAINT
    for kind in ("praise", "suggestion", "rating", "review", None):
        assert case_kind({"kind": kind}, None) is None


@pytest.mark.parametrize(
    ("facts", "kind", "repeat", "severity"),
    [
        ({}, CaseKind.COMPLAINT, False, Severity.SEV3),
        ({}, CaseKind.QUESTION, False, Severity.SEV4),
        ({}, CaseKind.SUGGESTION, True, Severity.SEV4),
        ({"severity": "sev4", "cause": "staff.rudeness"}, CaseKind.COMPLAINT, True, Severity.SEV4),
        ({"severity": "sev1"}, CaseKind.QUESTION, False, Severity.SEV1),
        ({"severity": "urgent"}, CaseKind.COMPLAINT, False, Severity.SEV3),
        ({"cause": "staff.rudeness"}, CaseKind.COMPLAINT, False, Severity.SEV2),
        ({"cause": "staff.rudeness.shouting"}, CaseKind.COMPLAINT, False, Severity.SEV2),
        ({"cause": "staff.rudenesses"}, CaseKind.COMPLAINT, False, Severity.SEV3),
        ({"cause": "staff.rudeness"}, CaseKind.QUESTION, False, Severity.SEV4),
        ({"cause": "office_process.billing_error"}, CaseKind.COMPLAINT, False, Severity.SEV2),
        ({}, CaseKind.COMPLAINT, True, Severity.SEV2),
        ({"cause": "staff.rudeness"}, CaseKind.COMPLAINT, True, Severity.SEV1),
        ({"cause": "safety.fire"}, CaseKind.COMPLAINT, False, Severity.SEV1),
        ({"text": "Ми отруїлися у вас"}, CaseKind.COMPLAINT, False, Severity.SEV1),
        ({"text": "Is it DANGEROUS?"}, CaseKind.QUESTION, False, Severity.SEV1),
        ({"text": "це не небезпечно"}, CaseKind.COMPLAINT, False, Severity.SEV3),
    ],
)
def test_severity_starts_by_rule_and_a_stated_one_is_kept(facts, kind, repeat, severity):
    assert initial_severity(facts, kind, repeat=repeat) is severity


def test_each_sign_of_severity_is_named():
    facts = {"cause": "staff.rudeness", "text": "ambulance"}
    assert severity_signs(facts, repeat=True) == ("safety", "rudeness", "repeat")
    assert severity_signs({}) == ()
    both = ComplaintRules(rudeness_causes=("x",), loss_causes=("x",))
    assert initial_severity({"cause": "x"}, repeat=True, rules=both) is Severity.SEV1


def test_a_case_opens_with_the_facts_of_the_feedback_and_nothing_personal():
    facts = {
        "channel": "store",
        "touchpoint": "desk",
        "location": "kyiv-1",
        "employee": "e7",
        "product": "p",
        "segment": None,
        "cause": "staff.rudeness",
        "text": "Залишаю скаргу",
        "customer": {"type": "phone", "value": "+380441234567"},
        "collection_mode": "passive",
        "due_at": datetime(2026, 11, 22, 10, tzinfo=UTC),
        "attributes": {"agency": "A"},
    }
    assert case_opening(facts, detect(facts, NEGATIVE), repeat_of="case_1") == {
        "channel": "store",
        "touchpoint": "desk",
        "location": "kyiv-1",
        "employee": "e7",
        "product": "p",
        "cause": "staff.rudeness",
        "kind": "complaint",
        "severity": "sev1",
        "customer_facing": True,
        "initiative": "reactive",
        "attributes": {"agency": "A"},
        "detection": {
            "decided_by": "rule",
            "rule_id": "negative_class",
            "reason": "an answer is negative on its scale",
            "severity_by": "rudeness+repeat",
            "severity_reason": "a complaint starts at sev3, one up for rudeness, one up for repeat",
        },
        "due_at": "2026-11-22T10:00:00Z",
        "repeat_of": "case_1",
    }


def test_the_opening_of_a_question_says_that_its_source_called_it_one():
    opening = case_opening({"kind": "question", "due_at": "2026-11-22T10:00:00Z"}, None, CaseKind.QUESTION)
    assert opening["severity"] == "sev4"
    assert opening["due_at"] == "2026-11-22T10:00:00Z"
    assert opening["detection"]["decided_by"] == "explicit"
    assert opening["detection"]["severity_by"] == "default"
    assert case_opening({"severity": "sev2"}, None)["detection"]["severity_by"] == "stated"


@pytest.mark.parametrize(
    ("facts", "facing"),
    [
        ({"collection_mode": "passive"}, False),
        ({"collection_mode": "passive", "customer": {"type": "phone", "value": "1"}}, True),
        ({"collection_mode": "invited"}, True),
        ({}, True),
    ],
)
def test_only_an_anonymous_press_faces_no_customer(facts, facing):
    assert case_opening(facts, detect(facts, NEGATIVE))["customer_facing"] is facing


def test_anonymous_negatives_of_one_place_and_day_share_a_reference():
    day = date(2026, 11, 22)
    assert internal_case_ref("desk", "kyiv-1", day) == "internal:desk:kyiv-1:2026-11-22"
    assert internal_case_ref(None, None, day) == "internal:::2026-11-22"


_key = st.one_of(st.none(), st.text(min_size=1, max_size=4, alphabet="ab:%-і"))


@given(first=st.tuples(_key, _key, st.dates()), second=st.tuples(_key, _key, st.dates()))
def test_no_two_places_or_days_share_a_reference(first, second):
    assert (internal_case_ref(*first) == internal_case_ref(*second)) is (first == second)


@given(place=st.tuples(_key, _key, st.dates(date(1900, 1, 1), date(8999, 12, 31))), times=st.integers(0, 3))
def test_the_reference_of_an_internal_case_leads_back_to_its_place(place, times):
    ref = internal_case_ref(*place)
    for _ in range(times):
        ref = next_internal_ref(ref)
    assert internal_place(ref) == place


@pytest.mark.parametrize(
    "ref",
    ["internal:", "internal:foo", "internal:a:b:2026-13-45", "internal:a:b:9999-12-31",
     "internal:a:b:0001-01-01", "internal:a:b:2026-11-20#", "internal:a:b:2026-11-20#²",
     "internal:::2026-W47-5",
     "internal:a:b:2026-11-20#-3", f"internal:a:b:2026-11-20#{'9' * 150}", "internal:a:b:c:2026-11-20",
     "internal:%00:b:2026-11-20", "internal:%ff:b:2026-11-20", "internal:a:b:2026-11-20#x", "T-1"],
)  # fmt: skip
def test_what_only_begins_like_an_internal_case_is_of_no_place(ref):
    assert internal_place(ref) is None


@pytest.mark.parametrize(("source", "name"), [("maps", "r1"), ("maps:kyiv", "r:1"), ("a", "")])
def test_the_case_of_a_feedback_leads_back_to_it(source, name):
    assert (source, name) in named_by(feedback_case_ref(source, name))
    assert named_by(f"crm:{source}:{name}") == []
