"""Playbooks: what each kind of case calls for, what keeps it from closing, which documents are refused."""

import copy
from dataclasses import dataclass, field
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.complaint import CaseKind, Severity
from app.domain.errors import InvalidError
from app.domain.playbook import LANGUAGES, Step, completeness
from app.domain.playbook_document import parse_playbooks
from app.domain.playbook_preset import DEFAULT_PLAYBOOKS, default_document


@dataclass
class Handled:
    kind: CaseKind = CaseKind.COMPLAINT
    severity: Severity = Severity.SEV3
    customer_facing: bool = True
    steps: set[Step] = field(default_factory=set)


def missing(steps: str, **case) -> tuple[str, ...]:
    done = {Step(name) for name in steps.split()}
    return DEFAULT_PLAYBOOKS.missing_to_close(Handled(steps=done, **case))


BOTH_WAYS = "promised and remedied, or declined"


@pytest.mark.parametrize(
    ("done", "still"),
    [
        ("", ("thanked", "apologised", "decision_communicated", BOTH_WAYS)),
        ("received closed resurveyed", ("thanked", "apologised", "decision_communicated", BOTH_WAYS)),
        ("thanked apologised", ("decision_communicated", BOTH_WAYS)),
        ("thanked apologised decision_communicated promised", ("remedied, or declined",)),
        ("thanked apologised decision_communicated remedied", ("promised, or declined",)),
        ("thanked apologised decision_communicated promised remedied", ()),
        ("thanked apologised decision_communicated declined", ()),
        ("thanked decision_communicated declined", ("apologised",)),
    ],
)
def test_a_complaint_closes_with_thanks_an_apology_a_remedy_or_refusal_and_the_decision(done, still):
    for severity in Severity:
        assert missing(done, severity=severity) == still


@pytest.mark.parametrize(
    ("kind", "done", "still"),
    [
        (CaseKind.QUESTION, "", ("thanked", "replied")),
        (CaseKind.QUESTION, "replied", ("thanked",)),
        (CaseKind.QUESTION, "thanked replied", ()),
        (CaseKind.PRAISE, "", ("thanked",)),
        (CaseKind.PRAISE, "thanked", ()),
        (CaseKind.SUGGESTION, "replied", ("thanked",)),
        (CaseKind.SUGGESTION, "thanked", ()),
    ],
)
def test_questions_close_with_thanks_and_a_reply_the_rest_with_thanks(kind, done, still):
    assert missing(done, kind=kind) == still


def test_an_internal_case_needs_only_what_needs_no_customer():
    assert missing("", customer_facing=False) == ("remedied, or declined",)
    assert missing("remedied", customer_facing=False) == ()
    assert missing("declined", customer_facing=False) == ()
    assert missing("", kind=CaseKind.QUESTION, customer_facing=False) == ()


@given(done=st.sets(st.sampled_from(Step)), more=st.sets(st.sampled_from(Step)), facing=st.booleans())
def test_another_step_never_makes_more_missing(done, more, facing):
    before = DEFAULT_PLAYBOOKS.missing_to_close(Handled(steps=done, customer_facing=facing))
    after = DEFAULT_PLAYBOOKS.missing_to_close(Handled(steps=done | more, customer_facing=facing))
    assert len(after) <= len(before)


def test_taking_every_required_step_lets_a_case_of_any_kind_close():
    for kind, severity in product(CaseKind, Severity):
        steps = DEFAULT_PLAYBOOKS.required_steps(kind, severity)
        assert (steps[0], steps[-1]) == (Step.RECEIVED, Step.CLOSED)
        assert DEFAULT_PLAYBOOKS.missing_to_close(Handled(kind, severity, True, set(steps))) == ()


def test_only_a_serious_complaint_must_be_assessed():
    assessed = {
        s for s in Severity if Step.ASSESSED in DEFAULT_PLAYBOOKS.required_steps(CaseKind.COMPLAINT, s)
    }
    assert assessed == {Severity.SEV1, Severity.SEV2}


def test_the_checklists_have_the_lengths_of_the_method_and_three_languages():
    lengths = {key: len(checklist.steps) for key, checklist in DEFAULT_PLAYBOOKS.checklists.items()}
    assert lengths == {
        "question": 3,
        "complaint": 7,
        "praise": 3,
        "loyalty_conversion": 8,
        "debrief_negative": 7,
        "debrief_positive": 3,
        "recovery": 3,
    }
    for checklist in DEFAULT_PLAYBOOKS.checklists.values():
        for step in checklist.steps:
            assert set(step.labels) == set(LANGUAGES)
            assert step.labels["uk"].isascii() is step.labels["ru"].isascii() is False
            assert step.labels["en"].isascii()


def test_each_kind_is_answered_by_its_checklist():
    lists = {kind: DEFAULT_PLAYBOOKS.reply_checklist(kind, Severity.SEV3).key for kind in CaseKind}
    assert lists == {
        "complaint": "complaint",
        "question": "question",
        "suggestion": "question",
        "praise": "praise",
    }


