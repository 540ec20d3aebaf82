"""Folders in which the embedded server can work, also when the tests run as root."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded import RunningPostgres, start_embedded


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter (pytest's own are closed to all but their owner)."""
    folder = Path(tempfile.mkdtemp(prefix="vidhuk-home-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(open_folder: Path) -> Path:
    """Where a server may make its home."""
    return open_folder / "home"


@pytest.fixture(scope="module")
def made_home() -> Iterator[Path]:
    """A home with a cluster, made once: starting it again takes a tenth of the time."""
    folder = Path(tempfile.mkdtemp(prefix="vidhuk-home-"))
    folder.chmod(0o755)
    start_embedded(folder / "home", durable=False).stop()
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(made_home: Path) -> Iterator[RunningPostgres]:
    """One server for the tests that only ask it something."""
    with start_embedded(made_home, durable=False) as running:
        yield running
