"""Whose a fact is by now: of which case after merges, of which touchpoint after it got another name."""

from __future__ import annotations

from typing import Final

# Row-level security leaves the merges of one tenant. Asked once for a query: who never merged pays no more.
_MERGED: Final = "(SELECT EXISTS (SELECT FROM case_spans))"


def case_of(fact: str) -> str:
    """The case that a fact (with `subject_id`, `occurred_at`) told of a case belongs to."""
    return f"""CASE WHEN {_MERGED} THEN coalesce((
        SELECT moved.case_id FROM case_spans moved
         WHERE moved.tenant_id = {fact}.tenant_id AND moved.home_id = {fact}.subject_id
           AND moved.after_at < {fact}.occurred_at
           AND (moved.until_at IS NULL OR {fact}.occurred_at <= moved.until_at)), {fact}.subject_id)
    ELSE {fact}.subject_id END"""


def of_case(fact: str) -> str:
    """True for facts of the case `c`; the cases they may name are an array, so that an index finds them."""
    return f"""{fact}.tenant_id = c.tenant_id AND {fact}.subject_id = ANY (CASE WHEN {_MERGED}
        THEN array_append(ARRAY(SELECT span.home_id FROM case_spans span
                                 WHERE span.tenant_id = c.tenant_id AND span.case_id = c.case_id), c.case_id)
        ELSE ARRAY[c.case_id] END) AND {case_of(fact)} = c.case_id"""


def named_now(alias: str) -> str:
    """Join to rows with a touchpoint as a fact states it: `named.touchpoint` is its new name, if any.

    Names are followed in the order in which they were given: a later name of the new one counts too.
    """
    return f"""LEFT JOIN (
    WITH RECURSIVE given AS (
        SELECT DISTINCT ON (r.raw) r.raw AS first_name, r.seq, r.touchpoint FROM touchpoint_retags r
         ORDER BY r.raw, r.seq),
    led AS (
        SELECT given.first_name, given.seq, given.touchpoint FROM given
         UNION ALL
        SELECT led.first_name, next.seq, next.touchpoint FROM led
         CROSS JOIN LATERAL (SELECT r.seq, r.touchpoint FROM touchpoint_retags r
                              WHERE r.raw = led.touchpoint AND r.seq > led.seq
                              ORDER BY r.seq LIMIT 1) AS next)
    SELECT DISTINCT ON (led.first_name) led.first_name, led.touchpoint FROM led
     ORDER BY led.first_name, led.seq DESC) AS named ON named.first_name = {alias}.touchpoint"""
