"""How much one run takes on: windows, repetitions and sizes, in full, in quick and in large."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a run."""

    repetitions: int = 3
    window_seconds: float = 3.0
    complaints: int = 60
    timers: int = 10_000
    deliveries: int = 12_000
    queue: int = 100_000
    delay_seconds: int = 10
    answers: int = 500_000
    history: int = 1_000_000
    open_timers: int = 100_000
    crowd_among: int = 0
    """open timers behind those that fall due at once; 0: not taken on"""
    idle_seconds: float = 10.0


QUICK = Plan(
    repetitions=1,
    window_seconds=1.5,
    complaints=20,
    timers=2_000,
    deliveries=4_000,
    queue=8_000,
    delay_seconds=3,
    answers=100_000,
    history=200_000,
    open_timers=20_000,
    idle_seconds=4.0,
)

LARGE = Plan(
    answers=10_000_000, history=10_000_000, open_timers=1_000_000, crowd_among=1_000_000, idle_seconds=20.0
)
