"""What the service sends, as the provider's own OpenAPI document judges it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
from conftest import SHARED, running, settings_for
from jsonschema import Draft202012Validator

CONTRACT = SHARED / "openai" / "openapi-subset.json"
STARTER = Path(__file__).parents[2] / "schemas"
TYPES = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".eml": "message/rfc822",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
SCALARS = {"type": "object", "properties": {"total": {"type": ["number", "null"]}}, "required": ["total"]}


async def test_every_request_is_what_the_contract_allows(
    recorded: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """Text and images, each starter schema: strict, not stored, bounded, the document last."""
    from PIL import Image

    url, bodies = recorded
    Image.new("RGB", (80, 40), "white").save(tmp_path / "scan.png")
    async with running(settings_for(url, f"sqlite:///{tmp_path}/w.db")) as client:
        for sample in sorted(STARTER.glob("*/sample.*")):
            headers = {"content-type": TYPES[sample.suffix]}
            await client.post(
                f"/v1/extract/{sample.parent.name}", content=sample.read_bytes(), headers=headers
            )
        files = {"file": ("scan.png", (tmp_path / "scan.png").read_bytes(), "image/png")}
        answer = await client.post(
            "/v1/extract", files=files, data={"schema": json.dumps(SCALARS), "options": '{"detail": "low"}'}
        )
        assert answer.status_code == 200, answer.text
        for mode in ("locations", "quotes"):
            body = {"schema": SCALARS, "input": {"text": "Total: 5"}, "options": {"evidence": mode}}
            assert (await client.post("/v1/extract", json=body)).status_code == 200
    asked = {body["text"]["format"]["name"] for body in bodies}  # repairs are held to the same
    assert asked == {*(sample.parent.name for sample in STARTER.glob("*/sample.*")), "inline"}
    for body in bodies:
        assert body["store"] is False
        assert body["text"]["format"]["strict"] is True
        assert body["temperature"] == 0
        assert 16 <= body["max_output_tokens"] <= 32_768
        assert list(body)[:3] == ["model", "instructions", "input"]
    *_, picture, located, quoted = bodies
    assert picture["input"][0]["content"][0]["type"] == "input_image"
    assert "include" not in picture
    assert located["include"] == quoted["include"] == ["message.output_text.logprobs"]
    assert set(quoted["text"]["format"]["schema"]["properties"]) == {"record", "quotes"}
    if not CONTRACT.is_file():
        return
    document = json.loads(CONTRACT.read_text("utf-8"))
    schema = document["paths"]["/responses"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=jsonschema.FormatChecker()
    )
    for body in bodies:
        assert [error.message[:200] for error in validator.iter_errors(body)] == []
