"""Views with one row for each fact: answers, cases, timers, volumes, attributes of answers."""

from __future__ import annotations

from migrations.bi.parts import Shown, View, dimensions, local_date

_TENANT = "JOIN tenants t ON t.tenant_id = "

# The same rules as the API: of presses on one device less than 15 s apart the first counts; an answer to a
# relational question stands unless its customer gave another one within the next 90 days; what an expert
# found invalid counts nowhere.
_PRESSED = """(f.device IS NULL OR f.collection_mode <> 'passive' OR NOT EXISTS (
    SELECT FROM feedback earlier
     WHERE earlier.tenant_id = f.tenant_id AND earlier.device = f.device AND earlier.seq_to IS NULL
       AND earlier.collection_mode = 'passive' AND earlier.qualification IS DISTINCT FROM 'invalid'
       AND earlier.event_id <> f.event_id AND earlier.occurred_at > f.occurred_at - interval '15 seconds'
       AND earlier.occurred_at <= f.occurred_at AND (earlier.occurred_at < f.occurred_at
            OR (earlier.question = f.question
                AND (earlier.class, earlier.scale_id, coalesce(earlier.norm01, -1), earlier.feedback_id)
                  < (f.class, f.scale_id, coalesce(f.norm01, -1), f.feedback_id)))))"""
COUNTS = f"""f.qualification IS DISTINCT FROM 'invalid' AND {_PRESSED} AND NOT (
    f.customer_ref IS NOT NULL
    AND (f.tenant_id, f.question) IN (SELECT q.tenant_id, q.key FROM questions q WHERE q.relational)
    AND EXISTS (SELECT FROM feedback later
                 WHERE later.tenant_id = f.tenant_id AND later.customer_ref = f.customer_ref
                   AND later.question = f.question AND later.seq_to IS NULL AND later.class <> 'silent'
                   AND later.qualification IS DISTINCT FROM 'invalid'
                   AND (later.occurred_at, later.feedback_id) > (f.occurred_at, f.feedback_id)
                   AND later.occurred_at <= f.occurred_at + interval '90 days'))"""
_ITEM = (
    "(f.answer_index = 0 AND f.class <> 'silent' AND f.qualification IS DISTINCT FROM 'invalid' "
    f"AND {_PRESSED})"
)
_TOP = (
    "CASE f.scale_id WHEN 'csat_1_7' THEN f.value >= 6 WHEN 'csat_1_10' THEN f.value >= 9 "
    "ELSE f.class = 'positive' END"
)
_BOTTOM = "CASE WHEN f.scale_id IN ('csat_1_7', 'csat_1_10') THEN f.value <= 2 ELSE f.class = 'negative' END"

FEEDBACK = View(
    "feedback",
    "One row per answer as it stands now (the newest version). Texts and names of customers are not here: "
    "what has left through a report cannot be erased.",
    (
        Shown("feedback_id", "f.feedback_id", "the answer, whatever its version"),
        Shown("occurred_at", "f.occurred_at", "when it was given"),
        Shown("local_date", local_date("f.occurred_at"), "the same as a day of the tenant's zone"),
        Shown("kind", "f.kind", "rating, review, question, complaint, praise, suggestion"),
        *dimensions("f"),
        Shown("stage", "f.stage", "stage of the customer journey"),
        Shown("case_id", "CASE WHEN f.subject_kind = 'case' THEN f.subject_id END", "the case it belongs to"),
        Shown(
            "customer_key",
            "encode(f.customer_ref, 'hex')",
            "keyed hash of the customer: to count people, not to find them",
        ),
        Shown("question", "f.question", "key of the question; `none` for a text without a score"),
        Shown("measure", "f.measure", "what the question measures: nps, csat, ces, stars, ..."),
        Shown("scale_id", "f.scale_id", "scale of the value; never average across scales"),
        Shown("scale_version", "f.scale_version::integer", "version of that scale"),
        Shown("value", "f.value::double precision", "the score as it was given"),
        Shown(
            "score",
            "CASE f.scale_id WHEN 'ces1_effort_1_5' THEN 6 - f.value ELSE f.value END::double precision",
            "the score as means take it: a reversed scale is turned round",
        ),
        Shown("norm01", "f.norm01", "the score from 0 (worst) to 1 (best)"),
        Shown("answer_class", "f.class", "positive, neutral, negative, silent (asked, no answer), unknown"),
        Shown("is_top", f"coalesce({_TOP}, false)", "the score is in the top box of its scale"),
        Shown("is_bottom", f"coalesce({_BOTTOM}, false)", "the score is in the bottom box of its scale"),
        Shown("counts", f"({COUNTS})", "true: enters the metrics; filter by it before you average"),
        Shown("is_item", _ITEM, "true for the first answer of a feedback item: count items by it"),
        Shown("is_complaint", "(f.kind = 'complaint')", "true: the item was found to be a complaint"),
        Shown("collection_mode", "f.collection_mode", "passive, staff_prompted, invited, scraped"),
        Shown("incentivised", "f.incentivised", "true: something was given for it"),
        Shown("force_majeure", "f.force_majeure", "claimed or confirmed"),
        Shown("qualification", "f.qualification", "valid, invalid or unsure, by the expert"),
        Shown("cause", "f.cause", "cause, as it was tagged"),
        Shown("lang", "f.lang", "language of the text"),
        Shown("verification", "f.verification", "what the review site says of its author"),
    ),
    f"FROM feedback f {_TENANT} f.tenant_id WHERE f.seq_to IS NULL",
)

