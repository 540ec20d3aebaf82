"""Every partner's payload at its inlet: stored or visibly passed over, once however often it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sources.registry import ADAPTERS
from tests.builders import query
from tests.conftest import Server
from tests.sources.test_adapters import CASES

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
_FOLDERS = {"facebook_messenger": "messenger"}
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data; boundary=------------------------J1JNT4vbVO4FCC1qLG4HSv"
_TYPES = {
    "webhook_multipart.txt": _MULTIPART,
    "completed_response.txt": _FORM,
    "hangup_callback.txt": _FORM,
    "voice_gather_signature_vector.txt": _FORM,
    "cel_csv.csv": "text/csv",
}


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


def _samples() -> Iterator[tuple[str, Path]]:
    for path in sorted(SAMPLES.glob("*/*")):
        adapter = _FOLDERS.get(path.parent.name, path.parent.name)
        if adapter in ADAPTERS:
            yield adapter, path


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample payloads are not here")
async def test_published_payloads_are_stored_or_kept_with_a_reason(
    client: httpx.AsyncClient, server: Server
) -> None:
    paths: dict[str, str] = {}
    for adapter, sample in _samples():
        if adapter not in paths:
            paths[adapter] = await open_inlet(
                client, adapter, adapter=adapter, handles_cases=True, time_zone="Europe/Kyiv"
            )
        headers = {"Content-Type": _TYPES.get(sample.name, "application/json")}
        first = await client.post(paths[adapter], content=sample.read_bytes(), headers=headers)
        again = await client.post(paths[adapter], content=sample.read_bytes(), headers=headers)
        assert first.status_code == 200, (sample, first.text)
        assert first.json() == again.json(), (sample, again.text)
    reasons = await query(
        server, "SELECT DISTINCT source, reason FROM raw_payloads WHERE state = 'quarantined'"
    )
    assert {(row["source"], row["reason"]) for row in reasons} == {
        ("asterisk", "malformed_json"),  # the manager protocol is no webhook
        ("livechat", "unknown_event"),  # bare event objects, and a template without its event
        ("trustpilot", "unknown_event"),
        ("twilio", "question_unknown"),
    }
    stored = {
        row["source"]: row["n"]
        for row in await query(server, "SELECT source, count(*) AS n FROM events GROUP BY 1")
    }
    silent = set(paths) - set(stored)
    assert silent == {"telegram", "viber", "hubspot", "salesforce", "segment"}
