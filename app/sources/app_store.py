"""App Store: customer reviews as App Store Connect lists them, and the developer's responses beside them.

A review has a nickname and no identity, a country, and a time with Cupertino's offset.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.review_states import ReviewState, replied, stated
from app.sources.times import iso_time


class AppStoreAdapter:
    """Adapter of App Store Connect's customer reviews."""

    name = "app_store"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per resource of `data` and of `included`."""
        reader = Reader.of(payload)
        single = isinstance(reader.raw("data"), dict)
        found = [reader.object("data")] if single else reader.objects("data")
        return [Item(one.pointer, one.value) for one in (*found, *reader.objects("included"))]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """A review, or a response to one. Raises PayloadError, UnknownEventError."""
        resource = Reader.of(item.value, item.pointer)
        kind, said = resource.text("type"), resource.object("attributes")
        number = resource.required_identifier("id")
        if kind == "customerReviewResponses":
            return _response(resource, said, context)
        if kind != "customerReviews":
            raise UnknownEventError("App Store", kind, pointer=resource.at("type"))
        country = said.text("territory")
        state = ReviewState(
            number=number,
            written=iso_time(said.raw("createdDate"), pointer=said.at("createdDate")),
            answers=one_score("stars", said.score("rating", 1, 5), "stars_1_5", "stars"),
            title=said.text("title"),
            text=said.text("body"),
            author=said.text("reviewerNickname"),
            attributes={"country": country} if country else {},
        )
        return [stated(state, context)]


def _response(resource: Reader, said: Reader, context: SourceContext) -> list[Event]:
    review = resource.object("relationships").object("review").object("data").identifier("id")
    if review is None or said.text("state") == "PENDING_PUBLISH":
        return []
    moment = iso_time(said.raw("lastModifiedDate"), pointer=said.at("lastModifiedDate"))
    return [replied(review, moment, said.text("responseBody"), context)]
