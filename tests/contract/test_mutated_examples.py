"""The example of every route with something absurd in one place: refused or taken, never our fault."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract.test_authorisation import bearer, filled

_FREE = ("attributes", "details", "data", "defaults", "filter", "document", "parameters")
"""Fields whose content is the caller's own; put into every object whether it has them or not."""
_ABSURD: dict[str, Any] = {
    "huge": 2**70,
    "object": {"q": {}},
    "nothing": None,
    "negative": -(2**63),
    "long": "x" * 5_000,
    "list": [[1], [2]],
    "true": True,
    "fraction": 1e308,
    "empty": "",
    "control": "a\r\n\u2028\ufeffb",
}


def mutations(example: Any, absurd: Any) -> Iterator[Any]:
    """The example once for each of its leaves, with that leaf absurd; and absurd as a whole."""
    yield absurd
    yield [absurd]
    for place in _leaves(example, ()):
        changed = copy.deepcopy(example)
        inner = changed
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = absurd
        yield changed
    if isinstance(example, dict):
        for name in _FREE:
            yield {**example, name: {"q": absurd}}


def _leaves(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:
        yield (*place, name)
        yield from _leaves(inner, (*place, name))


def _example(description: dict[str, Any], operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    told = [one["value"] for one in content.get("examples", {}).values()]
    if "example" in content or told:
        return content.get("example", told[:1] and told[0])
    schema = content.get("schema", {})
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return next(iter(schema.get("examples", [{}])))


@pytest.mark.parametrize(
    "absurd",
    [name if name == "huge" else pytest.param(name, marks=pytest.mark.full) for name in _ABSURD],
)
async def test_an_example_with_something_absurd_in_it_is_no_fault_of_ours(
    client: httpx.AsyncClient, absurd: str
) -> None:
    description = (await client.get("/openapi.json")).json()
    asked, faults = 0, []
    for path, methods in description["paths"].items():
        for method in methods.keys() & {"post", "put", "patch"}:
            address = filled(path, kind="location", tenant="demo", ending="csv")
            operator = bearer("vk_operator_test") if "/operator/" in path else {}
            headers = {"Content-Type": "application/json", **operator}
            for body in mutations(_example(description, methods[method]), _ABSURD[absurd]):
                answer = await client.request(method, address, content=json.dumps(body), headers=headers)
                asked += 1
                if answer.status_code >= 500 or (answer.is_client_error and "code" not in answer.json()):
                    faults.append((method, path, body, answer.status_code))
        if "get" in methods and "put" in methods:
            shown = await client.get(filled(path, kind="location"))
            faults += [("get", path, None, shown.status_code)] if shown.status_code >= 500 else []
    assert asked > 1_000
    assert faults == []
