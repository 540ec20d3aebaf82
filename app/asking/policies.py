"""The versions of a tenant's asking policy, parsed once and kept until its configuration moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.domain.asking.policy import DEFAULT_POLICY, AskingPolicy
from app.domain.asking.policy_document import parse_asking_policy
from app.journal.config import TenantConfig

_VERSIONS = """
SELECT version, document, created_at FROM asking_policies
 WHERE tenant_id = $1 AND key = 'default' ORDER BY version
"""


@dataclass(frozen=True, slots=True)
class PolicyVersions:
    """Every version of the policy, the oldest first."""

    versions: Sequence[tuple[datetime, AskingPolicy]]

    def at(self, moment: datetime) -> AskingPolicy:
        """The policy that binds what was committed at this instant: the newest one made by then."""
        made = [policy for created_at, policy in self.versions if created_at <= moment]
        return made[-1] if made else DEFAULT_POLICY


class AskingPolicies:
    """The policies of the tenants that this process works for."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[int, PolicyVersions]] = {}

    async def load(self, tx: Tx, config: TenantConfig) -> PolicyVersions:
        """The versions, read in the caller's transaction when the configuration moved."""
        known = self._known.get(config.tenant_id)
        if known is not None and known[0] == config.version:
            return known[1]
        rows = await tx.fetch(_VERSIONS, config.tenant_id)
        found = PolicyVersions(
            [(row["created_at"], parse_asking_policy(row["document"], row["version"])) for row in rows]
        )
        self._known[config.tenant_id] = (config.version, found)
        return found
