"""Google Business Profile: reviews and the owner's replies, as its API lists them.

Stars are words (ONE .. FIVE). A review without a comment is stars only; an author has a name and no stable
id. The location stands in the resource name. A Pub/Sub notice names a review and nothing else: the puller
brings it, so the notice says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.review_states import ReviewState, replied, stated
from app.sources.times import iso_time

_STARS = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
_LOCATION = re.compile(r"(?:^|/)locations/([^/]+)")
_NO_STARS = "STAR_RATING_UNSPECIFIED"


class GoogleBusinessAdapter:
    """Adapter of the reviews of Google Business Profile."""

    name = "google_business"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per review; the API may put null among them."""
        reader = Reader.of(payload)
        if reader.raw("message") is not None:
            return ()
        if reader.raw("reviews") is None and reader.raw("reviewId") is not None:
            return (Item("", payload),)
        listed = reader.raw("reviews")
        if listed is not None and not isinstance(listed, list):
            raise PayloadError("wrong_type", "reviews is no list", pointer="/reviews", cure="Send a list.")
        return [Item(f"/reviews/{n}", one) for n, one in enumerate(listed or []) if one is not None]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """A review and the reply to it. Raises PayloadError."""
        review = Reader.of(item.value, item.pointer)
        name = review.text("name") or ""
        number = review.identifier("reviewId") or name.rpartition("/")[2]
        if not number:
            raise UnknownEventError("Google Business", next(iter(review.value), None), pointer=item.pointer)
        word = review.text("starRating") or _NO_STARS
        if word not in _STARS and word != _NO_STARS:
            raise PayloadError(
                "score_invalid",
                f"{word[:60]!r} is none of ONE .. FIVE",
                pointer=review.at("starRating"),
                cure="Send Google's own word.",
            )
        written = iso_time(review.raw("createTime"), pointer=review.at("createTime"))
        changed = iso_time(
            review.raw("updateTime") or review.raw("createTime"), pointer=review.at("updateTime")
        )
        location = _LOCATION.search(name)
        reviewer = review.object("reviewer")
        state = ReviewState(
            number=number,
            written=written,
            changed=changed,
            answers=one_score("stars", _STARS.get(word), "stars_1_5", "stars"),
            text=review.text("comment"),
            author=None if reviewer.flag("isAnonymous") else reviewer.text("displayName"),
            location=location[1] if location else None,
        )
        events = [stated(state, context)]
        reply = review.object("reviewReply")
        if reply:
            moment = iso_time(reply.raw("updateTime"), pointer=reply.at("updateTime"))
            events.append(replied(number, moment, reply.text("comment"), context))
        return events
