"""Documents of care: presets, versions, and what is refused with its place."""

from __future__ import annotations

import copy

import httpx
import pytest

from app.domain.playbook_preset import default_document
from tests.builders import assert_problem

OWNER = {"owners": [{"employee": "olena"}]}


@pytest.mark.parametrize(
    "path", ["/v1/playbooks", "/v1/complaint-rules", "/v1/routing", "/v1/compensation-policy"]
)
async def test_each_document_starts_as_the_preset_and_a_write_is_a_version(
    client: httpx.AsyncClient, path: str
) -> None:
    preset = (await client.get(path)).json()
    assert (preset["version"], preset["created_at"]) == (0, None)
    document = preset["document"] or OWNER
    first = await client.put(path, json=document, headers={"If-Match": '"0"'})
    assert (first.status_code, first.json()["version"], first.headers["ETag"]) == (200, 1, '"1"')
    assert (await client.put(path, json=document)).json()["version"] == 1
    stale = await client.put(path, json=document, headers={"If-Match": '"0"'})
    assert_problem(stale, 412, "changed_meanwhile")
    page = (await client.get(f"{path}/versions")).json()
    assert [item["version"] for item in page["items"]] == [1]
    assert (await client.get(f"{path}/versions/1")).json() == first.json()
    assert_problem(await client.get(f"{path}/versions/2"), 404, "not_found")


async def test_a_wrong_document_is_refused_with_its_place(client: httpx.AsyncClient) -> None:
    lacking = copy.deepcopy(default_document())
    lacking["playbooks"] = lacking["playbooks"][1:]
    problem = assert_problem(await client.put("/v1/playbooks", json=lacking), 422, "playbook_missing")
    assert problem["errors"][0]["pointer"] == "/playbooks"
    elsewhere = {**default_document(), "waiting": {"calendar": "moon"}}
    assert_problem(await client.put("/v1/playbooks", json=elsewhere), 422, "unknown_calendar")
    two = {"owners": [{"employee": "olena"}, {"employee": "ivan"}]}
    problem = assert_problem(await client.put("/v1/routing", json=two), 422, "owner_ambiguous")
    assert problem["errors"][0]["pointer"] == "/owners/1"
    limits = {"currency": "UAH", "limits": {"agent": -1}}
    assert_problem(await client.put("/v1/compensation-policy", json=limits), 422, "not_an_amount")
    assert (await client.get("/v1/routing")).json()["version"] == 0


async def test_a_key_without_the_scope_may_not_configure(client: httpx.AsyncClient, api_key) -> None:
    key = await api_key("cases:write")
    answer = await client.get("/v1/playbooks", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403


async def test_a_tenant_starts_with_the_causes_of_the_method(client: httpx.AsyncClient) -> None:
    causes = (await client.get("/v1/directory/cause?limit=500")).json()["items"]
    by_key = {cause["key"]: cause for cause in causes}
    assert by_key["staff.rudeness"]["parent"] == "staff"
    assert by_key["staff.rudeness"]["details"]["uk"] == "Грубість"
