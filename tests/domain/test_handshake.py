"""What a receiver of CloudEvents says of us, and what follows for the pace."""

from __future__ import annotations

import pytest

from app.domain.handshake import Consent, judge, request_headers, slower_throttle

ORIGIN = "vidhuk.example.com"


@pytest.mark.parametrize(
    ("status", "headers", "consent", "per_minute"),
    [
        (200, {"webhook-allowed-origin": ORIGIN}, Consent.ALLOWED, None),
        (204, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "120"}, Consent.ALLOWED, 120),
        (200, {"webhook-allowed-origin": "Vidhuk.Example.COM"}, Consent.ALLOWED, None),
        (200, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "*"}, Consent.ALLOWED, None),
        (200, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "0"}, Consent.ALLOWED, None),
        (200, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "-5"}, Consent.ALLOWED, None),
        (200, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "9" * 40}, Consent.ALLOWED, None),
        (200, {}, Consent.NOT_ALLOWED, None),
        (200, {"webhook-allowed-origin": "other.example.com"}, Consent.NOT_ALLOWED, None),
        (405, {"webhook-allowed-origin": ORIGIN}, Consent.NOT_ALLOWED, None),
        (302, {"webhook-allowed-origin": "*"}, Consent.NOT_ALLOWED, None),
    ],
)
def test_only_a_2xx_that_names_us_or_everybody_is_consent(
    status: int, headers: dict[str, str], consent: Consent, per_minute: int | None
) -> None:
    verdict = judge(status, headers, ORIGIN)
    assert (verdict.consent, verdict.per_minute) == (consent, per_minute)
    assert (verdict.detail is None) is (consent is Consent.ALLOWED)


def test_a_rate_is_asked_for_only_where_there_is_one() -> None:
    assert request_headers(ORIGIN, None) == {"WebHook-Request-Origin": ORIGIN}
    assert request_headers(ORIGIN, 60)["WebHook-Request-Rate"] == "60"


@pytest.mark.parametrize(
    ("per_minute", "ours", "expected"),
    [
        (None, (None, None), None),
        (120, (None, None), (120, 60)),
        (120, (1, 1), None),
        (120, (2, 1), None),
        (120, (3, 1), (120, 60)),
        (10, (100, 3_600), None),
        (60_000, (None, None), (1_000, 1)),
        (999_999_999, (None, None), (10_000, 1)),
    ],
)
def test_the_slower_of_both_paces_holds(
    per_minute: int | None, ours: tuple[int | None, int | None], expected: tuple[int, int] | None
) -> None:
    assert slower_throttle(per_minute, *ours) == expected
