"""A tenant whose invitations run out, with the loops stepped by hand."""

from __future__ import annotations

import pytest

from app.asking.acts.loop import SilenceLoop
from app.wiring import Services


@pytest.fixture
def silence_loop(services: Services) -> SilenceLoop:
    return SilenceLoop(services.journal, services.asking_policies, services.bell)
