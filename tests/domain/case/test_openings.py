"""An opening that only moved is named by the one that was announced first."""

from app.domain.case import told_as

from .builders import fact


def _opening(hours: float, name: str, *instead_of: str, position: int = 1):
    said = {"redates": list(instead_of)} if instead_of else {}
    made = fact("opened", hours, said, id=name)
    object.__setattr__(made, "position", position)
    return made


def test_an_opening_of_its_own_is_named_by_itself():
    first = _opening(5, "a")
    assert told_as(first, [first]) == first.event_id


def test_one_that_moved_twice_is_named_by_the_first():
    chain = [_opening(5, "a"), _opening(3, "b", "a", position=2), _opening(1, "c", "b", position=3)]
    assert {told_as(chain[2], order) for order in (chain, chain[::-1])} == {chain[0].event_id}


def test_one_that_takes_the_place_of_what_is_not_known_is_named_by_itself():
    moved = _opening(1, "b", "never seen")
    assert told_as(moved, [moved]) == moved.event_id


def test_openings_that_name_each_other_come_to_an_end():
    one, other = _opening(1, "a", "b"), _opening(2, "b", "a", position=2)
    assert told_as(one, [one, other]) in {one.event_id, other.event_id}
