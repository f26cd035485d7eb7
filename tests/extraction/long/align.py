"""Gold records whose printed forms are not known, aligned to a document's full text. Nothing here uses the product.

A row is aligned as one: to the few lines that hold most of what it says, rare words and figures counting most, and of
places that hold as much to those near the rows before and after. What a row says that these lines do not print (a unit,
a period, the number of a page) is *concluded*: a reader that sees any of the row says it too. Rows that no line tells
apart are left out and counted, and so are numbers that only count the rows of the whole list.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.extraction.long.perfect import Gold, Path, leaves_of

_WORD = re.compile(r"\d[\d.,'’]*\d|\d|[^\W\d_]+")
_SPACED = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?(?![\d])")
_DATE = re.compile(r"(?<!\d)(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(
    rf"(?:(\d{{1,2}})\.?\s+)?\b({'|'.join(_MONTHS)})[a-z]*\.?(?:\s+(\d{{1,2}}),?)?\s+(\d{{4}})", re.IGNORECASE
)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")

_REACH = 3
"""Lines after its first in which a row goes on."""

_SPREAD = 0.15
"""The share of its weight that a leaf loses with each line between it and the first line of its row."""

_CHANCE = 0.01
"""How often a leaf may be expected within the lines between a row and it; more, and it stands there by chance."""

_GAP = 4
"""Words of a line that a text leaves out where it goes on after them to the end of the line."""

_MOST = 60
"""Lines that hold as much of a row; with more, it cannot be told where it stands."""

_LEAST = 4.0
"""What a row's printed leaves must weigh together (a word that stands in one line of fifty weighs 4)."""

_ABOVE = 15
"""Lines above the rows in a row among which its own leaves are looked for."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a leaf stands: the line and word where it begins, and all lines that it goes over."""

    line: int
    word: int
    lines: tuple[int, ...]
    counts: tuple[int, ...] = ()
    """Of a text how many of its words stand in each line."""


