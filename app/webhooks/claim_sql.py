"""The claim in SQL: which due deliveries a worker takes, in turn, under a lease, and within every limit.

`heads`: the oldest delivery of every endpoint, by one index probe each; tenants take turns.
`gated`: endpoints with a throttle, a limit or an open circuit, locked one claim at a time. A row that
    changed since this statement began (its xmin) is left for the next look, for what it says of tokens
    and of attempts in flight is no longer what this statement sees.
    In flight is what was claimed and is due again in the future; the bound above it only spares reading
    far retries, and is wide: others may have begun later than we, or lease for longer.
`chosen`: candidates share the batch, and each row's own state is checked again under its lock.
`claimed`: a claimed row is due again when its lease ends: recovery is the same look as any other.
`spent`: tokens are taken in the same statement; a probe keeps its circuit closed to others meanwhile.

Before the oldest live row of an endpoint may lie any number of dead ones that no vacuum can take while
some transaction stays open: `candidates` begin at the head, and CLAIM_OF_KNOWN (see `horizon`) at what
is known of it.

Parameters: 1 the fast lane, 2 limit, 3 most held of one endpoint, 4 and 5 what this process holds,
6 the fence, 7 the lease, 8 failures from which an endpoint is in the slow lane; of CLAIM_OF_KNOWN also
9 to 11 the groups (see `horizon.Groups`).
"""

from __future__ import annotations

