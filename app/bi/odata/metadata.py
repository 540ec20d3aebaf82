"""The documents by which a client learns what there is: the service document and $metadata (CSDL, XML)."""

from __future__ import annotations

from typing import Any, Final
from xml.sax.saxutils import quoteattr

from app.bi.odata.model import EntitySet, Model, Property

NAMESPACE: Final = "Vidhuk"
_HEAD: Final = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">\n<edmx:DataServices>\n'
    f'<Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">\n'
)
_TAIL: Final = "</Schema>\n</edmx:DataServices>\n</edmx:Edmx>\n"


def service_document(model: Model, base: str) -> dict[str, Any]:
    """The entity sets by name."""
    return {
        "@odata.context": f"{base}$metadata",
        "value": [{"name": name, "kind": "EntitySet", "url": name} for name in model.sets],
    }


def metadata_document(model: Model) -> str:
    """Entity types with keys, types and descriptions, and the container that holds the sets."""
    types = "".join(_entity_type(entity_set) for entity_set in model.sets.values())
    sets = "".join(f'<EntitySet Name="{name}" EntityType="{NAMESPACE}.{name}"/>\n' for name in model.sets)
    return f'{_HEAD}{types}<EntityContainer Name="Container">\n{sets}</EntityContainer>\n{_TAIL}'


def _entity_type(entity_set: EntitySet) -> str:
    key = "".join(f'<PropertyRef Name="{name}"/>' for name in entity_set.key)
    properties = "".join(
        _property(item, nullable=item.name not in entity_set.key) for item in entity_set.properties.values()
    )
    return (
        f'<EntityType Name="{entity_set.name}">\n<Key>{key}</Key>\n{properties}'
        f"{_description(entity_set.description)}\n</EntityType>\n"
    )


def _property(item: Property, *, nullable: bool) -> str:
    allowed = "" if nullable else ' Nullable="false"'
    # Without a precision an instant would be said to have whole seconds.
    precise = ' Precision="6"' if item.type == "Edm.DateTimeOffset" else ""
    head = f'<Property Name="{item.name}" Type="{item.type}"{allowed}{precise}>'
    return f"{head}{_description(item.description)}</Property>\n"


def _description(text: str) -> str:
    return f'<Annotation Term="Org.OData.Core.V1.Description" String={quoteattr(text)}/>'
