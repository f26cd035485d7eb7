"""Records for readers of another version: fresh ones, and those that were stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar

from service.extraction.result import Extraction
from service.registry import SchemaVersion
from service.registry.compatibility import Projection

_KEPT = 256
Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two versions; equal to others of the same digests."""

    digests: tuple[str, str]
    writer: SchemaVersion = field(compare=False)
    reader: SchemaVersion = field(compare=False)

    @classmethod
    def of(cls, writer: SchemaVersion, reader: SchemaVersion) -> "_Pair":
        return cls((writer.digest, reader.digest), writer, reader)


@lru_cache(maxsize=_KEPT)
def _projection(pair: _Pair) -> Projection:
    return Projection(pair.writer.schema, pair.reader.schema)


def projected(extraction: Extraction, reader: SchemaVersion) -> Extraction:
    """The extraction as readers of another version know it. CPU-bound. Raises ``NotProjectable``."""
    data = _projection(_Pair.of(extraction.version, reader)).apply(extraction.data)
    evidence = extraction.evidence
    return replace(
        extraction,
        data=data,
        read_as=reader.version,
        evidence=None if evidence is None else kept(evidence, data),
    )


def projected_body(body: Mapping[str, Any], writer: SchemaVersion, reader: SchemaVersion) -> dict[str, Any]:
    """The same for a result that was stored as JSON. Raises ``NotProjectable``."""
    data = _projection(_Pair.of(writer, reader)).apply(body["data"])
    result = {**body, "data": data, "schema": {**body["schema"], "as_version": reader.version}}
    if body.get("evidence") is not None:
        result["evidence"] = kept(body["evidence"], data)
    return result


def kept(said: Mapping[str, Said], data: Any) -> dict[str, Said]:
    """What was said of places that are still there."""
    return {pointer: one for pointer, one in said.items() if _reaches(data, pointer)}


def _reaches(data: Any, pointer: str) -> bool:
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return False
    return True