FEEDBACK_ATTRIBUTES = View(
    "feedback_attributes",
    "One row per answer and registered attribute (groupable, not personal): join it by feedback_id.",
    (
        Shown("feedback_id", "f.feedback_id", "the answer; see feedback"),
        Shown("attribute", "a.key", "key of the attribute"),
        Shown("value", "f.attributes ->> a.key", "its value as text"),
    ),
    "FROM feedback f JOIN attributes a ON a.tenant_id = f.tenant_id "
    "WHERE f.seq_to IS NULL AND a.groupable AND NOT a.personal AND f.attributes ->> a.key IS NOT NULL",
)

_ENDED = "coalesce(c.ended_at <= now(), false)"
_ANSWERABLE = f"(c.customer_facing AND NOT {_ENDED} AND c.state <> 'awaiting_opening')"

CASES = View(
    "cases",
    "One row per complaint or question, as it stands now.",
    (
        Shown("case_id", "c.case_id", "the case"),
        Shown("opened_at", "c.opened_at", "when it was opened"),
        Shown("opened_date", local_date("c.opened_at"), "the same as a day of the tenant's zone"),
        Shown("kind", "c.kind", "complaint, question, ..."),
        Shown("severity", "c.severity", "sev1 (worst) to sev4"),
        Shown("state", "c.state", "open, acknowledged, resolved, closed, ..."),
        *dimensions("c"),
        Shown("cause", "c.cause", "cause, as it was found"),
        Shown("assignee", "c.assignee", "who handles it"),
        Shown(
            "customer_key",
            "encode(c.customer_ref, 'hex')",
            "keyed hash of the customer: to count people, not to find them",
        ),
        Shown("customer_facing", "c.customer_facing", "false: an internal case, nobody waits for a reply"),
        Shown("initiative", "c.initiative", "reactive (they came) or proactive (we saw it first)"),
        Shown("due_given_at", "c.due_given_at", "the deadline that the sender gave"),
        Shown("promised_due_at", "c.promised_due_at", "the deadline that the customer was promised"),
        Shown("acknowledged_at", "c.acknowledged_at", "when receipt was confirmed"),
        Shown("first_response_at", "c.first_response_at", "when a human first replied"),
        Shown("remedied_at", "c.remedied_at", "when it was put right"),
        Shown("closed_at", "c.closed_at", "when it was closed"),
        Shown("closed_date", local_date("c.closed_at"), "the same as a day of the tenant's zone"),
        Shown("ended_at", "c.ended_at", "when it was withdrawn, merged, or found invalid or duplicate"),
        Shown("reopened_count", "c.reopened_count", "how often it was opened again"),
        Shown("repeat_of", "c.repeat_of", "the earlier case that this one repeats"),
        Shown("merged_into", "c.merged_into", "the case that took it over"),
        Shown(
            "counts_as_opened",
            "(c.state <> 'awaiting_opening' AND c.opened_at <= now())",
            "true: enters cases_opened; false: known only by later events",
        ),
        Shown("is_answerable", _ANSWERABLE, "true: a customer waits, or waited, for a reply"),
        Shown(
            "is_unanswered",
            f"({_ANSWERABLE} AND coalesce(c.first_response_at > now(), true))",
            "true: no human has replied so far",
        ),
        Shown(
            "first_response_seconds",
            "extract(epoch FROM c.first_response_at - c.opened_at)::double precision",
            "from opening to the first human reply, by the wall clock",
        ),
        Shown(
            "closing_seconds",
            "extract(epoch FROM c.closed_at - c.opened_at)::double precision",
            "from opening to closing, by the wall clock",
        ),
    ),
    f"FROM cases c {_TENANT} c.tenant_id",
)

