"""Every partner's payload at its inlet: stored or visibly passed over, once however often it comes."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.builders import query
from tests.conftest import Server
from tests.sources.test_adapters import CASES


def _first_of_each() -> list[tuple[str, dict[str, Any]]]:
    """A case that states events and one that is refused, of each partner: the rest needs no server."""
    first: dict[tuple[str, bool], tuple[str, dict[str, Any]]] = {}
    for adapter, case in CASES:
        if case["expected"] or case.get("refused"):
            first.setdefault((adapter, bool(case["expected"])), (adapter, case))
    return list(first.values())


async def open_inlet(client: httpx.AsyncClient, key: str, **settings: Any) -> str:
    answer = await client.put(f"/v1/sources/{key}", json=settings)
    assert answer.is_success, answer.text
    path: str = (await client.post(f"/v1/sources/{key}/token")).json()["path"]
    return path


def _bodies(payload: Any) -> tuple[bytes, str]:
    if isinstance(payload, str):
        return payload.encode(), "text/csv"
    return json.dumps(payload, ensure_ascii=False).encode(), "application/json"


async def test_every_partners_payload_is_stored_once_or_kept(
    client: httpx.AsyncClient, server: Server
) -> None:
    """Our own payloads, each to a source of its own, twice; then cut short."""
    for number, (adapter, case) in enumerate(_first_of_each()):
        stated = dict(case.get("defaults", {}))
        cases = stated.pop("handles_cases", False)
        path = await open_inlet(
            client,
            f"{adapter}-{number}",
            adapter=adapter,
            handles_cases=cases,
            defaults=stated | {"ref_prefix": f"{number}:"},
            time_zone=case.get("zone"),
        )
        body, media_type = _bodies(case["payload"])
        headers = {"Content-Type": media_type, **case.get("headers", {})}
        first = await client.post(path, content=body, headers=headers)
        again = await client.post(path, content=body, headers=headers)
        wanted = {
            "status": "success",
            "events": len(case["expected"]),
            "quarantined": len(case.get("refused", [])),
            "dry_run": False,
        }
        assert first.json() == wanted, (adapter, case["name"], first.text)
        assert again.json() == wanted, (adapter, case["name"], again.text)
        cut = await client.post(path, content=body[: len(body) // 2], headers=headers)
        assert cut.status_code == 200, (adapter, case["name"], cut.text)
    stored = await query(
        server, "SELECT source, count(*) AS n FROM events WHERE source LIKE '%-%' GROUP BY 1"
    )
    expected = {
        f"{name}-{n}": len(case["expected"])
        for n, (name, case) in enumerate(_first_of_each())
        if case["expected"]
    }
    # what a partner says is as many events, with those that our own deciders added under another source
    halves = {row["source"]: row["n"] for row in stored}
    assert all(halves[source] >= count for source, count in expected.items())
    doubled = await query(server, "SELECT 1 FROM events GROUP BY source, external_id HAVING count(*) > 1")
    assert doubled == []
