"""A finished extraction, and the JSON of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from service.documents import Document
from service.extraction import prompt
from service.extraction.evidence import CALIBRATED, Evidence, bodies
from service.extraction.shown import Shown, document_body
from service.extraction.validate import Finding
from service.foundation.money import usd
from service.registry import SchemaVersion
from service.upstream import Attempt


@dataclass(frozen=True, slots=True)
class PartSpan:
    """One part of a long document: its first and last page, and whether it was read."""

    first: int
    last: int
    read: bool = True


@dataclass(frozen=True, slots=True)
class Extraction:
    """A recorded result."""

    id: str
    data: Any = field(repr=False)
    version: SchemaVersion
    document: Document
    shown: tuple[Shown, ...]
    """The document's pages as the model that was asked first was shown them."""
    engine: str
    attempts: tuple[Attempt, ...]
    metadata: Mapping[str, str] = field(repr=False)
    created_at: datetime
    findings: tuple[Finding, ...] = ()
    parts: tuple[PartSpan, ...] = ()
    """In what parts the document was read; none for one call."""
    status: Literal["succeeded", "partial"] = "succeeded"
    evidence: Mapping[str, Evidence] | None = field(default=None, repr=False)
    """Of every leaf by JSON Pointer, where it was asked for."""
    examples: int = 0
    """How many examples of the schema the model was shown."""
    quoted: bool = False
    """Whether the model was asked for quotes."""
    logprobs: bool = False
    """Whether the model's log-probabilities are part of the confidence."""
    read_as: int | None = None
    """The version that ``data`` was projected for."""


def body(extraction: Extraction) -> dict[str, Any]:
    """The JSON of a result (see ``wire.ExtractionBody``, which describes it)."""
    attempts = extraction.attempts
    version = extraction.version
    document = extraction.document
    return {
        "id": extraction.id,
        "status": extraction.status,
        "data": extraction.data,
        **({} if extraction.evidence is None else {"evidence": bodies(extraction.evidence)}),
        "findings": [
            {"pointer": "", "rule": notice.rule, "severity": "info", "message": notice.message}
            for notice in document.notices
        ]
        + [
            {
                "pointer": finding.pointer,
                "rule": finding.rule,
                "severity": finding.severity,
                "message": finding.message,
            }
            for finding in extraction.findings
        ],
        "schema": {
            "name": version.name,
            "version": version.version,
            "digest": version.digest,
            **({} if extraction.read_as is None else {"as_version": extraction.read_as}),
        },
        "document": document_body(document, extraction.shown),
        "provenance": {
            "engine": extraction.engine,
            "model": attempts[-1].model or attempts[-1].asked_model,
            "prompt": prompt.IN_PARTS if extraction.parts else prompt.VERSION,
            **({"examples": extraction.examples} if extraction.examples else {}),
            "attempts": [
                {
                    "model": attempt.model or attempt.asked_model,
                    "request_id": attempt.request_id,
                    "kind": attempt.kind,
                    "outcome": attempt.outcome,
                    "input_tokens": attempt.usage.input_tokens,
                    "cached_tokens": attempt.usage.cached_tokens,
                    "output_tokens": attempt.usage.output_tokens,
                    "cost_usd": usd(attempt.cost),
                    "seconds": round(attempt.seconds, 4),
                }
                for attempt in attempts
            ],
            **(
                {}
                if extraction.evidence is None
                else {
                    "evidence": {
                        "mode": "quotes" if extraction.quoted else "locations",
                        "calibrated": CALIBRATED,
                        "logprobs": extraction.logprobs,
                    }
                }
            ),
        },
        **({"parts": parts_body(extraction.parts)} if extraction.parts else {}),
        "usage": {
            "input_tokens": sum(attempt.usage.input_tokens for attempt in attempts),
            "cached_tokens": sum(attempt.usage.cached_tokens for attempt in attempts),
            "output_tokens": sum(attempt.usage.output_tokens for attempt in attempts),
            "cost_usd": usd(sum(attempt.cost for attempt in attempts)),
        },
        "metadata": dict(extraction.metadata),
        "created_at": extraction.created_at.isoformat().replace("+00:00", "Z"),
    }


def parts_body(parts: Sequence[PartSpan]) -> list[dict[str, Any]]:
    """The JSON of the parts of a long document."""
    return [{"first_page": part.first, "last_page": part.last, "read": part.read} for part in parts]
