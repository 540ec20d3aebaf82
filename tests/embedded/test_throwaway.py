"""Throwaway servers of runs that were killed: whoever comes next clears them away, also several at once."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.embedded import throwaway


def test_runs_that_start_together_clear_away_the_same_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for number in range(300):
        folder = tmp_path / f"vidhuk-test-{number}"
        (folder / "data").mkdir(parents=True)
        (folder / "port").write_text("1")
    with ThreadPoolExecutor(8) as runs:
        for run in [runs.submit(throwaway._sweep) for _ in range(8)]:
            run.result()
    assert list(tmp_path.iterdir()) == []
