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

_AT: Final = "d.at"
_LIMIT: Final = "coalesce(s.breaches_after, s.due_at)"
_LATE: Final = f"""EXISTS (SELECT FROM sla_timers s
    WHERE s.tenant_id = c.tenant_id AND s.subject_id = c.case_id AND s.state <> 'paused' AND {_AT} > {_LIMIT}
      AND NOT coalesce(s.stopped_at <= {_AT}, false) AND NOT coalesce(s.cancelled_at <= {_AT}, false))"""
_LAST_DAY: Final = f"least(now(), c.ended_at, {resolved_at('handled', 'now()')})"
_ZONED: Final = "AT TIME ZONE t.time_zone"

# A case is laid out over the days on which it can have been open: what was resolved long ago costs nothing.
_OPEN: Final = f"""
    SELECT d.local_date, c.channel, c.touchpoint, c.location, {_LATE} AS late,
           extract(epoch FROM {_AT} - c.opened_at)::double precision / 3600 AS age_hours
      FROM cases c JOIN tenants t ON t.tenant_id = c.tenant_id
      {cycles("handled", "now()")}
     CROSS JOIN LATERAL (
        SELECT day::date AS local_date,
               least(now(), (day + interval '1 day' - interval '1 microsecond') {_ZONED}) AS at
          FROM generate_series(date_trunc('day', c.opened_at {_ZONED}),
                               date_trunc('day', {_LAST_DAY} {_ZONED}), interval '1 day') AS day) AS d
      {cycles("then_handled", _AT)}
     WHERE {counts_at(_AT)} AND {resolved_at("then_handled", _AT)} IS NULL"""
_KEYS: Final = ("o.local_date", "g.grain", "g.channel", "g.touchpoint", "g.location")

BACKLOG_DAILY: Final = View(
    "backlog_daily",
    "Cases open at the last moment of each local day (today: now), by grain. A snapshot: never add up days.",
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
