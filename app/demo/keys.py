"""The demonstration's own secrets: made at the first start, kept readable for its owner only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from app.auth import generate_key
from app.kit.crypto import generate_master_key


@dataclass(frozen=True, slots=True)
class DemoKeys:
    """The key that seals secrets at rest, and the operator's API key."""

    master: str
    operator: str


def keep_keys(home: Path) -> DemoKeys:
    """The keys of this home, made when there are none."""
    path = home / "keys.json"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        made = DemoKeys(generate_master_key("demo"), generate_key("operator").text)
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(made)))
        draft.replace(path)
    return DemoKeys(**json.loads(path.read_text()))
