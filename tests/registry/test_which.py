"""Which version a path means, and which schemas a list has."""

import httpx2
import pytest

from tests.registry.parcels import NOTE, TEXT, record


@pytest.fixture
async def parcel(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A schema with two versions, the first of which is called `stable`."""
    for schema in (record(order=TEXT), record(order=TEXT, note=NOTE)):
        assert (await client.post("/v1/schemas/parcel/versions", json={"schema": schema})).status_code == 201
    await client.put("/v1/schemas/parcel/aliases/stable", json={"version": 1})
    return client


@pytest.mark.parametrize(("which", "number"), [("1", 1), ("2", 2), ("latest", 2), ("stable", 1)])
async def test_versions_are_read_by_number_alias_and_latest(
    parcel: httpx2.AsyncClient, which: str, number: int
) -> None:
    """A path takes what `name@…` takes; types of what moves are asked for again."""
    shown = await parcel.get(f"/v1/schemas/parcel/versions/{which}")
    assert (shown.status_code, shown.json()["version"]) == (200, number)
    for kind in ("model.py", "model.ts"):
        types = await parcel.get(f"/v1/schemas/parcel/versions/{which}/{kind}")
        assert f"version {number} (" in types.text
        assert ("no-cache" in types.headers["cache-control"]) is not which.isdigit()


async def test_diffs_of_what_moves(parcel: httpx2.AsyncClient) -> None:
    """Both sides of a diff may be an alias."""
    found = (await parcel.get("/v1/schemas/parcel/versions/latest/diff?against=stable")).json()
    assert (found["old"], found["new"], found["compatible"]) == (1, 2, True)


@pytest.mark.parametrize(
    ("which", "status"), [("3", 404), ("nobody", 404), ("0", 400), ("1.0", 400), ("-1", 400), ("Latest", 400)]
)
async def test_versions_that_are_not_there(parcel: httpx2.AsyncClient, which: str, status: int) -> None:
    """Neither number nor name, and what nobody has, is told apart."""
    assert (await parcel.get(f"/v1/schemas/parcel/versions/{which}")).status_code == status


async def test_drafts_have_labels_too(parcel: httpx2.AsyncClient) -> None:
    """A list by label has the drafts of schemas with that label, and no others."""
    for name in ("parcel", "letter"):
        await parcel.put(f"/v1/schemas/{name}/draft", json={"schema": record(order=TEXT)})
    await parcel.put("/v1/schemas/parcel/labels", json={"labels": {"team": "billing"}})
    found = (await parcel.get("/v1/schemas?label=team=billing")).json()
    assert ([one["name"] for one in found["schemas"]], found["drafts"]) == (["parcel"], ["parcel"])
    assert (await parcel.get("/v1/schemas?label=team=sales")).json() == {"schemas": [], "drafts": []}
    assert (await parcel.get("/v1/schemas")).json()["drafts"] == ["letter", "parcel"]
