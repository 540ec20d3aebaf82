"""The canonical answer: what one event says of a customer's opinion, question by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Protocol

from app.domain.errors import InvalidError
from app.domain.scales import AnswerClass, QuestionMeasure, ScaledValue, default_measure_for, get_scale

NO_QUESTION: Final = "none"
"""Key under which a text without any score is stored: it counts as feedback and answers nothing."""

TEXT_SCALE: Final = "text_only"


class AskedQuestion(Protocol):
    """What is registered of a question."""

    @property
    def measure(self) -> str: ...
    @property
    def scale_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read on its scale. `slot` is its histogram column; both are None without a score."""

    question: str
    measure: str
    scale_id: str
    scale_version: int
    raw: str | None
    value: Decimal | None
    norm01: float | None
    answer_class: AnswerClass
    slot: int | None

    def as_fact(self) -> dict[str, Any]:
        """The JSON form kept in the journal: what was decided when the answer was accepted."""
        value = self.value
        return {
            "question": self.question,
            "measure": self.measure,
            "scale": self.scale_id,
            "scale_version": self.scale_version,
            "raw": self.raw,
            "value": None if value is None else str(value),
            "norm01": self.norm01,
            "class": self.answer_class.value,
            "slot": self.slot,
        }


def answers_of(data: Mapping[str, Any], questions: Mapping[str, AskedQuestion]) -> list[Answer]:
    """The answers of a `feedback.received` or `survey.answered`: its `answers[]`, or its one score.

    Without any score there is one answer on `text_only`, whose class is `data["label"]` or unknown.
    Raises InvalidError (`unknown_scale`, `scale_missing`, `score_outside_scale`, `scale_conflict`,
    `duplicate_question`) pointing into `data`.
    """
    several: Sequence[Mapping[str, Any]] = data.get("answers") or ()
    if several:
        answers = [_answer(item, f"/data/answers/{n}", questions) for n, item in enumerate(several)]
        _refuse_duplicates(answers)
        return answers
    if data.get("value") is not None:
        return [_answer(data, "/data", questions)]
    label = data.get("label")
    read = get_scale(TEXT_SCALE).read(label)
    question = data.get("question") or NO_QUESTION
    return [
        Answer(
            question,
            QuestionMeasure.HAPPINESS_ONLY,
            TEXT_SCALE,
            get_scale(TEXT_SCALE).version,
            label,
            None,
            None,
            read.answer_class,
            None,
        )
    ]


def silent_answer(data: Mapping[str, Any], questions: Mapping[str, AskedQuestion]) -> Answer:
    """The answer of a customer who was asked and stayed silent: no value, class `silent`."""
    key = data.get("question") or NO_QUESTION
    known = questions.get(key)
    scale = get_scale(data.get("scale") or (known.scale_id if known else TEXT_SCALE))
    measure = data.get("measure") or (known.measure if known else default_measure_for(scale.id))
    return Answer(key, measure, scale.id, scale.version, None, None, None, AnswerClass.SILENT, None)


def _answer(item: Mapping[str, Any], pointer: str, questions: Mapping[str, AskedQuestion]) -> Answer:
    scale_id, known = item.get("scale"), questions.get(item.get("question") or "")
    if scale_id is None and known is not None:
        scale_id = known.scale_id
    if scale_id is None:
        raise InvalidError(
            "scale_missing",
            "a score without a scale means nothing",
            pointer=f"{pointer}/scale",
            cure="name the scale (for example `nps_0_10`), or a registered question that has one",
        )
    if known is not None and known.scale_id != scale_id:
        raise InvalidError(
            "scale_conflict",
            f"the question {item['question']!r} is answered on {known.scale_id}, not on {scale_id}",
            pointer=f"{pointer}/scale",
            cure="send its own scale, or give the other wording a question key of its own",
        )
    try:
        scale = get_scale(scale_id)
    except InvalidError as error:
        raise InvalidError(error.reason, error.detail, pointer=f"{pointer}/scale", cure=error.cure) from None
    raw = item.get("value")
    try:
        read, slot = _read_on(scale_id, raw)
    except InvalidError as error:
        raise InvalidError(error.reason, error.detail, pointer=f"{pointer}/value", cure=error.cure) from None
    measure = known.measure if known is not None else item.get("measure") or scale.measure
    return Answer(
        question=item.get("question") or scale_id,
        measure=QuestionMeasure(measure).value,
        scale_id=scale_id,
        scale_version=scale.version,
        raw=None if raw is None else str(raw),
        value=read.value,
        norm01=read.norm01,
        answer_class=read.answer_class,
        slot=slot,
    )


@lru_cache(maxsize=1_000, typed=True)
def _read_on(scale_id: str, raw: Any) -> tuple[ScaledValue, int | None]:
    """A score on its scale and its slot: a scale has few values, and each is read once."""
    scale = get_scale(scale_id)
    read = scale.read(raw)
    return read, None if read.value is None else scale.slot(read.value)


def _refuse_duplicates(answers: Sequence[Answer]) -> None:
    seen: set[str] = set()
    for number, answer in enumerate(answers):
        if answer.question in seen:
            raise InvalidError(
                "duplicate_question",
                f"the question {answer.question!r} is answered twice in one event",
                pointer=f"/data/answers/{number}/question",
                cure="send one answer per question, or name the questions apart",
            )
        seen.add(answer.question)
