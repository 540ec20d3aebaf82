"""The view of what was open at the end of each day."""

from __future__ import annotations

from typing import Final

from migrations.bi.outcomes import counts_at, cycles, resolved_at
from migrations.bi.parts import Shown, View, row_id

GRAINS: Final = (
    "(VALUES ('total', NULL::text, NULL::text, NULL::text), ('channel', {0}.channel, NULL, NULL), "
    "('touchpoint', NULL, {0}.touchpoint, NULL), ('location', NULL, NULL, {0}.location), "
    "('place', {0}.channel, {0}.touchpoint, {0}.location)) AS g(grain, channel, touchpoint, location)"
)
"""What a row is counted for; `{0}` is the alias that has the three columns."""

GRAIN_COLUMNS: Final = (
    (
        "grain",
        "what the row is about: total, channel, touchpoint, location, or place (all three); filter by one",
    ),
    ("channel", "the channel; null where the grain has none, or where none is known"),
    ("touchpoint", "the touchpoint; null as before"),
    ("location", "the location; null as before"),
)

DAYS: Final = 400
"""How far back the view reaches; for an earlier day the API is asked with `as_of`."""

_AT: Final = "d.at"
_ZONED: Final = "AT TIME ZONE t.time_zone"
_LIMIT: Final = "coalesce(s.breaches_after, s.due_at)"
_UNTIL: Final = "coalesce(least(s.stopped_at, s.cancelled_at), 'infinity')"
_ENDED: Final = "least(c.remedied_at, c.closed_at)"

# When the case was overdue is found once, not for each day: the times between a deadline and what stopped it.
_CASES: Final = f"""
    SELECT c.tenant_id, c.opened_at, c.state, c.ended_at, c.remedied_at, c.closed_at, c.reopened_count,
           c.steps, c.channel, c.touchpoint, c.location,
           (SELECT range_agg(tstzrange({_LIMIT}, {_UNTIL}, '()')) FROM sla_timers s
             WHERE s.tenant_id = c.tenant_id AND s.subject_id = c.case_id AND s.state <> 'paused'
               AND {_UNTIL} > {_LIMIT}) AS late
      FROM cases c
     WHERE coalesce(c.ended_at, 'infinity') > now() - interval '{DAYS + 2} days'
       AND (c.reopened_count > 0 OR coalesce({_ENDED}, 'infinity') > now() - interval '{DAYS + 2} days')
    OFFSET 0"""
_TODAY: Final = f"(now() {_ZONED})::date::timestamp"
_DAYS: Final = f"""
    SELECT day::date AS local_date,
           least(now(), (day + interval '1 day' - interval '1 microsecond') {_ZONED}) AS at
      FROM generate_series({_TODAY} - interval '{DAYS} days', {_TODAY}, interval '1 day') AS day"""
_OPEN: Final = f"""
    SELECT d.local_date, c.channel, c.touchpoint, c.location, coalesce(c.late @> {_AT}, false) AS late,
           extract(epoch FROM {_AT} - c.opened_at)::double precision / 3600 AS age_hours
      FROM tenants t
     CROSS JOIN LATERAL ({_DAYS}) AS d
      JOIN ({_CASES}) AS c ON c.tenant_id = t.tenant_id AND {counts_at(_AT)}
       AND (c.reopened_count > 0 OR coalesce({_ENDED} > {_AT}, true))
      {cycles("handled", _AT)}
     WHERE {resolved_at("handled", _AT)} IS NULL"""
_KEYS: Final = ("o.local_date", "g.grain", "g.channel", "g.touchpoint", "g.location")

BACKLOG_DAILY: Final = View(
    "backlog_daily",
    f"Cases open at the last moment of each of the last {DAYS} local days (today: now), by grain. A "
    "snapshot: never add up days.",
    (
        Shown("row_id", row_id(*_KEYS), "names the row"),
        Shown("local_date", "o.local_date", "day of the tenant's zone at whose end the cases were open"),
        *(Shown(name, f"g.{name}", comment) for name, comment in GRAIN_COLUMNS),
        Shown("cases_outstanding", "count(*)", "cases open"),
        Shown("cases_overdue", "count(*) FILTER (WHERE o.late)", "of them past a deadline"),
        Shown(
            "backlog_age_median",
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY o.age_hours)",
            "hours since the opening, median",
        ),
        Shown(
            "backlog_age_p90",
            "percentile_cont(0.9) WITHIN GROUP (ORDER BY o.age_hours)",
            "hours since the opening, 90th percentile",
        ),
        Shown("backlog_age_max", "max(o.age_hours)", "hours since the opening, the oldest"),
    ),
    f"FROM ({_OPEN}) AS o CROSS JOIN LATERAL {GRAINS.format('o')} GROUP BY " + ", ".join(_KEYS),
)
