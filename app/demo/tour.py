"""What a newcomer reads after `make run`: addresses, keys, and the first lines to try."""

from __future__ import annotations


def tour_text(base: str, key: str, operator_key: str, database_url: str) -> str:
    """The text that the demonstration prints when it is ready."""
    return f"""
Vidhuk is ready.   {base}   (Ctrl-C stops it; the data stays)

  API key        {key}
  operator key   {operator_key}
  API            {base}/docs   {base}/openapi.json
  database       {database_url}

Try it (the README has the whole tour):

  export KEY={key}

  # NPS of the last 28 days by channel (the history is synthetic)
  curl -s -H "Authorization: Bearer $KEY" '{base}/v1/metrics/query?metrics=nps&group_by=channel&period=28d'

  # an answer comes in ...
  curl -s -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' {base}/v1/events -d '{{
    "type": "feedback.received", "id": "tour-1", "source": "call-centre",
    "occurred_at": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'",
    "data": {{"channel": "call", "question": "nps_after_call", "scale": "nps_0_10", "value": 2,
             "text": "Waited forty minutes", "customer": {{"type": "phone", "value": "+380501234567"}}}}}}'

  # ... and has opened a case with its deadlines
  curl -s -H "Authorization: Bearer $KEY" '{base}/v1/cases?limit=1'
"""
