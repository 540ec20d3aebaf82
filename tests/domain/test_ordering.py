"""What a message must not overtake."""

from __future__ import annotations

import pytest

from app.domain.ordering import Ordering, order_key


@pytest.mark.parametrize(
    ("ordering", "subject", "key"),
    [
        (Ordering.NONE, "case_1", None),
        (Ordering.NONE, None, None),
        (Ordering.SUBJECT, "case_1", "case_1"),
        (Ordering.SUBJECT, None, ""),
        (Ordering.ENDPOINT, "case_1", "*"),
        (Ordering.ENDPOINT, None, "*"),
    ],
)
def test_a_key_is_shared_by_what_must_keep_its_order(
    ordering: Ordering, subject: str | None, key: str | None
) -> None:
    assert order_key(ordering, subject) == key
