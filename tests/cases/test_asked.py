"""A case opened by the answer to an invitation is known by the channel and the place of that invitation."""

from __future__ import annotations

from typing import Any

from tests.builders import event
from tests.cases.conftest import Desk

PLACE = ("channel", "touchpoint", "location", "reply_channel")


def _answer(name: str, desk: Desk, **more: Any) -> dict[str, Any]:
    data = {"question": "csat", "measure": "csat", "scale": "csat_1_5", "value": 1, **more}
    when = desk.clock().isoformat()
    return event("survey.answered", name, when=when, subject=f"survey/{name}", source="tool", data=data)


async def test_an_answer_that_does_not_say_where_it_was_given_was_given_where_the_customer_was_asked(
    desk: Desk,
) -> None:
    asked = {"channel": "sms", "touchpoint": "checkout", "location": "kyiv-1"}
    for name in ("S-1", "S-2"):
        when, subject = desk.clock().isoformat(), f"survey/{name}"
        started = event(
            "survey.started", f"ask-{name}", when=when, subject=subject, source="tool", data=asked
        )
        await desk.client.post("/v1/events", json=started)
    batch = [_answer("S-1", desk), _answer("S-2", desk, channel="call"), _answer("S-3", desk)]
    assert (await desk.client.post("/v1/events", json=batch)).status_code == 200
    found = {}
    for name in ("S-1", "S-2", "S-3"):
        case = await desk.case(f"feedback:tool:{name}")
        found[name] = tuple(case[key] for key in PLACE)
    assert found == {
        "S-1": ("sms", "checkout", "kyiv-1", "sms"),
        "S-2": ("call", "checkout", "kyiv-1", "call"),
        "S-3": (None, None, None, None),
    }
