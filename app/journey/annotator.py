"""Finds the touchpoint and the stage of an event when it is accepted; what was found is never changed."""

from __future__ import annotations

from typing import Any

from app.journal.config import TenantConfig
from app.journal.ports import Draft


class JourneyReader:
    """The annotator of touchpoints: by the tenant's rules, and stages by its map."""

    def annotate(self, draft: Draft, config: TenantConfig) -> Draft:
        """The draft with its touchpoint; the raw value and the version of the rules are kept beside it."""
        fact = draft.fact
        rule = config.journey.find(draft.event.source, draft.event.type.value, fact)
        changes: dict[str, Any] = {}
        if rule is not None and rule.touchpoint != fact.get("touchpoint"):
            changes = {"touchpoint": rule.touchpoint, "mapped_by": f"journey_rules@{config.journey.version}"}
            if fact.get("touchpoint") is not None:
                changes["touchpoint_raw"] = fact["touchpoint"]
        if fact.get("journey_stage") is None:
            touchpoint = changes.get("touchpoint") or fact.get("touchpoint")
            stage = (None if rule is None else rule.stage) or config.stages.get(touchpoint or "")
            if stage is not None:
                changes["journey_stage"] = str(stage)
        return draft.with_fact({**fact, **changes}) if changes else draft