HEADS = """
WITH RECURSIVE heads AS (
    (SELECT endpoint_id, first_try, due_at FROM deliveries WHERE NOT manual
      ORDER BY endpoint_id, first_try, due_at LIMIT 1)
    UNION ALL
    SELECT next.* FROM heads h CROSS JOIN LATERAL (
        SELECT d.endpoint_id, d.first_try, d.due_at FROM deliveries d
         WHERE NOT d.manual AND (d.endpoint_id, d.first_try) > (h.endpoint_id, h.first_try)
         ORDER BY d.endpoint_id, d.first_try, d.due_at LIMIT 1) next
)
"""
_KNOWN_HEADS = """
WITH heads AS (
    SELECT g.endpoint_id, g.first_try, next.due_at
      FROM unnest($9::uuid[], $10::bool[], $11::timestamptz[]) AS g(endpoint_id, first_try, live_from)
      CROSS JOIN LATERAL (
        SELECT d.due_at FROM deliveries d
         WHERE NOT d.manual AND d.endpoint_id = g.endpoint_id AND d.first_try = g.first_try
           AND d.due_at >= g.live_from
         ORDER BY d.endpoint_id, d.first_try, d.due_at LIMIT 1) next
)
"""
_CLAIM = """
, due AS (
    SELECT h.endpoint_id, h.first_try, h.due_at AS live_from, e.tenant_id, e.xmin AS version,
           $3 - coalesce(held.n, 0) AS room,
           e.throttle_messages IS NOT NULL OR e.concurrency IS NOT NULL OR e.open_until IS NOT NULL AS gated
      FROM heads h
      JOIN endpoints e ON e.endpoint_id = h.endpoint_id AND e.disabled_at IS NULL
           AND (e.open_until IS NULL OR e.open_until <= now())
      JOIN tenants t ON t.tenant_id = e.tenant_id AND t.disabled_at IS NULL
      LEFT JOIN unnest($4::uuid[], $5::int[]) AS held(endpoint_id, n) ON held.endpoint_id = h.endpoint_id
     WHERE h.due_at <= now() AND (h.first_try AND e.failures < $8) = $1 AND $3 > coalesce(held.n, 0)
     ORDER BY row_number() OVER (PARTITION BY e.tenant_id ORDER BY h.due_at), h.due_at LIMIT $2
), locked AS MATERIALIZED (
    SELECT e.endpoint_id, e.concurrency, e.open_until, e.throttle_messages, e.throttle_seconds,
           CASE WHEN e.throttle_messages IS NOT NULL THEN
               least(greatest(1, 0.25 * e.throttle_messages / e.throttle_seconds),
                     coalesce(e.tokens, 1) + e.throttle_messages * greatest(0,
                         extract(epoch FROM now() - coalesce(e.tokens_at, now()))) / e.throttle_seconds)
           END AS tokens
      FROM endpoints e
      JOIN (SELECT DISTINCT endpoint_id, version FROM due WHERE gated) d
        ON d.endpoint_id = e.endpoint_id AND d.version = e.xmin
       FOR NO KEY UPDATE OF e SKIP LOCKED
), gated AS (
    SELECT l.endpoint_id, l.tokens, least(
               CASE WHEN l.open_until IS NOT NULL THEN 1 END,
               floor(l.tokens),
               l.concurrency - (SELECT count(*) FROM deliveries f
                                 WHERE f.endpoint_id = l.endpoint_id AND f.first_try = any('{t,f}')
                                   AND f.due_at > now() AND f.due_at <= now() + $7 + interval '10 minutes'
                                   AND NOT f.manual AND f.claim_id IS NOT NULL)) AS room
      FROM locked l
), open AS (
    SELECT due.endpoint_id, due.first_try, due.live_from, due.tenant_id,
           least(due.room, g.room)::int AS room
      FROM due LEFT JOIN gated g ON g.endpoint_id = due.endpoint_id
     WHERE NOT due.gated OR g.room > 0
), candidates AS (
    SELECT d.delivery_id, d.due_at, d.endpoint_id, open.room,
           row_number() OVER (PARTITION BY open.tenant_id ORDER BY d.due_at) AS turn
      FROM open CROSS JOIN LATERAL (
        SELECT d.delivery_id, d.due_at, d.endpoint_id FROM deliveries d
         WHERE NOT d.manual AND d.endpoint_id = open.endpoint_id AND d.first_try = open.first_try
           AND d.due_at >= open.live_from AND d.due_at <= now()
         ORDER BY d.due_at LIMIT least(open.room, 1 + 2 * $2 / (SELECT count(*) FROM open))) d
    UNION ALL
    (SELECT d.delivery_id, d.due_at, d.delivery_id, 1, 0 FROM deliveries d
       JOIN tenants t ON t.tenant_id = d.tenant_id AND t.disabled_at IS NULL
      WHERE $1 AND d.manual AND d.due_at <= now() ORDER BY d.due_at LIMIT $2)
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY endpoint_id ORDER BY due_at) AS nth FROM candidates
), chosen AS (
    SELECT d.delivery_id, d.claim_id FROM deliveries d
      JOIN (SELECT delivery_id FROM numbered WHERE nth <= room ORDER BY turn, due_at LIMIT $2) c
           USING (delivery_id)
     WHERE d.due_at <= now() FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE deliveries d
       SET claim_id = $6, due_at = now() + $7, losses = d.losses + (chosen.claim_id IS NOT NULL)::int
      FROM chosen WHERE d.delivery_id = chosen.delivery_id
    RETURNING d.*, chosen.claim_id IS NOT NULL AS lost
), spent AS (
    UPDATE endpoints e
       SET tokens = g.tokens - taken.n, tokens_at = now(),
           open_until = CASE WHEN e.open_until IS NOT NULL THEN now() + $7 END
      FROM gated g
      JOIN (SELECT endpoint_id, count(*) AS n FROM claimed WHERE NOT manual GROUP BY endpoint_id) taken
        ON taken.endpoint_id = g.endpoint_id
     WHERE e.endpoint_id = g.endpoint_id
)
SELECT EXISTS (SELECT FROM candidates) AS is_due, clock_timestamp() AS now,
       EXISTS (SELECT FROM due LEFT JOIN gated g USING (endpoint_id)
                WHERE due.gated AND (g.room IS NULL OR g.room < $2)) AS is_held_back,
       claimed.*, m.type, m.event_id, m.redacted_at, m.payload, m.format, b.body,
       e.url, e.sealed_headers, e.failures, e.open_until IS NOT NULL AS is_probe, e.deadline_ms,
       e.retry_delays_seconds,
       (SELECT array_agg(s.sealed ORDER BY s.created_at DESC, s.secret_id) FROM endpoint_secrets s
         WHERE s.endpoint_id = e.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets
  FROM (VALUES (1)) AS always(row)
  LEFT JOIN (claimed JOIN messages m ON m.message_id = claimed.message_id
                     JOIN endpoints e ON e.endpoint_id = claimed.endpoint_id) ON true
  LEFT JOIN message_bodies b ON b.event_id = m.event_id
"""
CLAIM = HEADS + _CLAIM
CLAIM_OF_KNOWN = _KNOWN_HEADS + _CLAIM
"""The same where it is known of which groups, and from when on, there can be anything."""