def test_completeness_is_the_share_done_and_repeats_count_once():
    checklist = DEFAULT_PLAYBOOKS.checklists["complaint"]
    assert completeness([], checklist) == 0
    assert completeness(["thank", "thank", "apologise"], checklist) == 2 / 7
    assert completeness([step.key for step in checklist.steps], checklist) == 1


def test_completeness_refuses_a_step_that_the_checklist_does_not_have():
    with pytest.raises(InvalidError) as refused:
        completeness(["apologize"], DEFAULT_PLAYBOOKS.checklists["complaint"])
    assert refused.value.reason == "unknown_checklist_step"
    assert "apologise" in refused.value.cure


def test_the_preset_is_read_from_its_own_document():
    assert parse_playbooks(default_document()) == DEFAULT_PLAYBOOKS


def put(document, pointer, value):
    """The document with one place replaced or added (or removed: `...`)."""
    *path, last = [int(part) if part.isdigit() else part for part in pointer.strip("/").split("/")]
    changed = place = copy.deepcopy(document)
    for part in path:
        place[part] = list(place[part]) if isinstance(place[part], tuple) else place[part]
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


STEP = {"key": "thank", "labels": {"uk": "а", "ru": "б", "en": "c"}}


@pytest.mark.parametrize(
    ("pointer", "value", "reason", "place"),
    [
        ("/note", 1, "unknown_key", "/note"),
        ("/checklists", ..., "missing_key", ""),
        ("/checklists/loyalty_conversion", ..., "missing_checklist", "/checklists"),
        ("/waiting", {"notice_days": 10}, "notice_after_closing", "/waiting"),
        ("/waiting", {"close_after_days": 0}, "out_of_range", "/waiting/close_after_days"),
        ("/waiting", {"close_after": 3}, "unknown_key", "/waiting/close_after"),
        ("/verification_days", True, "not_an_integer", "/verification_days"),
        ("/checklists", [], "not_an_object", "/checklists"),
        ("/checklists/praise", [], "empty_list", "/checklists/praise"),
        ("/checklists/a~b", {}, "not_an_array", "/checklists/a~0b"),
        ("/checklists/praise", [STEP, STEP], "repeated_key", "/checklists/praise/1/key"),
        ("/checklists/praise/0/labels/ru", ..., "missing_key", "/checklists/praise/0/labels"),
        ("/checklists/praise/0/labels/ru", " ", "not_text", "/checklists/praise/0/labels/ru"),
        ("/checklists/praise/0/labels/de", "Dank", "unknown_key", "/checklists/praise/0/labels/de"),
        ("/playbooks/0/kind", "rating", "unknown_choice", "/playbooks/0/kind"),
        ("/playbooks/0/kind", 7, "unknown_choice", "/playbooks/0/kind"),
        ("/playbooks/0/severities", ["sev1", "sev5"], "unknown_choice", "/playbooks/0/severities/1"),
        ("/playbooks/0/severities", [], "empty_list", "/playbooks/0/severities"),
        ("/playbooks/0/steps", ["thanked", "thanked"], "repeated_key", "/playbooks/0/steps/1"),
        ("/playbooks/0/steps", ["thanked"], "close_needs_unlisted_step", "/playbooks/0/close"),
        ("/playbooks/0/close/one_of", [["declined"]], "close_needs_unlisted_step", "/playbooks/0/close"),
        ("/playbooks/0/close/all_of", ["closed"], "close_needs_itself", "/playbooks/0/close"),
        ("/playbooks/0/close/one_of", [["closed"]], "close_needs_itself", "/playbooks/0/close"),
        ("/playbooks/0/close/any_of", [], "unknown_key", "/playbooks/0/close/any_of"),
        ("/playbooks/0/reply_checklist", "complaints", "unknown_checklist", "/playbooks/0/reply_checklist"),
        ("/playbooks/0/priority", 1, "unknown_key", "/playbooks/0/priority"),
        ("/playbooks/1/severities", ["sev2", "sev3"], "playbook_ambiguous", "/playbooks/1"),
        ("/playbooks/2", ..., "playbook_missing", "/playbooks"),
        ("/playbooks/2/severities", ["sev1", "sev2", "sev4"], "playbook_missing", "/playbooks"),
    ],
)
def test_a_wrong_document_is_refused_at_its_place(pointer, value, reason, place):
    with pytest.raises(InvalidError) as refused:
        parse_playbooks(put(default_document(), pointer, value))
    assert (refused.value.reason, refused.value.pointer) == (reason, place)


def test_the_kind_and_severity_without_a_playbook_are_named():
    with pytest.raises(InvalidError, match="question sev3"):
        parse_playbooks(put(default_document(), "/playbooks/2/severities", ["sev1", "sev2", "sev4"]))


def test_another_closing_rule_takes_effect():
    rule = {"all_of": ["thanked"], "one_of": [["replied"], ["remedied"]]}
    lenient = parse_playbooks(put(default_document(), "/playbooks/1/close", rule))
    assert lenient.missing_to_close(Handled(steps={Step.THANKED})) == ("replied, or remedied",)
    assert lenient.missing_to_close(Handled(steps={Step.THANKED, Step.REMEDIED})) == ()
