"""Yelp: reviews of a business as its API lists them. Texts are cut at 160 characters by Yelp.

Times name no zone: Yelp writes Pacific Time, whatever the zone of the business.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.review_states import ReviewState, stated
from app.sources.times import iso_time

PACIFIC = ZoneInfo("America/Los_Angeles")


class YelpAdapter:
    """Adapter of Yelp's business reviews."""

    name = "yelp"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per review."""
        reader = Reader.of(payload)
        if reader.raw("time_created") is not None:
            return (Item("", payload),)
        return [Item(one.pointer, one.value) for one in reader.objects("reviews")]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """A review. Raises PayloadError."""
        review = Reader.of(item.value, item.pointer)
        user = review.object("user")
        person = user.identifier("id")
        url = (review.text("url") or "").partition("?")[0]
        business = url.partition("/biz/")[2].partition("/")[0]
        state = ReviewState(
            number=review.required_identifier("id"),
            written=iso_time(review.raw("time_created"), PACIFIC, review.at("time_created")),
            answers=one_score("stars", review.score("rating", 1, 5), "stars_1_5", "stars"),
            text=review.text("text"),
            author=user.text("name"),
            customer={"type": "yelp_user", "value": person} if person else None,
            location=context.defaults.location or business or None,
            url=url or None,
        )
        return [stated(state, context)]
