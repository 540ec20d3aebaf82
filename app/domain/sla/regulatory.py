"""Presets of rules of law and of standards as data: each names its source; verify before use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.errors import NotFoundError
from app.domain.sla.document import nearest

Json = dict[str, Any]

_DECIDED: Final = ["case.decision_communicated", "case.declined"]
_HOLDING: Final = {"event": "case.replied", "when": {"outcome": "holding_response"}}
_GONE: Final = ["case.withdrawn", "case.marked_duplicate", "case.marked_invalid", "case.merged"]


@dataclass(frozen=True, slots=True)
class RegulatoryPreset:
    """Timers that run beside the internal ones, with where their numbers come from.

    `timers` are documents for `parse_policy`; statutory ones are never paused and
    outlive the closing of a case.
    """

    key: str
    title: str
    jurisdiction: str
    source: str
    note: str
    timers: tuple[Json, ...]
    when: Mapping[str, Any] = field(default_factory=lambda: {"subject": "case", "kind": "complaint"})

    @property
    def warning(self) -> str:
        """What stands beside every preset."""
        return "Verify before use: rules change, and which of them bind you is a legal question."

    def rule(self, calendar: str | None = None, when: Mapping[str, Any] | None = None) -> Json:
        """The rule that adopts it: added to a policy, it gives its timers beside all others."""
        timers = [{**timer, "basis": self.source} for timer in self.timers]
        if calendar is not None:
            timers = [{**timer, "calendar": calendar} for timer in timers]
        return {"name": self.key, "also": True, "when": {**self.when, **(when or {})}, "timers": timers}


def _timer(key: str, due: Json, stop: list[Any], **more: Any) -> Json:
    return {
        "key": key,
        "subject": "case",
        "start": ["case.opened"],
        "stop": stop,
        "due": due,
        "clock_kind": "statutory",
        "cancel": list(_GONE),
        "warnings": [75, 90],
        "escalation": [{"percent": 100, "to": "feedback_owner"}],
        "reopen": {"mode": "first_resolution"},
        **more,
    }


def _day(n: int) -> Json:
    return {"calendar_rule": {"end_of_day": n}}


def _business_day(n: int) -> Json:
    return {"calendar_rule": {"close_of_business_day": n}}


REGULATORY_PRESETS: Final = (
    RegulatoryPreset(
        "fca_disp_1_6",
        "FCA DISP 1.6: final response within eight weeks",
        "GB",
        "FCA Handbook, DISP 1.6.2R (handbook.fca.org.uk)",
        "Calendar weeks from receipt. A holding letter at eight weeks (case.replied, outcome "
        "holding_response) fulfils it as a final response does.",
        (_timer("fca_final_response", _day(56), _DECIDED, alternatives=[dict(_HOLDING)]),),
    ),
    RegulatoryPreset(
        "fca_payments",
        "FCA payment services and e-money: 15 business days, 35 after a holding response",
        "GB",
        "FCA Handbook, DISP 1.6.2AR; PSD2 article 101 has the same numbers",
        "A holding response in time moves the deadline to the 35th business day after receipt.",
        (
            _timer(
                "fca_payments_response",
                _business_day(15),
                _DECIDED,
                alternatives=[{**_HOLDING, "moves_to": _business_day(35)}],
            ),
        ),
    ),
    RegulatoryPreset(
        "fca_disp_1_5",
        "FCA DISP 1.5: resolved by close of the third business day",
        "GB",
        "FCA Handbook, DISP 1.5.1R",
        "An exit, not a duty: resolved and accepted by then, a summary resolution communication is enough. "
        "A miss says that the time limits of DISP 1.6 apply.",
        (_timer("fca_third_business_day", _business_day(3), [*_DECIDED, "case.remedied", "case.closed"]),),
    ),
    RegulatoryPreset(
        "asic_rg271",
        "ASIC RG 271: acknowledge in 24 hours, IDR response in 30 calendar days",
        "AU",
        "ASIC Regulatory Guide 271 (RG 271.51, RG 271.56)",
        "Superannuation has 45 days, hardship notices 21: adopt the preset of that name under a condition.",
        (
            _timer("asic_acknowledge", {"duration": "PT24H"}, ["case.acknowledged", "case.replied"]),
            _timer("asic_idr_response", _day(30), _DECIDED),
        ),
    ),
    RegulatoryPreset(
        "asic_rg271_superannuation",
        "ASIC RG 271, superannuation: IDR response in 45 calendar days",
        "AU",
        "ASIC Regulatory Guide 271",
        "Beside the 24-hour acknowledgement of asic_rg271.",
        (_timer("asic_idr_superannuation", _day(45), _DECIDED),),
    ),
    RegulatoryPreset(
        "asic_rg271_hardship",
        "ASIC RG 271, financial difficulty: response in 21 calendar days",
        "AU",
        "ASIC Regulatory Guide 271",
        "Beside the 24-hour acknowledgement of asic_rg271.",
        (_timer("asic_idr_hardship", _day(21), _DECIDED),),
    ),
    RegulatoryPreset(
        "cfpb_portal",
        "CFPB complaint portal: response in 15, final in 60 calendar days",
        "US",
        "CFPB, Company Portal Manual",
        'A response "in progress" within 15 days keeps the case open until the 60th.',
        (
            _timer("cfpb_response", _day(15), [*_DECIDED, "case.replied", "case.remedied", "case.closed"]),
            _timer("cfpb_final", _day(60), [*_DECIDED, "case.remedied", "case.closed"]),
        ),
    ),
    RegulatoryPreset(
        "iso_10002",
        "ISO 10002 stages: acknowledge at once, assess, respond, communicate, close",
        "",
        "ISO 10002:2018, clauses 7.4 to 7.9; the standard sets no durations, these are ours",
        "Internal clocks: the numbers are a proposal.",
        tuple(
            _timer(f"iso_{key}", {"duration": duration}, [stop], clock_kind="internal")
            for key, duration, stop in (
                ("acknowledge", {"hours": 1}, "case.acknowledged"),
                ("assess", {"business_days": 1}, "case.assessed"),
                ("respond", {"business_days": 5}, "case.replied"),
                ("communicate_decision", {"business_days": 10}, "case.decision_communicated"),
                ("close", {"business_days": 15}, "case.closed"),
            )
        ),
    ),
    RegulatoryPreset(
        "uae_cbuae",
        "UAE Central Bank: confirm in 2, answer in 10 business days",
        "AE",
        "CBUAE Consumer Protection Standards, article 17.3 (rulebook.centralbank.ae)",
        "Business days of a calendar with the days off of the Emirates.",
        (
            _timer("cbuae_confirm", _business_day(2), ["case.acknowledged", "case.replied"]),
            _timer("cbuae_final", _business_day(10), _DECIDED),
        ),
    ),
    RegulatoryPreset(
        "ua_appeals_art20",
        "Ukraine, appeals of citizens: one month, at most 45 days",
        "UA",
        "Law of Ukraine On Appeals of Citizens, article 20",
        "One month is counted as 30 days. A prolongation that was told (case.promised, outcome prolonged) "
        "moves the deadline to the 45th day.",
        (
            _timer(
                "ua_appeal",
                _day(30),
                [*_DECIDED, "case.remedied"],
                alternatives=[
                    {"event": "case.promised", "when": {"outcome": "prolonged"}, "moves_to": _day(45)}
                ],
            ),
        ),
    ),
    RegulatoryPreset(
        "ua_appeals_art20_simple",
        "Ukraine, appeals that need no further study: 15 days",
        "UA",
        "Law of Ukraine On Appeals of Citizens, article 20",
        "Adopt it under a condition that tells the simple ones.",
        (_timer("ua_appeal_simple", _day(15), [*_DECIDED, "case.remedied"]),),
    ),
)


def get_regulatory_preset(key: str) -> RegulatoryPreset:
    """The preset of a key. Raises NotFoundError naming the nearest."""
    for preset in REGULATORY_PRESETS:
        if preset.key == key:
            return preset
    known = [preset.key for preset in REGULATORY_PRESETS]
    raise NotFoundError("not_found", f"there is no preset {key!r}", cure=nearest(key, known))


def adopt(document: Json, preset: RegulatoryPreset, rule: Json) -> Json:
    """A policy document with the rule of a preset, put in front; the one adopted before is replaced."""
    others = [known for known in document.get("rules", ()) if known.get("name") != preset.key]
    return {**document, "rules": [rule, *others]}
