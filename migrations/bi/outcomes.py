"""Views of what became of cases: how long they took, whether they held, what they cost."""

from __future__ import annotations

from typing import Final

from migrations.bi.belonging import of_case
from migrations.bi.parts import Shown, View, dimensions, local_date

_NOW: Final = "now()"
_DAYS_OF: Final = "interval '{} days'"


def taken_back(event: str) -> str:
    """True when a later event retracts this one; the few retractions are read once, not for each event."""
    return (
        f"{event}.event_id::text IN (SELECT back.fact ->> 'event_id' FROM events back "
        f"WHERE back.type = 'event.retracted' AND back.fact ->> 'event_id' IS NOT NULL)"
    )


def _facts(event: str) -> str:
    """Events of the case `c` that happened and stand."""
    return f"{of_case(event)} AND {event}.occurred_at <= now() AND NOT {taken_back(event)}"


def _ended(remedied: str, closed: str, at: str) -> str:
    return f"CASE WHEN {remedied} <= {at} THEN {remedied} WHEN {closed} <= {at} THEN {closed} END"


def _cycles(at: str) -> str:
    """The cycles of the case `c` that had begun at an instant: when each began and ended."""
    steps = "CASE WHEN jsonb_typeof(c.steps) = 'array' THEN c.steps ELSE '[]' END"
    ended = _ended("told.remedied_at", "told.closed_at", at)
    return f"""(SELECT told.started_at, {ended} AS ended_at
              FROM jsonb_array_elements({steps}) AS step(value)
             CROSS JOIN LATERAL (SELECT (step.value ->> 'started_at')::timestamptz AS started_at,
                    (step.value -> 'steps' ->> 'remedied')::timestamptz AS remedied_at,
                    (step.value -> 'steps' ->> 'closed')::timestamptz AS closed_at) AS told
             WHERE c.reopened_count > 0 AND told.started_at <= {at}) AS cycle"""


_FINAL: Final = "CASE WHEN max(cycle.ended_at) >= max(cycle.started_at) THEN max(cycle.ended_at) END"


def reopened_until(at: str) -> str:
    """The final resolution of a reopened case `c` as it stood at an instant, as an expression."""
    return f"(SELECT {_FINAL} FROM {_cycles(at)})"


def cycles(alias: str, at: str) -> str:
    """Join to the case `c`: the cycles of a reopened case as they stood at an instant.

    Columns `resolved_at` (the final one), `last_resolved_at`, `reopenings`; a case that was never reopened
    has none of them.
    """
    return f"""LEFT JOIN LATERAL (
    SELECT {_FINAL} AS resolved_at,
           max(cycle.ended_at) AS last_resolved_at, count(*) - 1 AS reopenings
      FROM {_cycles(at)}) AS {alias} ON true"""


def resolved_at(alias: str, at: str) -> str:
    """The final resolution as it stood at an instant; null: open then."""
    only = _ended("c.remedied_at", "c.closed_at", at)
    return f"CASE WHEN c.reopened_count > 0 THEN {alias}.resolved_at ELSE {only} END"


def counts_at(at: str) -> str:
    """True for a case that was opened by then and had not turned out withdrawn, duplicate or invalid."""
    return f"(c.opened_at <= {at} AND c.state <> 'awaiting_opening' AND coalesce(c.ended_at > {at}, true))"


_LAST: Final = (
    f"CASE WHEN c.reopened_count > 0 THEN handled.last_resolved_at "
    f"ELSE {_ended('c.remedied_at', 'c.closed_at', _NOW)} END"
)
_REOPENED: Final = "(c.reopened_count > 0 AND coalesce(handled.reopenings > 0, false))"
_TOP: Final = (
    "CASE f.scale_id WHEN 'csat_1_7' THEN f.value >= 6 WHEN 'csat_1_10' THEN f.value >= 9 "
    "ELSE f.class = 'positive' AND f.value IS NOT NULL END"
)

