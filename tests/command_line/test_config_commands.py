"""`vidhuk config`: what one tenant was given, another can be given too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.command_line.sections import SECTIONS
from app.configuration.nouns.schemas import NounKind
from app.wiring import Services
from tests.command_line.conftest import Typed
from tests.conftest import MakeKey, make_key, make_tenant

_POLICY = {
    "format": 1,
    "calendar": "night",
    "rules": [
        {
            "name": "cases",
            "when": {"subject": "case"},
            "timers": [
                {
                    "key": "acknowledge",
                    "subject": "case",
                    "start": ["case.opened"],
                    "stop": ["case.acknowledged"],
                    "due": {"duration": {"hours": 2}},
                }
            ],
        }
    ],
}
_WRITTEN: dict[str, Any] = {
    "/v1/attributes/branch": {"type": "text"},
    "/v1/directory/location/kyiv": {"title": "Київ"},
    "/v1/directory/location/center of town": {"title": "Хрещатик", "parent": "kyiv"},
    "/v1/questions/nps_call": {"measure": "nps", "scale_id": "nps_0_10", "wording": "Would you?"},
    "/v1/calendars/night": {"tz": "Europe/Kyiv", "weekly": {"mon": [["20:00", "24:00"]]}},
    "/v1/sla/policies/default": _POLICY,
    "/v1/compensation-policy": {"currency": "UAH", "limits": {"agent": 500}, "default_role": "agent"},
    "/v1/metrics/queries/weekly": {"title": "Weekly", "query": {"metrics": ["nps"], "period": "7d"}},
    "/v1/sources/chat": {
        "adapter": "chatwoot",
        "verification": "chatwoot",
        "secrets": ["a secret that never leaves"],
        "time_zone": "Europe/Kyiv",
    },
    "/v1/privacy/retention": {"text_days": 90, "raw_days": None, "decision_days": None},
}


@pytest.fixture
async def configured(client: httpx.AsyncClient) -> None:
    """A tenant that was given something of each kind."""
    for path, document in _WRITTEN.items():
        answer = await client.put(path, json=document)
        assert answer.is_success, (path, answer.text)


@pytest.mark.usefixtures("configured")
async def test_what_is_exported_makes_the_same_tenant_elsewhere(
    typed: Typed, api_key: MakeKey, services: Services, tmp_path: Path
) -> None:
    file, key = tmp_path / "config.json", await api_key()
    assert (await typed("config", "export", file, key=key)).exit_code == 0
    assert "a secret that never leaves" not in file.read_text()
    other = await make_key(services, await make_tenant(services, "other"))
    shown = await typed("config", "apply", file, "--dry-run", key=other)
    assert shown.exit_code == 0
    assert '+  "title": "Хрещатик"' in shown.stdout
    untouched = json.loads((await typed("config", "export", key=other)).stdout)
    assert "location" not in untouched
    applied = await typed("config", "apply", file, "--json", key=other)
    steps = json.loads(applied.stdout)["steps"]
    refused = [step for step in steps if step["change"] == "refused"]
    assert (applied.exit_code, [step["key"] for step in refused]) == (1, ["chat"]), steps
    wanted = json.loads(file.read_text())
    del wanted["sources"]
    file.write_text(json.dumps(wanted))
    assert json.loads((await typed("config", "export", key=other)).stdout) == wanted
    again = json.loads((await typed("config", "apply", file, "--json", key=other)).stdout)["steps"]
    assert {step["change"] for step in again} == {"unchanged"}


@pytest.mark.usefixtures("configured")
async def test_what_stands_only_there_is_left_alone_and_a_change_is_shown(
    typed: Typed, api_key: MakeKey, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    file, key = tmp_path / "config.json", await api_key()
    file.write_text(json.dumps({"vidhuk_config": 1, "location": {"kyiv": {"title": "Kyiv"}}}))
    shown = await typed("config", "apply", file, "--dry-run", key=key)
    assert '-  "title": "Київ"' in shown.stdout
    applied = json.loads((await typed("config", "apply", file, "--json", key=key)).stdout)["steps"]
    told = {step["key"]: step["change"] for step in applied if step["section"] == "location"}
    assert told == {"kyiv": "changed", "center of town": "only_there"}
    assert (await client.get("/v1/directory/location/kyiv")).json()["title"] == "Kyiv"


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ("{", "config export"),
        ("[]", "vidhuk_config"),
        ('{"vidhuk_config": 2}', "vidhuk_config"),
        ('{"vidhuk_config": 1, "calendrs": {}}', "calendars"),
        ('{"vidhuk_config": 1, "calendars": []}', "calendars"),
        ('{"vidhuk_config": 1, "routing": 5}', "routing"),
    ],
)
async def test_a_file_that_is_no_configuration_is_refused_before_anything_is_written(
    document: str, word: str, typed: Typed, api_key: MakeKey, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(document)
    refused = await typed("config", "apply", file, key=await api_key())
    assert refused.exit_code == 1
    assert word in refused.stderr


async def test_a_refused_document_is_named_with_its_place_and_cure(
    typed: Typed, api_key: MakeKey, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    broken = {**_POLICY, "calendar": "nigth"}
    file.write_text(json.dumps({"vidhuk_config": 1, "sla_policies": {"default": broken}}))
    refused = await typed("config", "apply", file, key=await api_key())
    assert refused.exit_code == 1
    assert "sla_policies default: /calendar" in refused.stderr


async def test_a_key_that_may_not_configure_ends_with_two(typed: Typed, api_key: MakeKey) -> None:
    refused = await typed("config", "export", key=await api_key("events:write"))
    assert refused.exit_code == 2
    assert "config:manage" in refused.stderr


async def test_a_service_that_is_not_there_ends_with_two(typed: Typed) -> None:
    refused = await typed("config", "export", key="vk_x", url="http://127.0.0.1:1")
    assert refused.exit_code == 2
    assert "--url" in refused.stderr


async def test_whatever_can_be_written_by_put_is_a_section(client: httpx.AsyncClient) -> None:
    """But for the bulk forms of single documents."""
    bulk = {"/v1/questions", "/v1/directory/{kind}", "/v1/journey/touchpoints"}
    paths = (await client.get("/openapi.json")).json()["paths"]
    written = {path for path, item in paths.items() if "put" in item}
    kinds = {f"/v1/directory/{kind.value}" for kind in NounKind}
    places = {section.path if section.is_single else f"{section.path}/{{key}}" for section in SECTIONS}
    told = {"/v1/directory/{kind}/{key}" if path.removesuffix("/{key}") in kinds else path for path in places}
    assert written - bulk == told
