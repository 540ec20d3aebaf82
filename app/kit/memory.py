"""How the garbage collector goes about: what is loaded stays, what a commit makes is looked at rarely."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 50_000
"""Objects made before the youngest are looked at. A commit of 500 subjects makes some hundred thousand that
die with it; looked at every 700, as by default, a third of the time of such a commit went into the collector.
"""


def settle_memory() -> None:
    """Called once, when everything that lives as long as the process is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