# How each case stands now: the joins below read it column by column.
_STOOD: Final = f"""CROSS JOIN LATERAL (
    SELECT {counts_at(_NOW)} AS counts, {resolved_at("handled", _NOW)} AS resolved_at,
           {_LAST} AS last_resolved_at, {_REOPENED} AS reopened) AS s"""
_ASKED: Final = f"""LEFT JOIN LATERAL (
    SELECT (array_agg(f.class ORDER BY f.class = 'silent', f.occurred_at DESC, f.feedback_id DESC))[1]
               AS answer_class,
           (array_agg({_TOP} ORDER BY f.class = 'silent', f.occurred_at DESC, f.feedback_id DESC))[1]
               AS is_top
      FROM feedback f
     WHERE {of_case("f")} AND f.subject_kind = 'case'
       AND f.measure IN ('resurvey', 'csat') AND f.seq_to IS NULL
       AND f.qualification IS DISTINCT FROM 'invalid'
       AND f.occurred_at >= s.last_resolved_at AND f.occurred_at <= now()) AS asked ON true"""
_TOLD: Final = f"""LEFT JOIN LATERAL (
    SELECT coalesce(bool_or(e.type = 'case.customer_contacted'), false) AS contacted,
           coalesce(bool_or(e.type = 'case.escalated'), false) AS escalated,
           (array_agg(e.fact ->> 'outcome' ORDER BY e.occurred_at DESC, e.position DESC)
               FILTER (WHERE e.fact ->> 'outcome' IS NOT NULL))[1] AS outcome
      FROM events e WHERE {_facts("e")}) AS told ON true"""

# Granted once approved or delivered, unless rejected and never delivered; less what was got back.
_PAID: Final = f"""LEFT JOIN LATERAL (
    SELECT sum(each.amount - each.recovered) FILTER (WHERE each.granted) AS net,
           max(each.currency) FILTER (WHERE each.granted) AS currency,
           count(DISTINCT each.currency) FILTER (WHERE each.granted) AS currencies
      FROM (SELECT coalesce(max(m.amount) FILTER (WHERE m.type = 'compensation.offered'),
                            max(m.amount) FILTER (WHERE m.type = 'compensation.approved'),
                            max(m.amount) FILTER (WHERE m.type = 'compensation.delivered'), 0) AS amount,
                   coalesce(sum(m.amount) FILTER (WHERE m.type = 'compensation.recovered'), 0) AS recovered,
                   max(m.currency) AS currency,
                   bool_or(m.type IN ('compensation.approved', 'compensation.delivered'))
                     AND (bool_or(m.type = 'compensation.delivered')
                          OR NOT bool_or(m.type = 'compensation.rejected')) AS granted
              FROM (SELECT e.type, coalesce(e.fact ->> 'compensation', '1') AS compensation,
                           coalesce(e.fact ->> 'base_amount', e.fact ->> 'amount')::numeric AS amount,
                           coalesce(e.fact ->> 'base_currency', e.fact ->> 'currency', '') AS currency
                      FROM events e
                     WHERE {_facts("e")} AND starts_with(e.type, 'compensation.')) AS m
             GROUP BY m.compensation) AS each) AS paid ON true"""
_REPEATED: Final = """EXISTS (SELECT FROM cases other
    WHERE other.tenant_id = c.tenant_id AND other.customer_ref = c.customer_ref
      AND other.case_id <> c.case_id AND other.cause IS NOT DISTINCT FROM c.cause
      AND other.opened_at > c.opened_at AND other.opened_at <= s.last_resolved_at + interval '7 days'
      AND other.opened_at <= now() AND other.ended_at IS NULL)"""
_PROMOTER: Final = """EXISTS (SELECT FROM feedback f
    WHERE f.tenant_id = c.tenant_id AND f.customer_ref = c.customer_ref AND f.measure = 'nps'
      AND f.class = 'positive' AND f.seq_to IS NULL AND f.qualification IS DISTINCT FROM 'invalid'
      AND f.occurred_at > s.last_resolved_at AND f.occurred_at <= now())"""