class Text:
    """A text, made ready for looking leaves up."""

    def __init__(self, text: str, said: Counter[tuple[str, Any]]) -> None:
        self.said = said
        self.words: list[list[str]] = []
        self.ends: list[set[int]] = []
        """Of each line the words with which a cell ends."""
        self.hyphens: set[int] = set()
        """Lines whose last word goes on in the next."""
        self._words: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._numbers: dict[Decimal, list[tuple[int, int]]] = defaultdict(list)
        self._dates: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._found: dict[Any, list[Stand]] = {}
        for number, line in enumerate(text.split("\n")):
            self._line(number, unicodedata.normalize("NFKC", line))

    def _line(self, number: int, line: str) -> None:
        matches = list(_WORD.finditer(line))
        starts = [match.start() for match in matches]
        if line.rstrip()[-1:] in {"-", "\u2010", "\u00ad"}:
            self.hyphens.add(number)
        self.words.append([match[0].casefold() for match in matches])
        self.ends.append(
            {
                place
                for place, match in enumerate(matches)
                if place + 1 == len(matches)
                or "  " in line[match.end() : starts[place + 1]]
                or "|" in line[match.end() : starts[place + 1]]
            }
        )
        for place, word in enumerate(self.words[-1]):
            self._words[word].append((number, place))
            for value in _values(word) if word[0].isdigit() else ():
                self._numbers[value].append((number, place))

        def place_of(start: int) -> int:
            return max((place for place, at in enumerate(starts) if at <= start), default=0)

        for match in _SPACED.finditer(line):
            for value in _values(re.sub(r"\s", "", match[0])):
                self._numbers[value].append((number, place_of(match.start())))
        for match in _DATE.finditer(line):
            for day in _days(*match.groups()):
                self._dates[day].append((number, place_of(match.start())))
        for match in _NAMED.finditer(line):
            before, month, after, year = match.groups()
            which = _MONTHS.index(month[:3].lower()) + 1
            if before or after:
                self._dates[f"{year}-{which:02d}-{int(before or after):02d}"].append(
                    (number, place_of(match.start()))
                )

    @cached_property
    def size(self) -> int:
        return sum(1 for words in self.words if words)

    def find(self, value: Any) -> list[Stand]:
        """Every place where a leaf is printed."""
        key = _key(value)
        if key not in self._found:
            self._found[key] = self._find(value)
        return self._found[key]

    def _find(self, value: Any) -> list[Stand]:
        if isinstance(value, bool) or value is None:
            return []
        if isinstance(value, int | float):
            wanted = Decimal(str(abs(value))).normalize()
            return [Stand(line, word, (line,)) for line, word in self._numbers.get(wanted, ())]
        if _ISO.fullmatch(value):
            return [Stand(line, word, (line,)) for line, word in self._dates.get(value, ())]
        wanted_words = [match[0].casefold() for match in _WORD.finditer(unicodedata.normalize("NFKC", value))]
        if not wanted_words:
            return []
        runs = (self._run(wanted_words, line, word) for line, word in self._words.get(wanted_words[0], ()))
        return [run for run in runs if run is not None]

    def _run(self, wanted: Sequence[str], line: int, word: int) -> Stand | None:
        """The words from this one on, over the ends of cells and lines; a tenth of them may be printed otherwise."""
        lines = [line]
        done = self._matched(wanted, 0, line, word)
        if done < len(wanted) and word + done == len(self.words[line]) - 1 and line in self.hyphens:
            done += 1  # the word goes on in the next line
        missed = 0
        counts = [done]
        while done < len(wanted):
            if (
                word + done < len(self.words[line])
                and len(lines) == 1
                and word + done - 1 not in self.ends[line]
            ):
                return None  # the line goes on, with something else
            for later in range(lines[-1] + 1, min(lines[-1] + 4, len(self.words))):
                best = max(
                    (
                        (self._matched(wanted, done + skip, later, place), -skip, place)
                        for skip in (0, 1)
                        if done + skip < len(wanted)
                        for place, other in enumerate(self.words[later])
                        if other == wanted[done + skip]
                    ),
                    default=(0, 0, 0),
                )
                if best[0] > 0:
                    missed -= best[1]
                    done += best[0] - best[1]
                    lines.append(later)
                    done += self._after_gap(wanted, done, later, best[2] + best[0])
                    done += done < len(wanted) and later in self.hyphens
                    counts.append(done - sum(counts))
                    break
            else:
                break
        missed += len(wanted) - done
        whole = missed <= 0.1 * len(wanted)
        return Stand(line, word, tuple(lines), tuple(counts)) if whole else None

    def _after_gap(self, wanted: Sequence[str], first: int, line: int, word: int) -> int:
        """How many words from ``first`` on end a line, after a few that the text leaves out (the numbers of pages)."""
        left = len(self.words[line]) - word
        rest = wanted[first : first + left]
        if not rest or not left - len(rest) <= _GAP or self.words[line][-len(rest) :] != list(rest):
            return 0
        return len(rest)

    def _matched(self, wanted: Sequence[str], first: int, line: int, word: int) -> int:
        """How many words from ``first`` on stand in a line from ``word`` on."""
        count = 0
        words = self.words[line]
        while (
            first + count < len(wanted)
            and word + count < len(words)
            and wanted[first + count] == words[word + count]
        ):
            count += 1
        return count

    def lines(self, value: Any) -> int:
        """In how many lines a leaf stands, or how many rows say it where that is more; 0 where it stands nowhere."""
        lines = len({stand.line for stand in self.find(value)})
        return max(lines, self.said[_key(value)]) if lines else 0

    def sure(self, value: Any, off: int) -> bool:
        """Whether a leaf that stands so many lines off its row is the row's, and not there by chance."""
        lines = self.lines(value)
        return lines == 1 or lines * (2 * off + 1) <= _CHANCE * self.size

    def weight(self, value: Any) -> float:
        """What it says of a place that a leaf stands there: much for what stands in few places."""
        lines = self.lines(value)
        return max(math.log(max(self.size, 8) / lines), 0.0) if lines else 0.0


