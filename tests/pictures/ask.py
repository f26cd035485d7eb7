"""Requests to a service with the sandbox: run by an interpreter that has the `ocr` extra.

Reads `{"settings": {…}, "requests": [{"method", "path", "headers", "base64"}…]}` and prints `[status, body]` for each.
"""

import asyncio
import base64
import json
import sys
import tempfile
from typing import Any

import httpx2

from service.app import Settings, create_app


async def ask(given: dict[str, Any]) -> list[list[Any]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(sandbox=True, database={"url": f"sqlite:///{folder}/w.db"}, **given["settings"])
        app = create_app(settings)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://winnow") as client,
        ):
            answers = []
            for request in given["requests"]:
                answer = await client.request(
                    request["method"],
                    request["path"],
                    headers=request.get("headers", {}),
                    content=base64.b64decode(request.get("base64", "")),
                    timeout=120,
                )
                answers.append([answer.status_code, answer.json()])
            return answers


if __name__ == "__main__":
    answer, sys.stdout = sys.stdout, sys.stderr  # where logs go
    json.dump(asyncio.run(ask(json.load(sys.stdin))), answer)
