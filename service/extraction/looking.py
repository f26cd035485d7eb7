"""Looking at a record: is it valid, what does it break, and which of its values stand in the document."""

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.documents import Document
from service.extraction.decide import Standing
from service.extraction.evidence import Evidence, Index, Outline, locate
from service.extraction.plan import Prepared
from service.extraction.review import Review, review
from service.extraction.said import NOTHING_SAID, Said
from service.extraction.validate import Finding
from service.registry.places import parse


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record, what the schema says of it, and what was seen in it."""

    data: Any = field(repr=False)
    standing: Standing
    seen: Review
    said: Said = NOTHING_SAID


class Looking:
    """Looks at records of one document. ``evidence``: their values are looked up in it even where nothing is wrong."""

    def __init__(self, document: Document, prepared: Prepared, *, evidence: bool) -> None:
        self._document = document
        self._prepared = prepared
        self._evidence = evidence
        self._index: Index | None = None

    async def at(self, data: Any, said: Said, known: Sequence[Finding] = ()) -> Candidate:
        """Validate and review a record; away from the event loop where that is more than a check of validity.

        ``known`` are findings about it from elsewhere.
        """
        prepared = self._prepared
        invalid: Sequence[Finding] = ()
        if not prepared.validator.accepts(data):
            invalid = await asyncio.to_thread(prepared.validator.findings, data)
        if not self._evidence and not prepared.rules:
            return Candidate(data, Standing(tuple(invalid)), Review((), (), None), said)
        return await asyncio.to_thread(self._reviewed, data, said, known, tuple(invalid))

    def _reviewed(
        self, data: Any, said: Said, known: Sequence[Finding], invalid: tuple[Finding, ...]
    ) -> Candidate:
        prepared = self._prepared
        seen = review(
            prepared.rules,
            data,
            self._document,
            evidence=self._evidence,
            outline=prepared.outline,
            known=known,
            said=said,
        )
        doubts = tuple(one for one in seen.findings if one.severity == "warning" and self._matters(one))
        return Candidate(data, Standing(invalid, seen.doubts, doubts, self._suspects(data, seen)), seen, said)

    async def located(self, data: Any, outline: Outline | None = None) -> Mapping[str, Evidence]:
        """Where the leaves of a record, or of something else that ``outline`` is of, stand in the document."""
        return await asyncio.to_thread(self._locate, data, outline or self._prepared.outline)

    async def supported(
        self, before: Any, after: Any, outline: Outline | None = None
    ) -> tuple[Any, list[str]]:
        """The new record, with old values back where those stand in the document and the new ones do not, and where."""
        if not readable(self._document):
            return after, []
        old = await self.located(before, outline)
        new = await self.located(after, outline)
        back = lost(old, new)
        return restored(before, after, back), back

    def _suspects(self, data: Any, seen: Review) -> tuple[str, ...]:
        unmet = [one for one in (*seen.doubts, *seen.findings) if one.rule != "evidence"]
        if not unmet or not readable(self._document):
            return ()
        found = seen.evidence
        if found is None:
            found = self._locate(data, self._prepared.outline)
        return tuple(
            pointer
            for pointer, one in found.items()
            if one.status == "not_found" and any(is_about(finding, pointer) for finding in unmet)
        )

    def _matters(self, finding: Finding) -> bool:
        """Whether a warning is worth a repair: broken rules; inventions where a value is required and text is there."""
        if finding.rule != "evidence":
            return True
        return readable(self._document) and self._prepared.required.at(finding.pointer)

    def _locate(self, data: Any, outline: Outline) -> Mapping[str, Evidence]:
        if self._index is None:
            self._index = Index.of(self._document)
        return locate(self._index, data, outline)


def lost(old: Mapping[str, Evidence], new: Mapping[str, Evidence]) -> list[str]:
    """Where a value that stands in the document gave way to one that does not. Compared at the same pointer."""
    return [
        pointer
        for pointer, one in new.items()
        if one.status == "not_found" and pointer in old and old[pointer].status == "found"
    ]


def restored(before: Any, after: Any, pointers: Sequence[str]) -> Any:
    """``after`` with the values of ``before`` at some pointers."""
    if not pointers:
        return after
    result = copy.deepcopy(after)
    for pointer in pointers:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
        source, target = before, result
        for step in steps[:-1]:
            source = source[int(step) if isinstance(source, list) else step]
            target = target[int(step) if isinstance(target, list) else step]
        key: Any = int(steps[-1]) if isinstance(target, list) else steps[-1]
        target[key] = source[key]
    return result


def is_about(finding: Finding, pointer: str) -> bool:
    """Whether a finding is about the value at a pointer, alone or as one of a column."""
    if pointer == finding.pointer or pointer in finding.places:
        return True
    steps = pointer.split("/")[1:]
    return any(
        len(column) == len(steps)
        and all(one is None or one == step for one, step in zip(column, steps, strict=True))
        for column in (parse(place).steps for place in finding.columns)
    )


def readable(document: Document) -> bool:
    """Whether there is text to look values up in, and no page shows more than that: a blank page shows nothing."""
    written = [bool(page.text.strip()) for page in document.pages]
    return any(written) and all(
        text or page.image is None for text, page in zip(written, document.pages, strict=True)
    )


def verdict(standing: Standing) -> str:
    """The outcome of the attempt that a record of this standing came of."""
    if standing.blocked:
        return "invalid"
    return "doubtful" if standing.doubts else "accepted"
