"""When feedback is a complaint and who decided so, and how severe it starts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from functools import lru_cache
from typing import Any, Final

from app.domain.scales import AnswerClass


class CaseKind(StrEnum):
    """What the customer brought; of its own accord the service opens complaints and questions only."""

    COMPLAINT = auto()
    QUESTION = auto()
    SUGGESTION = auto()
    PRAISE = auto()


class Severity(StrEnum):
    """sev1 safety, law, rudeness with loss; sev2 money lost, repeat; sev3 ordinary; sev4 question, trifle."""

    SEV1 = auto()
    SEV2 = auto()
    SEV3 = auto()
    SEV4 = auto()


class DecidedBy(StrEnum):
    """Who found the complaint; the first of this order that has an opinion decides."""

    EXPLICIT = auto()
    RULE = auto()
    MODEL = auto()


@dataclass(frozen=True, slots=True)
class ComplaintFinding:
    """That feedback is a complaint, who decided it, by which rule, and why (no words of the customer)."""

    decided_by: DecidedBy
    rule_id: str
    reason: str

    def as_fact(self) -> dict[str, str]:
        """The JSON form kept in the journal with the opening of the case."""
        return {"decided_by": self.decided_by.value, "rule_id": self.rule_id, "reason": self.reason}


# Stems, matched at the beginning of a word; every list is read for every text: people mix languages.
_WORDS: Final = {
    "uk": "скарг, скаржу, жахлив, обурен, хамств, хамськ, нахаб, неприпустим, поверніть гроші",
    "ru": "жалоб, жалуюс, ужасн, возмущ, хамств, хамск, наглост, недопустим, верните деньги",
    "en": "complain, terribl, horribl, outrag, unacceptabl, appall, disgust, money back",
}
_SAFETY_WORDS: Final = (
    "отруї, отруєн, опік, травм, швидку допомогу, небезпе, пожеж, "
    "отрави, отравл, ожог, скорую помощь, опасн, пожар, poison, injur, ambulance, unsafe, danger"
)
_LEGAL_WORDS: Final = "до суду, адвокат, в суд, юрист, lawsuit, lawyer"
# "no complaints", "не жахливо": a word right before the stem that turns it round.
_DENIALS: Final = "no, not, never, without, nothing to, без, не, ні, нет, жодних, никаких"
_DENIED: Final = "".join(rf"(?<!\b{word} )" for word in _DENIALS.split(", "))


def _stems(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


@dataclass(frozen=True, slots=True)
class ComplaintRules:
    """What makes a complaint and what makes it worse; every list is configuration.

    `low_norm01`: an answer at or below this share of its scale is a complaint, whatever its class (None:
    off). `model_confidence`: what a classification must reach. Causes match themselves and their branch.
    `repeat_days`: a complaint of the same customer within this time is a repeat.
    """

    negative_class: bool = True
    low_norm01: float | None = 0.25
    words: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {language: _stems(listed) for language, listed in _WORDS.items()}
    )
    model_confidence: float = 0.8
    safety_words: tuple[str, ...] = _stems(_SAFETY_WORDS)
    safety_causes: tuple[str, ...] = ("safety",)
    legal_words: tuple[str, ...] = _stems(_LEGAL_WORDS)
    legal_causes: tuple[str, ...] = ("legal",)
    rudeness_causes: tuple[str, ...] = ("staff.rudeness",)
    loss_causes: tuple[str, ...] = ("office_process.billing_error",)
    repeat_days: int = 30


DEFAULT_RULES: Final = ComplaintRules()
_GRAVE: Final = frozenset({"safety", "legal"})


def detect(
    facts: Mapping[str, Any],
    answer_class: str | None,
    rules: ComplaintRules = DEFAULT_RULES,
    classification: Mapping[str, Any] | None = None,
) -> ComplaintFinding | None:
    """Find the complaint in feedback: explicit flag > rule > model; None when it is none.

    `facts` are the data of `feedback.received`: its fact part (`answers` as read on their scales) and, as
    long as it is at hand, its `text`. `is_complaint: false` is heard even beside the lowest score.
    `classification` are the facts of a later `feedback.classified`: `{is_complaint, confidence, model}`.
    """
    flag = facts.get("is_complaint")
    if flag is False:
        return None
    if flag is True:
        return ComplaintFinding(DecidedBy.EXPLICIT, "is_complaint", "the source says that it is a complaint")
    if facts.get("kind") == CaseKind.COMPLAINT:
        return ComplaintFinding(DecidedBy.EXPLICIT, "kind", "the source calls it a complaint")
    found = next(_by_rule(facts, answer_class, rules), None)
    return found or _by_model(classification or {}, rules)


def _by_rule(
    facts: Mapping[str, Any], answer_class: str | None, rules: ComplaintRules
) -> Iterator[ComplaintFinding]:
    if rules.negative_class and answer_class == AnswerClass.NEGATIVE:
        yield ComplaintFinding(DecidedBy.RULE, "negative_class", "an answer is negative on its scale")
    for answer in facts.get("answers") or ():
        share, most = answer.get("norm01"), rules.low_norm01
        if share is not None and most is not None and share <= most:
            reason = f"an answer lies at {share:.2f} of its scale, within {most:.2f}"
            yield ComplaintFinding(DecidedBy.RULE, "low_score", reason)
    # A good score speaks for itself: "no terrible queues any more" is praise.
    if answer_class == AnswerClass.POSITIVE:
        return
    for language, stems in rules.words.items():
        stem = _spoken(facts, stems)
        if stem is not None:
            yield ComplaintFinding(DecidedBy.RULE, f"words.{language}", f"the text has a word in {stem!r}")


def _by_model(classification: Mapping[str, Any], rules: ComplaintRules) -> ComplaintFinding | None:
    confidence = classification.get("confidence", 1.0)
    sure = isinstance(confidence, int | float) and confidence >= rules.model_confidence
    if classification.get("is_complaint") is not True or not sure:
        return None
    name = str(classification.get("model", "model"))
    return ComplaintFinding(
        DecidedBy.MODEL, name, f"classified as a complaint with confidence {confidence:.2f}"
    )


def _spoken(facts: Mapping[str, Any], stems: tuple[str, ...]) -> str | None:
    """The first stem that begins a word of the text and is not denied by the word before it."""
    said = _normalised(str(facts.get("title") or ""), str(facts.get("text") or ""))
    # most texts hold none of the stems, and looking for them all costs less than one regular expression
    for stem in stems:
        if stem in said:
            found = _pattern(stems).search(said)
            return None if found is None else found.group()
    return None


@lru_cache(maxsize=16)
def _normalised(title: str, text: str) -> str:
    """Both in one line of lower-case words; each text is asked for every list of stems."""
    return " ".join(f"{title} {text}".casefold().split())


@lru_cache(maxsize=64)
def _pattern(stems: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"{_DENIED}\b(?:{'|'.join(map(re.escape, stems))})")


def case_kind(facts: Mapping[str, Any], finding: ComplaintFinding | None) -> CaseKind | None:
    """The kind of case that feedback opens; None when it opens none (praise, suggestions, mere ratings)."""
    if finding is not None:
        return CaseKind.COMPLAINT
    return CaseKind.QUESTION if facts.get("kind") == CaseKind.QUESTION else None


def severity_signs(
    facts: Mapping[str, Any], *, repeat: bool = False, rules: ComplaintRules = DEFAULT_RULES
) -> tuple[str, ...]:
    """What makes this worse than ordinary: any of `safety`, `legal`, `rudeness`, `loss`, `repeat`."""
    cause = str(facts.get("cause") or "")
    signs = {
        "safety": within(cause, rules.safety_causes) or _spoken(facts, rules.safety_words) is not None,
        "legal": within(cause, rules.legal_causes) or _spoken(facts, rules.legal_words) is not None,
        "rudeness": within(cause, rules.rudeness_causes),
        "loss": within(cause, rules.loss_causes),
        "repeat": repeat,
    }
    return tuple(sign for sign, present in signs.items() if present)


def within(cause: str, branches: Iterable[str]) -> bool:
    """True when the cause is one of these branches of the tree, or lies in one."""
    return any(cause == branch or cause.startswith(f"{branch}.") for branch in branches)


def initial_severity(
    facts: Mapping[str, Any],
    kind: CaseKind = CaseKind.COMPLAINT,
    *,
    repeat: bool = False,
    rules: ComplaintRules = DEFAULT_RULES,
) -> Severity:
    """The severity until somebody assesses it (domain.md 6.2): a stated one is kept."""
    if facts.get("severity") in list(Severity):
        return Severity(facts["severity"])
    return severity_of_signs(kind, severity_signs(facts, repeat=repeat, rules=rules))


def severity_of_signs(kind: CaseKind, signs: Collection[str]) -> Severity:
    """What the signs come to: safety and law are sev1, whatever the kind.

    A complaint starts at sev3 and goes up by one for each other sign; the rest starts and stays at sev4.
    """
    if _GRAVE & set(signs):
        return Severity.SEV1
    if kind is not CaseKind.COMPLAINT:
        return Severity.SEV4
    return (Severity.SEV3, Severity.SEV2, Severity.SEV1, Severity.SEV1)[len(signs)]


def severity_reason(kind: CaseKind, signs: Collection[str]) -> str:
    """Why the signs come to that severity, in one sentence."""
    grave = [sign for sign in signs if sign in _GRAVE]
    if grave:
        return f"{' and '.join(grave)}: always sev1"
    if kind is not CaseKind.COMPLAINT:
        return f"a {kind.value} is sev4"
    raised = "".join(f", one up for {sign}" for sign in signs)
    return f"a complaint starts at sev3{raised}"
