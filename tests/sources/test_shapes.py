"""The shapes that adapters and mappings write are those that the door reads: neither may drift."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from app.domain.events import EventType
from app.ingest.schemas import DATA_MODELS, AnswerIn, Customer
from app.sources.shapes import ANSWER, CUSTOMER, Shape, is_attribute_name, shape_of


def _words(annotation: Any) -> set[str] | None:
    """The closed vocabulary of an annotation, if it has one."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {member.value for member in annotation}
    for part in get_args(annotation):
        if (words := _words(part)) is not None:
            return words
    return None


def _assert_equal(shape: Shape, model: type[BaseModel]) -> None:
    assert set(shape) == set(model.model_fields)
    for key, field in shape.items():
        words = _words(model.model_fields[key].annotation)
        assert field.words == words, key


@pytest.mark.parametrize("event_type", [kind for kind in EventType if not kind.is_derived])
def test_the_shape_of_every_event_type_is_what_the_door_accepts(event_type: EventType) -> None:
    _assert_equal(shape_of(event_type), DATA_MODELS[event_type])


def test_answers_and_customers_have_the_keys_of_the_door() -> None:
    _assert_equal(ANSWER, AnswerIn)
    _assert_equal(CUSTOMER, Customer)


@pytest.mark.parametrize(
    ("name", "good"),
    [("agency", True), ("a_1", True), ("1a", False), ("a-b", False), ("", False), ("a" * 64, False)],
)
def test_attribute_names_are_those_of_the_door(name: str, good: bool) -> None:
    assert is_attribute_name(name) is good