def _key(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value


def _values(word: str) -> set[Decimal]:
    """The numbers that a printed one can be."""
    plain = word.replace("'", "").replace("’", "")
    found = {Decimal(re.sub(r"[.,]", "", plain))}
    cut = max(plain.rfind("."), plain.rfind(","))
    if cut > 0:
        found.add(Decimal(f"{re.sub(r'[.,]', '', plain[:cut])}.{plain[cut + 1 :]}"))
    return {value.normalize() for value in found}


def _days(first: str, second: str, third: str) -> set[str]:
    if len(first) == 4:
        return {f"{first}-{int(second):02d}-{int(third):02d}"}
    year = third if len(third) == 4 else f"20{int(third):02d}"
    return {
        f"{year}-{int(month):02d}-{int(day):02d}"
        for day, month in ((first, second), (second, first))
        if int(month) < 13
    }


@dataclass
class _Row:
    """One row of the gold: its own leaves, and the lists in it."""

    path: Path
    leaves: list[tuple[Path, Any]] = field(default_factory=list)
    lists: dict[Path, list["_Row"]] = field(default_factory=dict)
    """By the members' names that lead from the row to the list."""
    place: tuple[int, int] | None = None
    """Where it begins, once it is aligned."""
    spans: dict[Path, tuple[int, ...]] = field(default_factory=dict)
    pieces: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    """Of texts what stands in each line."""
    telling: Path | None = None
    """Of its leaves the one that says most of where it stands."""


@dataclass(frozen=True)
class Aligned:
    """A gold record aligned to a text: ``rows`` of it, of which ``known`` have their lines."""

    gold: Gold
    rows: int
    known: int


def from_record(text: str, record: Any) -> Aligned:
    """Align a record to a text; rows come in the order of the text."""
    root = _read(record)
    view = Text(text, Counter(_key(value) for _, value in leaves_of(record)))
    gold = Gold(text, ())
    _align_lists(root, view)
    for path, value in root.leaves:
        stands = view.find(value)
        gold.note(path, value, stands[0].lines, _pieces(value, stands[0])) if stands else gold.note(
            path, value, None
        )
    _note(root, (), gold)
    rows = list(_rows(root))
    return Aligned(gold, len(rows), sum(row.place is not None for row in rows))


def _read(record: Any) -> _Row:
    root = _Row(())
    _fill(root, record, ())
    return root


def _fill(row: _Row, value: Any, names: Path) -> None:
    if isinstance(value, dict):
        for name, child in value.items():
            _fill(row, child, (*names, name))
    elif (
        isinstance(value, list)
        and names == ()
        and row.path
        and isinstance(row.path[-1], int)
        and not any(isinstance(cell, dict) for cell in value)
    ):
        row.leaves += [((*row.path, *path), cell) for path, cell in leaves_of(value)]  # a row of cells
    elif isinstance(value, list):
        items = [_Row((*row.path, *names, number)) for number in range(len(value))]
        for item, child in zip(items, value, strict=True):
            _fill(item, child, ())
        _without_numbering(items)
        row.lists[names] = items
    elif value is not None and value != "":
        row.leaves.append(((*row.path, *names), value))


def _without_numbering(items: Sequence[_Row]) -> None:
    """Leave out members that only number the rows of the whole list."""
    first = {path[len(items[0].path) :] for path, _ in items[0].leaves} if items else set()
    for name in first - {()}:
        values = [{path[len(item.path) :]: value for path, value in item.leaves}.get(name) for item in items]
        if any(values == [number + base for number in range(len(items))] for base in (0, 1)) and all(
            isinstance(value, int) for value in values
        ):
            for item in items:
                item.leaves = [leaf for leaf in item.leaves if leaf[0][len(item.path) :] != name]


def _rows(row: _Row) -> Any:
    for items in row.lists.values():
        for item in items:
            yield item
            yield from _rows(item)


def _align_lists(root: _Row, view: Text) -> None:
    """Innermost rows first, those of all lists at one place of the schema together; then the rows that hold them."""
    groups: dict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for row in _rows(root):
        groups[tuple(step for step in row.path if isinstance(step, str))].append(row)
    for group in sorted(groups, key=len, reverse=True):
        plain = [row for row in groups[group] if not row.lists]
        _align(plain, view)
        for row in groups[group]:
            if row.lists:
                _align_outer(row, view)


def _align(rows: Sequence[_Row], view: Text) -> None:
    """One place for each row of a list: what holds most of it, near the rows before and after (Viterbi)."""
    options = [_options(row, view) for row in rows]
    asked = [number for number, some in enumerate(options) if some]
    best: list[list[tuple[float, int]]] = []
    for step, number in enumerate(asked):
        row_best = []
        for place, score in options[number]:
            if step == 0:
                row_best.append((score, -1))
                continue
            before = options[asked[step - 1]]
            row_best.append(
                max(
                    (
                        best[-1][index][0] + score - _gap(other, place),
                        index,
                    )
                    for index, (other, _) in enumerate(before)
                )
            )
        best.append(row_best)
    if not best:
        return
    index = max(range(len(best[-1])), key=lambda one: best[-1][one][0])
    taken: set[tuple[int, int]] = set()
    chosen: list[tuple[int, tuple[int, int]]] = []
    for step in range(len(asked) - 1, -1, -1):
        chosen.append((asked[step], options[asked[step]][index][0]))
        index = best[step][index][1]
    for number, place in reversed(chosen):
        row = rows[number]
        stands = _standing(row, place[0], view, place)
        words = {(stand.line, stand.word) for stand in stands.values()}
        if words <= taken:
            continue  # two rows at the same words cannot be told apart
        taken |= words
        row.place = place
        row.spans = {path: stand.lines for path, stand in stands.items()}
        values = dict(row.leaves)
        row.pieces = {path: _pieces(values[path], stand) for path, stand in stands.items()}
        row.telling = max(stands, key=lambda path: view.weight(values[path]))


def _pieces(value: Any, stand: Stand) -> tuple[str, ...]:
    """What of a text stands in each of its lines."""
    if not isinstance(value, str) or len(stand.counts) < 2 or unicodedata.normalize("NFKC", value) != value:
        return ()
    starts = [match.start() for match in _WORD.finditer(value)]
    ends = [match.end() for match in _WORD.finditer(value)]
    found, first, done = [], 0, 0
    for count in stand.counts[:-1]:
        done += count
        if not 0 < done < len(starts) or not count:
            return ()
        gap = value[ends[done - 1] : starts[done]]
        space = next((at for at, sign in enumerate(gap) if sign == "\n"), None)
        space = next((at for at, sign in enumerate(gap) if sign.isspace()), 0) if space is None else space
        cut = ends[done - 1] + space
        found.append(value[first:cut].strip())
        first = cut
    return (*found, value[first:].strip())


def _gap(before: tuple[int, int], after: tuple[int, int]) -> float:
    """How unlikely it is that one row follows another there, in the weight of leaves."""
    if before == after:
        return 4.0
    lines = after[0] - before[0]
    return 0.15 * math.log1p(abs(lines)) + (5.0 if after < before else 0.0)


def _options(row: _Row, view: Text) -> list[tuple[tuple[int, int], float]]:
    """Where a row can begin, with what stands there of it; none when that is too little, or in too many lines alike."""
    weights = {path: view.weight(value) for path, value in row.leaves}
    starts: dict[int, int] = {}
    heavy = sorted(row.leaves, key=lambda leaf: -weights[leaf[0]])[:4]
    places = {(stand.line, stand.word) for _, value in heavy for stand in view.find(value)}
    single = len(row.leaves) == 1 or sum(weight > 0 for weight in weights.values()) == 1
    for line, word in sorted(places):
        starts.setdefault(line, word)
    found: list[tuple[tuple[int, int], float]] = []
    for line, word in sorted(places) if single else starts.items():
        stands = _standing(row, line, view, (line, word))
        score = sum(weights[path] * (1 - _SPREAD * (stand.line - line)) for path, stand in stands.items())
        begin = min((stand.word for stand in stands.values() if stand.line == line), default=word)
        found.append(((line, word if single else begin), score))
    top = max((score for _, score in found), default=0.0)
    if top < min(_LEAST, 0.9 * math.log(max(view.size, 8))):
        return []
    found = [one for one in found if one[1] >= 0.6 * top]
    return found if len(found) <= _MOST else []


def _standing(row: _Row, line: int, view: Text, place: tuple[int, int]) -> dict[Path, Stand]:
    """The places of a row's leaves in the lines from ``line`` on: the nearest, and for cells from left to right."""
    found: dict[Path, Stand] = {}
    used: set[tuple[int, int]] = set()
    last = -1
    for path, value in row.leaves:
        near = [
            stand
            for stand in view.find(value)
            if line <= stand.line <= line + _REACH
            and (stand.line, stand.word) not in used
            and (stand.line == line or view.sure(value, stand.line - line))
            and (stand.line, stand.word) >= (place if len(row.leaves) == 1 else (line, 0))
        ]
        if near:
            stand = min(
                near, key=lambda one: (one.line - line, one.line == line and one.word < last, one.word)
            )
            found[path] = stand
            used.add((stand.line, stand.word))
            last = stand.word if stand.line == line else last
    return found


def _align_outer(row: _Row, view: Text) -> None:
    """A row that holds rows begins at the first of them, or above it where what it says itself stands."""
    inner = [place for items in row.lists.values() for item in items if (place := item.place) is not None]
    if not inner:
        _align([row], view)
        return
    first = min(inner)
    row.place = first
    for path, value in row.leaves:
        above = [stand for stand in view.find(value) if first[0] - _ABOVE <= stand.line <= first[0]]
        if above and view.sure(value, first[0] - above[-1].line):
            row.spans[path] = above[-1].lines
            row.place = min(row.place, (above[-1].line, above[-1].word))


def _note(row: _Row, path: Path, gold: Gold) -> None:
    """Put aligned rows into the gold, numbered in the order of the text."""
    for names, items in row.lists.items():
        known = sorted(
            (item for item in items if item.place is not None), key=lambda item: item.place or (0, 0)
        )
        for item in items:
            if item.place is None:
                gold.lost += len(item.leaves)
        for number, item in enumerate(known):
            here = (*path, *names, number)
            for old, value in item.leaves:
                new = (*here, *old[len(item.path) :])
                if old in item.spans:
                    gold.note(new, value, item.spans[old], item.pieces.get(old, ()))
                else:
                    gold.conclude(here, new, value)
            if item.telling is not None and not item.lists:
                gold.telling[here] = (*here, *item.telling[len(item.path) :])
            _note(item, here, gold)
