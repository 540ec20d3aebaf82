"""Compensation: limits by role, one currency, who approves, which documents are refused; and its fold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.domain.case import fold
from app.domain.case.compensations import CompensationState
from app.domain.compensation import Outcome, approver_of, judge, month_of, refuse_approval
from app.domain.compensation_document import default_policy_document, parse_policy
from app.domain.errors import ConflictError, InvalidError

from .builders import fact

DOCUMENT = {
    "currency": "UAH",
    "rates": {"USD": 41.5},
    "limits": {"agent": 2000, "manager": 10000},
    "roles": {"olena": "manager"},
    "approver": "boss",
    "rules": [
        {"name": "own error", "when": {"cause": "customer_error"}, "allowed": False},
        {"name": "grave", "when": {"severity": ["sev1"]}, "limits": {"agent": 5000}, "approver": "lawyer"},
        {"name": "questions", "when": {"kind": "question"}, "types": ["gift"]},
    ],
}
POLICY = parse_policy(DOCUMENT)
COMPLAINT = {"kind": "complaint", "severity": "sev3", "cause": "office_process.queue"}


def verdict(amount: str, *, currency="UAH", employee="ivan", given="0", kind="money", **facts):
    return judge(
        POLICY, {**COMPLAINT, **facts}, kind=kind, amount=Decimal(amount), currency=currency,
        employee=employee, given=Decimal(given),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "terms", "outcome", "total"),
    [
        ("2000", {}, Outcome.WITHIN, "2000.00"),
        ("2000.01", {}, Outcome.OVER_LIMIT, "2000.01"),
        ("1", {"given": "1999.99"}, Outcome.OVER_LIMIT, "2000.99"),
        ("48", {"currency": "USD"}, Outcome.WITHIN, "1992.00"),
        ("49", {"currency": "USD"}, Outcome.OVER_LIMIT, "2033.50"),
        ("10000", {"employee": "olena"}, Outcome.WITHIN, "10000.00"),
        ("5000", {"severity": "sev1"}, Outcome.WITHIN, "5000.00"),
        ("0", {}, Outcome.WITHIN, "0.00"),
    ],
)
def test_the_limit_holds_for_all_that_one_case_gets(amount, terms, outcome, total):
    found = verdict(amount, **terms)
    assert (found.outcome, found.total) == (outcome, Decimal(total))


@pytest.mark.parametrize(
    ("terms", "error", "reason"),
    [
        ({"cause": "customer_error.password"}, ConflictError, "compensation_not_allowed"),
        ({"kind_of_case": "question"}, ConflictError, "compensation_type_not_allowed"),
        ({"kind": "pony"}, InvalidError, "unknown_type"),
        ({"kind": None}, InvalidError, "unknown_type"),
        ({"currency": "EUR"}, InvalidError, "unknown_rate"),
    ],
)
def test_what_the_policy_does_not_allow_is_refused(terms, error, reason):
    facts = {**COMPLAINT, "kind": terms.pop("kind_of_case", "complaint")}
    facts["cause"] = terms.pop("cause", facts["cause"])
    with pytest.raises(error) as refused:
        judge(
            POLICY, facts, kind=terms.get("kind", "money"), amount=Decimal(1),
            currency=terms.get("currency", "UAH"), employee="ivan", given=Decimal(0),
        )  # fmt: skip
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("employee", "total", "approver", "allowed"),
    [
        ("boss", "99999", "boss", True),
        ("olena", "9000", "boss", True),
        ("olena", "10001", "boss", False),
        ("ivan", "2500", "boss", False),
        (None, "1", "boss", False),
        ("anybody", "2500", None, True),
        ("ivan", "2500", None, False),
    ],
)
def test_the_approver_or_whose_limit_covers_it_may_approve(employee, total, approver, allowed):
    found = refuse_approval(
        POLICY, COMPLAINT, employee=employee, total=Decimal(total), month_total=Decimal(0),
        approver=approver, offered_by="ivan",
    )  # fmt: skip
    assert found == (None if allowed else "not_the_approver")


MONTHLY = parse_policy({**DOCUMENT, "monthly_limits": {"agent": 5000, "manager": 12000}})


@pytest.mark.parametrize(
    ("amount", "month_given", "employee", "outcome", "month_total"),
    [
        ("2000", "3000", "ivan", Outcome.WITHIN, "5000.00"),
        ("2000", "3000.01", "ivan", Outcome.OVER_MONTHLY_LIMIT, "5000.01"),
        ("2000.01", "3000", "ivan", Outcome.OVER_LIMIT, "5000.01"),
        ("0", "9000", "ivan", Outcome.WITHIN, "9000.00"),
        ("1", "5000", None, Outcome.OVER_MONTHLY_LIMIT, "5001.00"),
        ("2000", "10000", "olena", Outcome.WITHIN, "12000.00"),
    ],
)
def test_an_employee_has_a_limit_for_the_month_beside_that_of_a_case(
    amount, month_given, employee, outcome, month_total
):
    terms = {"kind": "money", "amount": Decimal(amount), "currency": "UAH", "given": Decimal(0)}
    found = judge(MONTHLY, COMPLAINT, employee=employee, month_given=Decimal(month_given), **terms)
    assert (found.outcome, found.month_total) == (outcome, Decimal(month_total))
    free = judge(POLICY, COMPLAINT, employee=employee, month_given=Decimal(month_given), **terms)
    assert free.outcome is not Outcome.OVER_MONTHLY_LIMIT


@pytest.mark.parametrize(
    ("employee", "month_total", "refused"),
    [
        ("olena", "12000", None),
        ("olena", "12000.01", "over_monthly_limit"),
        ("boss", "99999", None),
        ("ivan", "1", "not_the_approver"),
    ],
)
def test_who_approves_by_his_own_limit_has_his_month_to_keep(employee, month_total, refused):
    found = refuse_approval(
        MONTHLY, COMPLAINT, employee=employee, total=Decimal(3000), month_total=Decimal(month_total),
        approver="boss", offered_by="ivan",
    )  # fmt: skip
    assert found == refused


@pytest.mark.parametrize(
    ("at", "from_at", "before_at"),
    [
        ("2026-11-30T21:59:59", "2026-10-31T22:00", "2026-11-30T22:00"),
        ("2026-11-30T22:00:00", "2026-11-30T22:00", "2026-12-31T22:00"),
        ("2026-03-31T12:00:00", "2026-02-28T22:00", "2026-03-31T21:00"),
    ],
)
def test_a_month_is_that_of_the_tenants_zone(at, from_at, before_at):
    found = month_of(datetime.fromisoformat(at).replace(tzinfo=UTC), ZoneInfo("Europe/Kyiv"))
    assert found == tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (from_at, before_at))


def test_the_rule_names_the_approver_before_the_policy_and_the_owner():
    assert approver_of(POLICY, {**COMPLAINT, "severity": "sev1"}, "owner") == "lawyer"
    assert approver_of(POLICY, COMPLAINT, "owner") == "boss"
    assert approver_of(parse_policy(default_policy_document()), COMPLAINT, "owner") == "owner"


@pytest.mark.parametrize(
    ("change", "reason", "pointer"),
    [
        ({"currency": "hryvnia"}, "not_a_currency", "/currency"),
        ({"limits": {}}, "unknown_role", "/limits"),
        ({"limits": {"agent": "NaN", "manager": 1}}, "not_an_amount", "/limits/agent"),
        ({"limits": {"agent": float("inf"), "manager": 1}}, "not_a_number", "/limits/agent"),
        ({"roles": {"olena": "king"}}, "unknown_role", "/roles/olena"),
        ({"default_role": "guest"}, "unknown_role", "/default_role"),
        ({"monthly_limits": {"king": 5}}, "unknown_role", "/monthly_limits/king"),
        ({"monthly_limits": {"agent": -5}}, "not_an_amount", "/monthly_limits/agent"),
        ({"rates": {"USD": 0}}, "bad_rate", "/rates/USD"),
        ({"rates": {"UAH": 1}}, "bad_rate", "/rates/UAH"),
        ({"rates": {"usd": 1}}, "not_a_currency", "/rates/usd"),
        ({"rules": [{"name": "a"}, {"name": "b"}]}, "unreachable_rule", "/rules/1"),
        ({"rules": [{"name": "a", "when": {"kind": "x"}}]}, "unknown_value", "/rules/0/when/kind"),
        ({"rules": [{"name": "a", "when": {"kind": []}}]}, "never_matches", "/rules/0/when/kind"),
        ({"rules": [{"name": "a", "types": []}]}, "empty_list", "/rules/0/types"),
        ({"rules": [{"name": "a", "types": ["cash"]}]}, "unknown_choice", "/rules/0/types/0"),
        ({"limit": 5}, "unknown_key", "/limit"),
    ],
)
def test_a_wrong_policy_is_refused_at_its_place(change, reason, pointer):
    with pytest.raises(InvalidError) as refused:
        parse_policy({**DOCUMENT, **change})
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


def gift(name: str, hours: float, **said):
    return fact(f"compensation.{name}", hours, {"compensation": "1", **said}, id=f"{name}{hours}")


OFFER = gift("offered", 1, type="money", amount="50", currency="USD", due_at="2026-11-02T20:00:00Z")
APPROVAL = gift("approved", 2, base_amount="2075.00", base_currency="UAH")


@pytest.mark.parametrize(
    ("events", "state", "net"),
    [
        ([OFFER], CompensationState.PENDING_APPROVAL, None),
        ([OFFER, APPROVAL], CompensationState.APPROVED, "2075.00"),
        ([APPROVAL, OFFER], CompensationState.APPROVED, "2075.00"),
        ([OFFER, gift("rejected", 2)], CompensationState.REJECTED, None),
        ([OFFER, APPROVAL, gift("rejected", 3)], CompensationState.REJECTED, None),
        ([OFFER, gift("rejected", 1.5), APPROVAL], CompensationState.APPROVED, "2075.00"),
        ([OFFER, APPROVAL, gift("delivered", 4)], CompensationState.DELIVERED, "2075.00"),
        (
            [
                OFFER,
                APPROVAL,
                gift("recovered", 9, base_amount="75"),
                gift("recovered", 8, base_amount="500"),
            ],
            CompensationState.APPROVED,
            "1500.00",
        ),
    ],
)
def test_a_compensation_is_folded_in_any_order_and_its_net_cost_follows(events, state, net):
    for told in (events, events[::-1]):
        case = fold([fact("opened", 0), *told])
        assert [item.state for item in case.compensations] == [state]
        assert case.cost.net == (None if net is None else Decimal(net))


def test_a_retracted_offer_is_gone_and_a_late_delivery_is_a_missed_promise():
    late = [fact("opened", 0), OFFER, APPROVAL, gift("delivered", 12)]
    assert [item.trigger for item in fold(late).aftermath.deviations] == ["compensation_late"]
    in_time = [*late[:-1], gift("delivered", 11)]
    assert fold(in_time).aftermath.deviations == ()
    taken_back = [
        *late,
        *(fact("event.retracted", 20, {"event": e.external_id}, id=e.external_id + "r") for e in late[1:]),
    ]
    assert fold(taken_back).compensations == ()
