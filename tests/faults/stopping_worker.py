"""`python -m tests.faults.stopping_worker <point> <signal>`: a worker that signals itself at a named point.

Points: `after_claim` (nothing was sent), `after_send` (answered, not settled), `after_record` (settled).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from app.command_line.serving import worker
from app.webhooks import dispatcher
from app.webhooks.sender import Sender


def stop_at(point: str, number: signal.Signals) -> None:
    """Lay the mine; it goes off once."""
    send: Callable[..., Awaitable[Any]] = Sender.send
    note = dispatcher.note_attempts
    armed = [number]

    def reach(here: str) -> None:
        if here == point and armed:
            os.kill(os.getpid(), armed.pop())

    async def send_mined(*arguments: Any) -> Any:
        reach("after_claim")
        receipt = await send(*arguments)
        reach("after_send")
        return receipt

    def note_mined(written: Any) -> Any:
        if written:
            reach("after_record")
        return note(written)

    setattr(Sender, "send", send_mined)  # noqa: B010
    setattr(dispatcher, "note_attempts", note_mined)  # noqa: B010


if __name__ == "__main__":
    stop_at(sys.argv[1], signal.Signals[sys.argv[2]])
    worker()
