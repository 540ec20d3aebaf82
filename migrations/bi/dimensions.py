"""Views of what is named: places, people, questions, sources, days, the tenant itself."""

from __future__ import annotations

from migrations.bi.parts import Shown, View


def _directory(kind: str, title: str, parent: str) -> View:
    return View(
        f"dim_{kind}",
        f"{title}: one row per key; a key is made when first met and described later.",
        (
            Shown(f"{kind}", "d.key", f"the key, as facts carry it in `{kind}`"),
            Shown("title", "coalesce(d.title, d.key)", "name for people; the key where nobody gave one"),
            Shown("parent", "d.parent", parent),
            Shown("is_described", "NOT d.uncategorised", "false: met in an event, not yet described"),
        ),
        f"FROM directory d WHERE d.kind = '{kind}'",
    )


DIM_QUESTION = View(
    "dim_question",
    "Questions: one row per key.",
    (
        Shown("question", "q.key", "the key, as answers carry it"),
        Shown("measure", "q.measure", "which metric reads its answers"),
        Shown("scale_id", "q.scale_id", "scale of its answers"),
        Shown("wording", "q.wording", "what was asked"),
        Shown("wording_version", "q.wording_version", "how often the wording changed"),
        Shown("is_relational", "q.relational", "true: one answer per customer and 90 days counts"),
    ),
    "FROM questions q",
)

DIM_SOURCE = View(
    "dim_source",
    "Sources, with how fresh each is.",
    (
        Shown("source", "s.key", "the key, as facts carry it"),
        Shown("title", "coalesce(s.title, s.key)", "name for people"),
        Shown("last_event_at", "s.last_event_at", "when we last heard from it"),
        Shown(
            "expected_every_seconds",
            "s.expected_every_seconds",
            "how often it should send; null: nobody said",
        ),
        Shown("is_disabled", "(s.disabled_at IS NOT NULL)", "true: no longer listened to"),
    ),
    "FROM sources s",
)

DIM_DATE = View(
    "dim_date",
    "Days from the first fact to the end of next year, in the tenant's zone: mark it as the date table.",
    (
        Shown("local_date", "d.day::date", "the day"),
        Shown("year", "extract(year FROM d.day)::integer", "calendar year"),
        Shown("quarter", "extract(quarter FROM d.day)::integer", "1 to 4"),
        Shown("month", "extract(month FROM d.day)::integer", "1 to 12"),
        Shown("month_start", "date_trunc('month', d.day)::date", "first day of the month"),
        Shown("iso_year", "extract(isoyear FROM d.day)::integer", "year of the ISO week"),
        Shown("iso_week", "extract(week FROM d.day)::integer", "ISO week, 1 to 53"),
        Shown("week_start", "date_trunc('week', d.day)::date", "Monday of the week"),
        Shown("weekday", "extract(isodow FROM d.day)::integer", "1 Monday to 7 Sunday"),
        Shown("is_weekend", "(extract(isodow FROM d.day) > 5)", "Saturday or Sunday"),
    ),
    """FROM tenants t
 CROSS JOIN LATERAL (
    SELECT (least(
        (SELECT min(f.occurred_at) FROM feedback f WHERE f.tenant_id = t.tenant_id AND f.seq_to IS NULL),
        (SELECT min(v.occurred_at) FROM volumes v WHERE v.tenant_id = t.tenant_id AND v.seq_to IS NULL),
        (SELECT min(c.opened_at) FROM cases c WHERE c.tenant_id = t.tenant_id),
        now()) AT TIME ZONE t.time_zone)::date AS first_day) AS known
 CROSS JOIN LATERAL generate_series(
    greatest(date_trunc('year', known.first_day::timestamp), timestamp '1970-01-01'),
    date_trunc('year', now() AT TIME ZONE t.time_zone) + interval '2 years' - interval '1 day',
    interval '1 day') AS d(day)""",
)

TENANT = View(
    "tenant",
    "One row: whose numbers these are.",
    (
        Shown("tenant", "t.key", "short name"),
        Shown("name", "t.name", "full name"),
        Shown("time_zone", "t.time_zone", "IANA zone of every local_date"),
        Shown("is_synthetic", "t.synthetic", "true: demonstration data, not customers"),
    ),
    "FROM tenants t",
)

DIMENSIONS = (
    _directory("touchpoint", "Touchpoints", "key of the touchpoint above it"),
    _directory("location", "Locations", "key of the region or location above it"),
    _directory("employee", "Employees", "key of the team or manager above"),
    _directory("segment", "Customer segments", "key of the segment above it"),
    _directory("product", "Products", "key of the product group"),
    DIM_QUESTION,
    DIM_SOURCE,
    DIM_DATE,
    TENANT,
)
