"""What is posted: a rating of twenty fields with a text and a customer, each under an id of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

_MARK = "000000000000"
_VARIANTS = 97
_SENTENCES = {
    "en": (
        "The operator listened and called back within the hour.",
        "The line works again, thank you very much.",
        "I had to explain the whole story three times.",
        "Nobody could tell me when the technician would come.",
        "The new router is fast but the cable was too short.",
        "A kind man showed me how to set everything up.",
        "The bill is still wrong, although they promised to look at it.",
    ),
    "uk": (
        "Оператор вислухав і передзвонив за годину.",
        "Лінія знову працює, дуже дякую.",
        "Довелося тричі пояснювати те саме.",
        "Ніхто не міг сказати, коли приїде майстер.",
        "Новий роутер швидкий, але кабель закороткий.",
        "Чемний хлопець показав, як усе налаштувати.",
        "Рахунок досі неправильний, хоча обіцяли розібратися.",
    ),
}
_NUMBERS = count(int(datetime.now(UTC).timestamp()) % 10**6 * 10**6)


def rating(variant: int, at: datetime, *, value: int = 9) -> dict[str, object]:
    """One event; the id and the phone number hold the mark that each request replaces."""
    return {
        "type": "feedback.received",
        "id": f"call-{_MARK}",
        "source": "call-centre",
        "occurred_at": at.isoformat(timespec="seconds"),
        "data": {
            "kind": "rating",
            "channel": "call",
            "touchpoint": f"line-{variant % 7}",
            "journey_stage": "after",
            "location": f"store-{variant % 11}",
            "employee": f"employee-{variant}",
            "segment": "regular",
            "product": "router-x",
            "question": "nps_after_call",
            "scale": "nps_0_10",
            "value": value,
            "text": _text(variant),
            "lang": "uk" if variant % 2 else "en",
            "collection_mode": "invited",
            "incentivised": False,
            "customer": {"type": "phone", "value": f"+38{_MARK}"},
            "attributes": {"tariff": "home-500", "years": 4},
        },
    }


def _text(variant: int) -> str:
    """Some 150 letters that no other request has, for texts are read one by one."""
    sentences = _SENTENCES["uk" if variant % 2 else "en"]
    chosen = [sentences[(variant * step) % len(sentences)] for step in (1, 3, 5)]
    return f"{' '.join(chosen)} ({_MARK})"


class Ratings:
    """An endless supply of ready bodies and requests, no two with one id."""

    def __init__(self, *, value: int = 9) -> None:
        at = datetime.now(UTC)
        self._parts = [
            tuple(json.dumps(rating(variant, at, value=value)).encode().split(_MARK.encode()))
            for variant in range(_VARIANTS)
        ]

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        number = b"%012d" % next(_NUMBERS)
        return number.join(self._parts[int(number[-4:]) % _VARIANTS])

    def batch(self, size: int) -> bytes:
        """NDJSON of that many events."""
        return b"\n".join(next(self) for _ in range(size))


def post(path: str, body: bytes, *, key: str = "", media_type: str = "application/json") -> bytes:
    """The bytes of one HTTP/1.1 request."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media_type}\r\n"
    head += f"Content-Length: {len(body)}\r\n"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    return head.encode() + b"\r\n" + body


def get(path: str, *, key: str) -> bytes:
    """The same without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
