"""Sections by name: which heading answers a property, and the text under it."""

import re

from service.sandbox.reader.page import Page, Section
from service.sandbox.reader.words import agreement, alternatives

__all__ = ["paragraph", "section_for"]

_WIDE_GAP = re.compile(r"\s{3,}")


def section_for(page: Page, words: frozenset[str]) -> Section | None:
    """The section whose heading names these words best."""
    best: tuple[float, Section] | None = None
    for section in page.sections:
        score = agreement(words, section.words)
        for other in alternatives(words):
            score = max(score, 0.9 * agreement(other, section.words))
        if score >= 0.5 and section.last - section.first > 1 and (best is None or score > best[0]):
            best = (score, section)
    return best[1] if best else None


def paragraph(page: Page, section: Section) -> str | None:
    """The running text under a heading, down to the first gap after it; only its own column counts."""
    column = len(page.lines[section.first]) - len(page.lines[section.first].lstrip())
    found: list[str] = []
    for number in range(section.first + 1, min(section.last, section.first + 60)):
        cells = [cell for cell in page.cells[number] if abs(cell.start - column) <= 4]
        if not cells:
            if found:
                break
            continue
        found.append(_WIDE_GAP.split(cells[0].text)[0].strip())
    return " ".join(found)[:4_000] or None