def _did(*kinds: str, until: str = "now()") -> str:
    """True when the customer of the case `c` did such a thing after its resolution."""
    named = ", ".join(f"'{kind}'" for kind in kinds)
    return f"""EXISTS (SELECT FROM event_personal who
    JOIN events e ON e.tenant_id = who.tenant_id AND e.event_id = who.event_id
    WHERE who.tenant_id = c.tenant_id AND who.customer_ref = c.customer_ref AND e.type IN ({named})
      AND e.occurred_at > s.last_resolved_at AND e.occurred_at <= least({until}, now())
      AND NOT {taken_back("e")})"""


def _deviated(*triggers: str) -> str:
    """True when the handling of the case `c` failed the customer again in one of these ways."""
    named = ", ".join(f"'{trigger}'" for trigger in triggers)
    return f"""EXISTS (SELECT FROM jsonb_array_elements(c.deviations) AS d(told)
    WHERE d.told ->> 'trigger' IN ({named}) AND (d.told ->> 'at')::timestamptz <= now())"""


_RETURNED: Final = _did(
    "transaction.completed", "customer.returned", until="s.last_resolved_at + interval '90 days'"
)
_JOINED: Final = _did("customer.enrolled")
_DEVIATED: Final = _deviated("reopened", "post_resolution_negative", "repeat_negative", "second_complaint")
_BROKEN: Final = _deviated("promise_missed", "compensation_late")
_MISSED: Final = f"(c.promised_due_at < coalesce(s.resolved_at, now()) OR {_BROKEN})"
_SPOKE_AGAIN: Final = """EXISTS (SELECT FROM feedback f
    WHERE f.tenant_id = c.tenant_id AND f.customer_ref = c.customer_ref AND f.seq_to IS NULL
      AND f.class <> 'silent' AND f.occurred_at > coalesce(c.first_response_at, c.opened_at)
      AND f.occurred_at > c.opened_at AND f.occurred_at <= c.opened_at + interval '180 days')"""
_OLD_ENOUGH: Final = (
    "(s.counts AND c.customer_ref IS NOT NULL AND c.customer_facing "
    "AND c.opened_at + interval '180 days' <= now())"
)
_RESOLVED: Final = "(s.counts AND s.resolved_at IS NOT NULL)"
_ONCE_RESOLVED: Final = "(s.counts AND s.last_resolved_at IS NOT NULL)"
_ANSWERED: Final = (
    f"({_ONCE_RESOLVED} AND coalesce(asked.answer_class IN ('positive', 'neutral', 'negative'), false))"
)
_KNOWN: Final = f"({_RESOLVED} AND c.customer_ref IS NOT NULL)"


def _waited(ended: str, only: str) -> str:
    """Seconds until what was waited for, or so far."""
    lasted = f"greatest(extract(epoch FROM coalesce({ended}, now()) - c.opened_at), 0)::double precision"
    return f"CASE WHEN s.counts{only} THEN {lasted} END"


_ANSWERED_AT: Final = "CASE WHEN c.first_response_at <= now() THEN c.first_response_at END"

