"""Pictures through the loader with OCR: run by an interpreter that has the `ocr` extra.

Reads `{"settings": {…}, "files": [path…]}` and prints, for each file in order, its pages: text, words as
`[text, box, confidence]`, source, size, and the rules of the notices.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from service.documents import Document, Loader, Settings


async def load(given: dict[str, Any]) -> list[dict[str, Any]]:
    loader = Loader(Settings(**given.get("settings", {})))
    assert loader.ocr() in ("ready", "off"), "the `ocr` extra is not installed here"
    await loader.open()

    async def one(path: str) -> Document:
        return await loader.load(Path(path).read_bytes(), declared=None, name=None, ocr=True)

    try:
        return [shown(document) for document in await asyncio.gather(*map(one, given["files"]))]
    finally:
        await loader.close()


def shown(document: Document) -> dict[str, Any]:
    pages = [
        {
            "number": page.number,
            "text": page.text,
            "words": [[word.text, word.box, word.confidence] for word in page.words],
            "source": page.source,
            "image": page.image is not None,
            "size": [page.width, page.height],
        }
        for page in document.pages
    ]
    return {"pages": pages, "notices": [[notice.rule, notice.message] for notice in document.notices]}


if __name__ == "__main__":
    answer, sys.stdout = sys.stdout, sys.stderr  # where logs go
    json.dump(asyncio.run(load(json.load(sys.stdin))), answer)
