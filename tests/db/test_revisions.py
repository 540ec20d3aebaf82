"""The chain of revisions, as it stands in the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from app.db import revisions as module
from app.db.migrate import alembic_config
from app.db.revisions import revisions


def test_they_are_those_that_alembic_walks() -> None:
    walked = ScriptDirectory.from_config(alembic_config("")).walk_revisions()
    assert revisions() == tuple(script.revision for script in walked)


@pytest.mark.parametrize("others", [('"b"', "None"), ('"b"', '"c"')])
def test_what_is_no_chain_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others) -> None:
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    (tmp_path / "a.py").write_text('revision = "a"\ndown_revision = None\n')
    (tmp_path / "b.py").write_text(f"revision = {others[0]}\ndown_revision = {others[1]}\n")
    with pytest.raises(ValueError, match="2 migrations, of which 1"):
        revisions.__wrapped__()