# Equality is no breach; a paused timer is not due; a cancelled one keeps the breach that came before.
_OUTCOME = """CASE
    WHEN s.stopped_at <= now() THEN CASE WHEN s.stopped_at <= s.due_at THEN 'met' ELSE 'closed_late' END
    WHEN s.cancelled_at <= now() THEN CASE WHEN s.cancelled_at > s.due_at THEN 'closed_late'
                                           ELSE 'cancelled' END
    WHEN s.state <> 'paused' AND s.due_at < now() THEN 'open_overdue'
    ELSE 'pending' END"""

SLA_TIMERS = View(
    "sla_timers",
    "One row per deadline (timer and cycle) that is set, as it stands at the time of the query.",
    (
        Shown("case_id", "s.subject_id", "the case, or other subject, it belongs to"),
        Shown("timer", "s.timer", "name of the timer in its policy"),
        Shown("cycle", "s.cycle", "this run of the timer: the event that started it"),
        Shown("policy", "s.policy", "key of the SLA policy"),
        Shown("policy_version", "s.policy_version", "version of that policy"),
        Shown("clock_kind", "s.clock_kind", "internal (may pause) or statutory (never does)"),
        Shown("kind", "s.kind", "kind of the case"),
        Shown("severity", "s.severity", "severity of the case"),
        *dimensions("s"),
        Shown("started_at", "s.started_at", "when the clock started"),
        Shown("due_at", "s.due_at", "the deadline"),
        Shown("due_date", local_date("s.due_at"), "the same as a day of the tenant's zone"),
        Shown("stopped_at", "s.stopped_at", "when what was due was done"),
        Shown("cancelled_at", "s.cancelled_at", "when it was no longer due"),
        Shown("target_seconds", "s.target_seconds", "time allowed, by the timer's own clock"),
        Shown("outcome", _OUTCOME, "met, closed_late, open_overdue, pending, cancelled"),
        Shown(
            "is_breached",
            f"({_OUTCOME} IN ('closed_late', 'open_overdue'))",
            "true: the deadline passed before it was done",
        ),
        Shown(
            "late_seconds",
            "extract(epoch FROM greatest(coalesce(s.stopped_at, s.cancelled_at, now()) - s.due_at, "
            "interval '0'))::double precision",
            "how long after the deadline, by the wall clock; 0: in time so far",
        ),
    ),
    f"FROM sla_timers s {_TENANT} s.tenant_id WHERE s.due_at IS NOT NULL AND s.started_at <= now()",
)

VOLUMES = View(
    "volumes",
    "Visitors, transactions and interactions, counted or one by one: what answers are measured against.",
    (
        Shown("event_id", "v.event_id", "the event that told it"),
        Shown("occurred_at", "v.occurred_at", "when it happened"),
        Shown("local_date", local_date("v.occurred_at"), "the same as a day of the tenant's zone"),
        Shown("kind", "v.kind", "visitors, transactions, interactions"),
        *dimensions("v"),
        Shown("count", "v.count", "how many"),
        Shown("amount", "v.amount::double precision", "money, where it is known"),
        Shown("currency", "v.currency", "of the amount"),
    ),
    f"FROM volumes v {_TENANT} v.tenant_id WHERE v.seq_to IS NULL",
)

ROWS = (FEEDBACK, FEEDBACK_ATTRIBUTES, CASES, SLA_TIMERS, VOLUMES)
