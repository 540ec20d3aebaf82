"""Questions are defined: what answers were read by does not change under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.configuration.changes import Change, difference
from app.configuration.questions import repository
from app.configuration.questions.schemas import KeyedQuestionIn, QuestionOut
from app.domain.errors import ConflictError, InvalidError
from app.domain.feedback import NO_QUESTION
from app.domain.scales import QuestionMeasure, get_scale

_FROZEN = ("measure", "scale_id", "wording")


async def define(change: Change, wanted: Sequence[KeyedQuestionIn], pointer: str) -> list[QuestionOut]:
    """Define questions, all or none; `pointer` has a place for the number of each in the request.

    Raises InvalidError (`duplicate_key`, `reserved_key`, `unknown_scale`) and ConflictError
    (`question_answered`, `wording_version_shrinks`).
    """
    keys = [question.key for question in wanted]
    known = await repository.find_questions(change.connection, change.tenant_id, keys)
    rows: list[dict[str, Any]] = []
    for number, question in enumerate(wanted):
        place = pointer.format(number)
        _check(question, keys[:number], place)
        before = known.get(question.key)
        defined = _defined(question, before)
        if before is not None:
            await _check_change(change, before, defined, place)
        detail = difference(None if before is None else before._mapping, defined)
        if detail is not None:
            seen_at = change.now if before is None else before.first_seen_at
            rows.append({"tenant_id": change.tenant_id, "first_seen_at": seen_at, **defined})
            change.note("question.put", question.key, detail)
    if rows:
        await repository.put_questions(change.connection, rows)
        known = await repository.find_questions(change.connection, change.tenant_id, keys)
    return [question_out(known[key]) for key in keys]


def question_out(row: Any) -> QuestionOut:
    """A question's row as callers see it."""
    return QuestionOut(**{name: row._mapping[name] for name in QuestionOut.model_fields})


def _check(question: KeyedQuestionIn, earlier: Sequence[str], place: str) -> None:
    if question.key in earlier:
        raise InvalidError(
            "duplicate_key",
            f"{question.key!r} is defined twice in this request",
            pointer=f"{place}/key",
            cure="define it once",
        )
    if question.key == NO_QUESTION:
        raise InvalidError(
            "reserved_key",
            f"{NO_QUESTION!r} stands for a text that answers no question",
            pointer=f"{place}/key",
            cure="choose another key",
        )
    try:
        get_scale(question.scale_id)
    except InvalidError as error:
        raise InvalidError(error.reason, error.detail, pointer=f"{place}/scale_id", cure=error.cure) from None


def _defined(question: KeyedQuestionIn, before: Any) -> dict[str, Any]:
    version, relational = question.wording_version, question.relational
    if version is None:
        version = 1 if before is None else before.wording_version
    if relational is None:
        relational = question.measure is QuestionMeasure.NPS
    return {
        "key": question.key,
        "measure": question.measure.value,
        "scale_id": question.scale_id,
        "wording": question.wording,
        "wording_version": version,
        "relational": relational,
        "uncategorised": False,
    }


async def _check_change(change: Change, before: Any, defined: dict[str, Any], place: str) -> None:
    """An answered question changes only as a new version of itself; a first wording is no change."""
    if defined["wording_version"] < before.wording_version:
        raise ConflictError(
            "wording_version_shrinks",
            f"{before.key!r} is at wording version {before.wording_version} already",
            pointer=f"{place}/wording_version",
            cure="send the same version or a greater one",
        )
    if defined["wording_version"] > before.wording_version:
        return
    old = before._mapping
    changed = [name for name in _FROZEN if old[name] is not None and old[name] != defined[name]]
    if changed and await repository.is_answered(change.connection, change.tenant_id, before.key):
        raise ConflictError(
            "question_answered",
            f"{before.key!r} has answers, which were read by its {' and '.join(changed)}",
            pointer=f"{place}/{changed[0]}",
            cure=f"send a `wording_version` above {before.wording_version}: answers given so far stay what "
            "they are, later ones are read anew; or give the other question a key of its own",
        )
