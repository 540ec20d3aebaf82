"""The revisions of the schema that this release knows, read from the heads of their files.

A process that only serves asks for them too, and would hold all migrations in memory to know their names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[2] / "migrations" / "versions"
_NAMED: Final = re.compile(r'^(revision|down_revision) = (?:"([^"]+)"|None)$', re.MULTILINE)


@lru_cache(maxsize=1)
def revisions() -> tuple[str, ...]:
    """Every revision, the newest first. Raises ValueError when they are no chain."""
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")]
    named = [dict(_NAMED.findall(text)) for text in texts]
    after = {names["down_revision"]: names["revision"] for names in named}
    chain: list[str] = []
    while (following := after.get(chain[-1] if chain else "")) is not None:
        chain.append(following)
    if not chain or len(chain) != len(texts):
        raise ValueError(f"{len(texts)} migrations, of which {len(chain)} follow one another")
    return tuple(reversed(chain))