CASE_OUTCOMES: Final = View(
    "case_outcomes",
    "One row per case: how long the customer waited, whether the resolution held, what it cost; as it stands "
    "at the time of the query. Join it to cases by case_id.",
    (
        Shown("case_id", "c.case_id", "the case"),
        Shown("opened_at", "c.opened_at", "when it was opened"),
        Shown("opened_date", local_date("c.opened_at"), "the same as a day of the tenant's zone"),
        Shown("kind", "c.kind", "complaint, question, ..."),
        Shown("severity", "c.severity", "sev1 (worst) to sev4"),
        *dimensions("c"),
        Shown("cause", "c.cause", "cause, as it was found"),
        Shown("counts", "s.counts", "false: not opened yet, withdrawn, duplicate, invalid or merged"),
        Shown(
            "response_seconds",
            _waited(_ANSWERED_AT, " AND c.customer_facing"),
            "from opening to the first human reply, or so far; null: nobody waits",
        ),
        Shown("is_answered", f"({_ANSWERED_AT} IS NOT NULL)", "false: response_seconds still grows"),
        Shown(
            "resolution_seconds",
            _waited("s.resolved_at", ""),
            "from opening to the final resolution, or so far; what did not hold is part of it",
        ),
        Shown("is_resolved", _RESOLVED, "false: resolution_seconds still grows"),
        Shown("resolved_at", "s.last_resolved_at", "the last resolution, even where it was reopened again"),
        Shown("resolved_date", local_date("s.last_resolved_at"), "the same as a day of the tenant's zone"),
        Shown("is_reopened", "(s.counts AND s.reopened)", "true: opened again after a resolution"),
        Shown(
            "is_provisional",
            "(s.counts AND coalesce(s.last_resolved_at > now() - interval '14 days', false))",
            "true: resolved less than 14 days ago, may be reopened yet",
        ),
        Shown(
            "resolved_once",
            f"({_RESOLVED} AND NOT s.reopened AND NOT told.contacted AND NOT {_REPEATED})",
            "true: one contact, not reopened, no case of the customer and cause within 7 days",
        ),
        Shown("first_level", f"({_RESOLVED} AND NOT told.escalated)", "true: resolved, never escalated"),
        Shown(
            "resurvey",
            f"CASE WHEN {_ONCE_RESOLVED} THEN asked.answer_class END",
            "what the customer said of it afterwards: positive, neutral, negative, silent; null: not asked",
        ),
        Shown(
            "is_recovered",
            f"({_ANSWERED} AND coalesce(asked.is_top, false))",
            "true: the customer's answer afterwards is in the top box",
        ),
        Shown(
            "is_evaluable",
            f"(s.counts AND s.last_resolved_at IS NOT NULL AND ({_ANSWERED} OR s.reopened OR {_DEVIATED}))",
            "true: reopened, failed again, or the customer answered afterwards",
        ),
        Shown(
            "has_failed",
            f"(s.counts AND s.last_resolved_at IS NOT NULL AND (s.reopened "
            f"OR ({_ANSWERED} AND asked.answer_class = 'negative') OR {_DEVIATED}))",
            "true: the handling failed the customer again (double deviation)",
        ),
        Shown(
            "promise_missed",
            f"(s.counts AND s.last_resolved_at IS NOT NULL AND coalesce({_MISSED}, false))",
            "true: a promised time was missed, which alone is no double deviation",
        ),
        Shown("knows_customer", _KNOWN, "true: resolved, and the customer is known"),
        Shown("is_promoter", f"({_KNOWN} AND {_PROMOTER})", "true: the customer gave 9-10 afterwards"),
        Shown("has_returned", f"({_KNOWN} AND {_RETURNED})", "true: bought or came back within 90 days"),
        Shown("has_joined", f"({_KNOWN} AND {_JOINED})", "true: joined a loyalty programme afterwards"),
        Shown(
            "closed_date", local_date("CASE WHEN c.closed_at <= now() THEN c.closed_at END"), "day of closing"
        ),
        Shown("outcome", "told.outcome", "what was decided: upheld, partly_upheld, goodwill, rejected, ..."),
        Shown("net_compensation", "paid.net::double precision", "granted less got back; null: none"),
        Shown("currency", "paid.currency", "of net_compensation"),
        Shown(
            "currencies", "coalesce(paid.currencies, 0)", "above 1: net_compensation adds up what it must not"
        ),
        Shown(
            "answered_in_180_days",
            f"CASE WHEN {_OLD_ENOUGH} THEN "
            "coalesce(c.first_response_at <= c.opened_at + interval '180 days', false) END",
            "null: younger than 180 days, or nobody to ask",
        ),
        Shown(
            "spoke_again",
            f"CASE WHEN {_OLD_ENOUGH} THEN {_SPOKE_AGAIN} END",
            "true: the customer gave feedback again within 180 days of the opening; null as before",
        ),
    ),
    "FROM cases c JOIN tenants t ON t.tenant_id = c.tenant_id\n "
    + "\n ".join((cycles("handled", _NOW), _STOOD, _ASKED, _TOLD, _PAID)),
)
