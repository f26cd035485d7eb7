"""How fast PDFs are read, and what the processes that read them cost: ``python -m tests.documents.bench``.

Beside our reader two loops over bare pypdfium2 read the same files in the same process, in turns: the page's text with
the box of every character, and the same joined to words with boxes, which is what our reader gives (beside reading
order, layout, form fields and a look at what is hidden). Pages that our reader also draws, because their text is
missing or suspect, are counted apart: the bare loops draw nothing.
"""

import asyncio
import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]
CORPUS = ROOT.parent / "shared" / "documents"
ROUNDS = 3


def characters(data: bytes) -> int:
    """Text and the box of every character, through pypdfium2's own helpers."""
    document = pypdfium2.PdfDocument(data)
    for page in document:
        text = page.get_textpage()
        text.get_text_range()
        for index in range(text.count_chars()):
            text.get_charbox(index)
        text.close()
        page.close()
    count = len(document)
    document.close()
    return count


def words(data: bytes) -> int:
    """The same, joined to words at blanks."""
    document = pypdfium2.PdfDocument(data)
    for page in document:
        text = page.get_textpage()
        said = text.get_text_range()
        found = []
        start = None
        for index, letter in enumerate(said[: text.count_chars()] + " "):
            if not letter.isspace():
                box = text.get_charbox(index)
                if start is None:
                    start, left, bottom, right, top = index, *box
                else:
                    left, bottom = min(left, box[0]), min(bottom, box[1])
                    right, top = max(right, box[2]), max(top, box[3])
            elif start is not None:
                found.append((said[start:index], left, bottom, right, top))
                start = None
        text.close()
        page.close()
    count = len(document)
    document.close()
    return count


def ours(data: bytes) -> int:
    """Our reader, as a worker calls it. Minus the number of pages when some of them were drawn."""
    from service.documents import Settings
    from service.documents.parse import parse
    from service.documents.parsed import Job

    parsed = parse(data, Job(media_type="application/pdf", limits=Settings().limits()))
    drawn = any(page.image is not None for page in parsed.pages) or any(
        notice.rule == "hidden_text" for notice in parsed.notices
    )
    return -len(parsed.pages) if drawn else len(parsed.pages)


def files() -> Iterator[tuple[str, bytes]]:
    """Kinds and PDFs: made ones, and those of the corpus where it lies beside the project."""
    from tests.documents import make

    prose = [
        (60.0, 60.0 + 14 * line, "the quick brown fox jumps over the lazy dog " * 2) for line in range(50)
    ]
    table = [
        (40.0 + 70 * column, 60.0 + 14 * line, f"{line * column}.00")
        for line in range(50)
        for column in range(7)
    ]
    yield "made: prose", make.pdf(*[prose] * 20)
    yield "made: table", make.pdf(*[table] * 20)
    if CORPUS.exists():
        for row in map(json.loads, (CORPUS / "manifest.jsonl").read_text("utf-8").splitlines()):
            if (
                row["media_type"] == "application/pdf"
                and "/hostile/" not in row["file"]
                and "password" not in row
            ):
                yield row["kind"], (CORPUS / row["file"]).read_bytes()


def speed() -> None:
    """Pages per second of ours and of the bare loops, by kind."""
    spent: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    pages: dict[str, int] = defaultdict(int)
    ways: tuple[Callable[[bytes], int], ...] = (characters, words, ours)
    for kind, data in files():
        best: dict[str, float] = {}
        for turn in range(ROUNDS):
            for way in ways[turn % 3 :] + ways[: turn % 3]:
                began = time.process_time()
                read = way(data)
                took = time.process_time() - began
                best[way.__name__] = min(best.get(way.__name__, took), took)
                if way is ours:
                    shown = f"{kind} (drawn too)" if read < 0 else kind
                    count = abs(read)
        for name in (shown, "all that is only text" if shown == kind else ""):
            if name:
                pages[name] += count
                for way_name, took in best.items():
                    spent[name][way_name] += took
    for kind, took_by in sorted(spent.items()):
        per_s = {way: pages[kind] / took for way, took in took_by.items()}
        print(
            f"{kind}: {pages[kind]} pages, {per_s['ours']:.0f} pages/s, "
            f"{per_s['ours'] / per_s['characters']:.2f} of bare text with boxes of characters, "
            f"{per_s['ours'] / per_s['words']:.2f} of bare text with boxes of words"
        )


async def pool() -> None:
    """What a process costs: to start, to read the first document of a kind, in memory."""
    from service.documents import Loader, Settings
    from tests.documents import make

    one = make.pdf([(60, 60, "Total 42.00")])
    loader = Loader(Settings(workers=1))
    began = time.perf_counter()
    await loader.open()
    opened = time.perf_counter() - began
    began = time.perf_counter()
    await loader.warm()
    warmed = time.perf_counter() - began
    print(
        f"pool: opened in {1000 * opened:.1f} ms, a process started in {1000 * warmed:.0f} ms, holds {held()}"
    )
    for turn in ("first", "second"):
        began = time.perf_counter()
        await loader.load(one, declared="application/pdf", name=None)
        print(f"{turn} PDF: {1000 * (time.perf_counter() - began):.1f} ms, the process then holds {held()}")
    kept = [
        (await loader.load(data, declared="application/pdf", name=None)).pages[0].number
        for kind, data in files()
        if kind.startswith(("made", "contract", "report"))
    ]
    print(f"after {len(kept)} long PDFs the process holds {held()}")
    await loader.close()


def held() -> str:
    """Resident and shared memory of this process's children."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text("ascii").split():
            _, resident, shared, *_ = Path(f"/proc/{child}/statm").read_text("ascii").split()
            mb = resource.getpagesize() / 2**20
            found.append(f"{int(resident) * mb:.0f} MB ({int(shared) * mb:.0f} MB of it shared)")
    return ", ".join(found) or "nothing"


if __name__ == "__main__":
    speed()
    asyncio.run(pool())
