"""Kinds of long lists as offices print them lose nothing when a perfect reader reads them in parts."""

from collections.abc import Callable

import pytest

from service.documents import Loader
from service.documents.settings import Settings
from service.extraction.segments.completeness import doubts
from tests.extraction.long import kinds
from tests.extraction.long.made import Made
from tests.extraction.long.measure import Pipeline, compare
from tests.extraction.long.perfect import Gold

pytestmark = pytest.mark.no_cover  # a measure: counting lines would triple its time

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMS: dict[str, tuple[Callable[[Made], bytes], str]] = {
    "pdf": (Made.pdf, "application/pdf"),
    "text": (lambda made: made.text.encode(), "text/plain"),
    "html": (kinds.html, "text/html"),
    "docx": (kinds.docx, DOCX),
}
KINDS = (
    (kinds.subtotals, "docx"),
    (kinds.beside, "pdf"),
    (kinds.catalogue, "pdf"),
    (kinds.definitions, "pdf"),
    (kinds.thread, "text"),
    (kinds.people, "html"),
    (kinds.tickets, "pdf"),
    (kinds.accounts, "pdf"),
    (kinds.deep, "pdf"),
    (kinds.readings, "pdf"),
    (kinds.hebrew, "html"),
    (kinds.records, "pdf"),
    (kinds.log, "text"),
    (kinds.minutes, "pdf"),
    (kinds.schedules, "pdf"),
)


@pytest.mark.parametrize(("kind", "form"), KINDS)
async def test_kinds_of_lists_lose_nothing(kind: Callable[[int, int], Made], form: str) -> None:
    """Fifths and twentieths say what the whole says, in order, also when answers are cut; none is doubted."""
    one = kind(3, 6)
    render, media_type = FORMS[form]
    loader = Loader(Settings(wall_s=600, cpu_s=600))
    await loader.open()
    document = await loader.load(render(one), declared=media_type, name=None)
    await loader.close()
    gold = Gold(document.text, one.leaves)
    assert gold.lost == 0
    if kind is kinds.records:  # a lone "State: used" from before a part is no record to any reader
        gold.telling = {row: (*row, "part") for row in gold.rows()}
    pipeline = Pipeline(document, one.schema, gold)
    whole = pipeline.whole()
    for share in (1 / 5, 1 / 20):
        for truncated in (0.0, 0.05):
            merged = pipeline.read(share, truncated=truncated)
            score = compare(merged.data, whole)
            assert (score.f1, score.ordered) == (1.0, True), (share, truncated, score)
    assert doubts(merged, pipeline.lines) == []
