"""A mapping as an adapter: what `POST /in/{token}` uses for a source that has no code of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.bodies import embedded_json
from app.sources.errors import PayloadError
from app.sources.mapping.compiled import CompiledMapping
from app.sources.mapping.functions import Envelope


@dataclass(frozen=True, slots=True)
class MappingAdapter:
    """Adapter over a compiled mapping of format `json`."""

    mapping: CompiledMapping

    @property
    def name(self) -> str:
        """`mapping:<id>`."""
        return f"mapping:{self.mapping.id}"

    def items(self, payload: object) -> Sequence[Item]:
        """What `items` finds; without it a list is its elements and anything else is one item."""
        payload = self._opened(payload)
        if self.mapping.items is not None:
            found = self.mapping.items.search(payload, "", Envelope(payload))
            if found is None:
                raise PayloadError(
                    "items_missing",
                    f"{self.mapping.items.text!r} finds nothing in the payload",
                    cure="Mend the mapping's `items`, then replay.",
                )
            elements = found if isinstance(found, list) else [found]
            # The expression may have filtered: where an element stood in the payload is not known any more.
            return [Item("", element, payload) for element in elements]
        if isinstance(payload, list):
            return [Item(f"/{index}", element, payload) for index, element in enumerate(payload)]
        return (Item("", payload, payload),)

    def _opened(self, payload: object) -> object:
        """The payload with the JSON that stands in its text fields read."""
        if not isinstance(payload, Mapping) or not self.mapping.embedded:
            return payload
        return {
            key: embedded_json(value, f"/{key}") if key in self.mapping.embedded else value
            for key, value in payload.items()
        }

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one item. Raises PayloadError."""
        try:
            return self.mapping.events(item.value, context, envelope=Envelope(item.payload, context.headers))
        except PayloadError as error:
            raise PayloadError(
                error.reason, error.detail, pointer=item.pointer + error.pointer, cure=error.cure
            ) from error
