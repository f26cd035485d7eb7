"""Arrays: rows of tables, entries of sections, items of lists."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from service.sandbox.reader import values
from service.sandbox.reader.clauses import contract_parties
from service.sandbox.reader.entries import entries_of
from service.sandbox.reader.kinds import Wish, convert, pick_enum
from service.sandbox.reader.legal import Resolver, passes, smallest, types_of
from service.sandbox.reader.page import Page, Pair, Section, bullet_text
from service.sandbox.reader.place import Found, Place
from service.sandbox.reader.priced import priced_lines, tax_lines
from service.sandbox.reader.sections import section_for
from service.sandbox.reader.tables import Table
from service.sandbox.reader.words import agreement, alternatives, canonical, name_words

__all__ = ["Filling", "list_for"]

_MAX_ITEMS = 5_000
_SUMMARY = re.compile(
    r"^\W*(?:sub-?\s?total|total|sum|summe|gesamt\w*|zwischensumme|totale?|razem|suma|netto|net\b|brutto|mwst|ust\b|vat\b|tva\b|iva\b|tax\b|"
    r"balance due|amount due|shipping|grand total|montant|carried forward|brought forward|ubertrag)",
    re.IGNORECASE,
)
_ENDS = frozenset({"low", "lower", "high", "upper", "min", "max", "minimum", "maximum"})
_RANGE = frozenset({"range"})
_GROUPS = frozenset({"category", "group", "section", "panel", "department", "area"})
_GENERIC = frozenset({"number", "name", "list", "items", "item", "description", "line", "position"})


class Filling(Protocol):
    """What lists need of the filler."""

    page: Page
    resolver: Resolver

    @property
    def tables(self) -> list[Table]:
        """Tables of the page."""
        ...

    def wish(self, schema: Mapping[str, Any], place: Place) -> Wish:
        """What a leaf asks for."""
        ...

    def ranked(self, wish: Wish, place: Place) -> list[tuple[float, Pair]]:
        """Labels for a leaf, best first."""
        ...

    def fill(self, schema: Any, place: Place) -> Found:
        """A value for a node."""
        ...


def list_for(filling: Filling, items: Mapping[str, Any], place: Place) -> tuple[list[Any], float]:
    """The items of an array property and how sure they are."""
    branches = [items, *(filling.resolver.follow(branch) for branch in items.get("anyOf") or ())]
    for branch in branches:
        types = types_of(branch)
        if "object" in types and branch.get("properties"):
            return _objects(filling, branch, place)
        if "object" in types and branch.get("additionalProperties") not in (None, False):
            return _maps(filling)
        if "array" in types:
            return _entries_or_grid(filling, branch)
        if types:
            return _plain(filling, branch, place)
    return [], 0.0


# ----------------------------------------------------------------------------------------- objects
def _objects(filling: Filling, items: Mapping[str, Any], place: Place) -> tuple[list[Any], float]:
    properties: Mapping[str, Any] = items["properties"]
    if place.depth > 6:
        return [], 0.0
    named = frozenset(name_words(place.name))
    stated = _stated(filling, named, items, place)
    if stated is not None:
        return stated
    best: tuple[float, Table, dict[str, int]] | None = None
    section = section_for(filling.page, named)
    for table in filling.tables:
        score, columns = _columns(filling, table, properties)
        if section is not None and section.first < table.line < section.last:
            score += 0.3
        # at least two columns must be understood, or all there are
        if len(columns) >= min(2, len(properties)) and (best is None or score > best[0] + 1e-9):
            best = (score, table, columns)
    if best is not None and (
        section is None or best[0] >= 0.5 or section.first < best[1].line < section.last
    ):
        rows: list[Any] = []
        for table in _same_headings(filling.tables, best[1]):
            rows.extend(_rows(filling, table, best[2], items, place))
        if rows:
            return rows[:_MAX_ITEMS], 0.9
    members = frozenset(word for name in properties for word in name_words(name))
    if members & {"amount", "total", "price"}:
        lines = priced_lines(filling.page, section)
        found = _from_table(filling, lines, items, place)
        if found[0]:
            return found
    if section is not None:
        entries = entries_of(filling.page, section, items, filling.resolver, filling.wish, place)
        if entries:
            return entries[:200], 0.6
    return _repeated(filling, items, place)


def _stated(
    filling: Filling, named: frozenset[str], items: Mapping[str, Any], place: Place
) -> tuple[list[Any], float] | None:
    """Taxes among the totals and parties of a contract, which no table lists; None for everything else."""
    if named & {"tax", "vat"}:
        return _from_table(filling, tax_lines(filling.page), items, place)
    if "party" in named:
        found = _from_table(filling, contract_parties(filling.page), items, place)
        return found if found[0] else None
    return None


def _from_table(
    filling: Filling, table: Table | None, items: Mapping[str, Any], place: Place
) -> tuple[list[Any], float]:
    """The rows of one table, when its columns answer at least two of the properties."""
    if table is None:
        return [], 0.0
    _, columns = _columns(filling, table, items["properties"])
    if len(columns) < min(2, len(items["properties"])):
        return [], 0.0
    rows = _rows(filling, table, columns, items, place)
    return rows, 0.7 if rows else 0.0


def _repeated(filling: Filling, items: Mapping[str, Any], place: Place) -> tuple[list[Any], float]:
    """Labels that come several times, equally often: the n-th of each belongs to the n-th entry."""
    printed: dict[str, list[Any]] = {}
    for name, member in items["properties"].items():
        member = filling.resolver.follow(member)
        inner = Place(
            name=name, parents=(), depth=place.depth + 1, description=str(member.get("description") or "")
        )
        ranked = filling.ranked(filling.wish(member, inner), inner)
        least = max(0.8, ranked[0][0] - 0.05) if ranked else 1.0
        pairs = [pair for score, pair in ranked if score >= least and pair.trust >= 0.9]
        found = [read_leaf(filling, member, name, pair.values[0], place) for pair in pairs]
        kept = [value for value in found if value is not None]
        if len(kept) > 1:
            printed[name] = kept
    counts = [len(found) for found in printed.values()]
    if len(printed) < 2 or len(set(counts)) != 1:
        return [], 0.0
    rows: list[Any] = []
    for number in range(min(counts[0], 50)):
        row: dict[str, Any] = {}
        for name, member in items["properties"].items():
            if name in printed:
                row[name] = printed[name][number]
            elif name in (items.get("required") or ()):
                row[name] = smallest(filling.resolver, member)
        rows.append(row)
    return rows, 0.5


def _same_headings(tables: list[Table], chosen: Table) -> list[Table]:
    """All tables with the same headings, in page order: one table that runs over several pages."""
    heads = [head.lower() for head in chosen.headers]
    return [table for table in tables if [head.lower() for head in table.headers] == heads]


def _columns(filling: Filling, table: Table, properties: Mapping[str, Any]) -> tuple[float, dict[str, int]]:
    """Which column answers which property: the best agreements first, each column once."""
    scored: list[tuple[float, str, int]] = []
    heads = [frozenset(canonical(head)) for head in table.headers[:40]]
    for name, member in properties.items():
        member = filling.resolver.follow(member)
        words = frozenset(name_words(name))
        ranged = bool(words & _ENDS)
        if ranged:
            # `reference_low` is one end of what a column of ranges prints
            words = words - _ENDS or frozenset({"range"})
        described = frozenset(canonical(str(member.get("description") or "")[:160]))
        line = frozenset({"line", "position"})
        for index, head in enumerate(heads):
            if not head:
                continue
            score = max(agreement(words, head, line), 0.8 * agreement(_RANGE, head) if ranged else 0.0)
            for rank, other in enumerate((words - line, *alternatives(words), *alternatives(words - line))):
                score = max(score, agreement(other, head, line) * (0.93 - 0.03 * rank))
            if described:
                score = max(score, 0.6 * agreement(head, described & head)) + 0.05 * len(head & described)
            if score >= 0.35:
                scored.append((score, name, index))
    scored.sort(key=lambda entry: (-round(entry[0], 3), entry[2]))
    columns: dict[str, int] = {}
    taken: set[int] = set()
    total = 0.0
    for score, name, index in scored:
        shared = bool(frozenset(name_words(name)) & _ENDS)
        if name not in columns and (shared or index not in taken):
            columns[name] = index
            total += score
            if not shared:
                taken.add(index)
    _name_column(filling, table, properties, columns, taken)
    return total / max(1, len(properties)) + 0.01 * min(50, len(table.rows)) / 50, columns


def _name_column(
    filling: Filling, table: Table, properties: Mapping[str, Any], columns: dict[str, int], taken: set[int]
) -> None:
    """The first column of words names the rows, whatever its heading, where other columns were understood."""
    if not columns or not table.rows:
        return
    for name, member in properties.items():
        words = frozenset(name_words(name))
        if name in columns or not words & {"name", "description", "title", "label", "test", "language"}:
            continue
        if "string" not in types_of(filling.resolver.follow(member)):
            continue
        for index in range(min(len(table.headers), 6)):
            cells = [row[index] for row in table.rows[:20] if row[index]]
            wordy = sum(any(c.isalpha() for c in cell) for cell in cells)
            if index not in taken and cells and wordy >= 0.8 * len(cells):
                columns[name] = index
                taken.add(index)
                return


def _rows(
    filling: Filling, table: Table, columns: Mapping[str, int], items: Mapping[str, Any], place: Place
) -> list[Any]:
    found: list[Any] = []
    signs = _sign_column(table)
    for number, row in enumerate(table.rows[:_MAX_ITEMS]):
        first = next((text for text in row if text), "")
        if _SUMMARY.match(first) and sum(1 for text in row if text) <= max(2, len(row) // 2):
            continue
        group = table.groups[number] if number < len(table.groups) else None
        value, hits = _row(filling, row, columns, items, place, group)
        if signs is not None:
            _signed(value, row[signs], items)
        if hits >= min(2, len(columns)) and not _undated(filling, row, columns, items):
            found.append(value)
    return found


def _undated(
    filling: Filling, row: tuple[str, ...], columns: Mapping[str, int], items: Mapping[str, Any]
) -> bool:
    """Whether a row lacks the date that every item must have: balances carried forward are no bookings."""
    for name, index in columns.items():
        member = filling.resolver.follow(items["properties"][name])
        if member.get("format") == "date" and "null" not in types_of(member) and not row[index]:
            return name in (items.get("required") or ())
    return False


def _row(
    filling: Filling,
    row: tuple[str, ...],
    columns: Mapping[str, int],
    items: Mapping[str, Any],
    place: Place,
    group: str | None,
) -> tuple[dict[str, Any], int]:
    value: dict[str, Any] = {}
    hits = 0
    required = set(items.get("required") or ())
    for name, member in items["properties"].items():
        member = filling.resolver.follow(member)
        text = row[columns[name]] if name in columns else ""
        if not text and name not in columns and group and frozenset(name_words(name)) & _GROUPS:
            text = group
        read = read_leaf(filling, member, name, text, place) if text else None
        if read is None and not text:
            read = _implied(filling, member, name, known=name in columns)
        elif read is not None:
            hits += 1
        if read is not None:
            value[name] = read
        elif name in required:
            value[name] = smallest(filling.resolver, member)
    return value, hits


def _implied(filling: Filling, schema: Mapping[str, Any], name: str, *, known: bool) -> Any | None:
    """What an empty cell means: the page's currency, or the normal choice of a column of flags."""
    choices = schema.get("enum")
    if known and isinstance(choices, list) and "normal" in choices and None not in choices:
        return "normal"
    if "currency" in name_words(name) and filling.page.currency and passes(schema, filling.page.currency):
        return filling.page.currency
    return None


_DEBIT = frozenset({"debit", "dr", "d", "out", "withdrawal", "af", "expense", "paid out", "-", "s"})
_CREDIT = frozenset({"credit", "cr", "c", "in", "deposit", "bij", "income", "paid in", "+", "h"})


def _sign_column(table: Table) -> int | None:
    """The column that says debit or credit in words, where amounts are printed without signs."""
    for index in range(len(table.headers)):
        cells = {row[index].strip().lower() for row in table.rows if row[index].strip()}
        marks = {cell if cell in _DEBIT | _CREDIT else next(iter(canonical(cell)), cell) for cell in cells}
        if marks and marks <= _DEBIT | _CREDIT and marks & _DEBIT:
            return index
    return None


def _signed(value: dict[str, Any], mark: str, items: Mapping[str, Any]) -> None:
    """Makes the amount of a debit row negative, when the property permits it."""
    debit = mark.strip().lower() in _DEBIT or bool(set(canonical(mark)) & {"debit"})
    for name, number in value.items():
        words = set(name_words(name))
        if debit and "amount" in words and isinstance(number, int | float) and number > 0:
            minimum = items["properties"][name].get("minimum")
            if not isinstance(minimum, int | float) or minimum < 0:
                value[name] = -number


def read_leaf(filling: Filling, schema: Mapping[str, Any], name: str, text: str, place: Place) -> Any | None:
    """A cell's text as a value of a leaf or of one branch of a union; None when it does not fit."""
    for branch in (
        schema,
        *(filling.resolver.follow(b) for b in schema.get("anyOf") or schema.get("oneOf") or ()),
    ):
        types = types_of(branch)
        if not types or types == ("null",) or "object" in types or "array" in types:
            continue
        inner = Place(
            name=name, parents=(), depth=place.depth + 1,
            description=str(branch.get("description") or schema.get("description") or ""),
        )  # fmt: skip
        wish = filling.wish(branch, inner)
        value = convert(wish, text, filling.page)
        if value is None and "string" in types and wish.kind in ("id", "printed number"):
            value = text
        if value is None:
            continue
        if isinstance(value, float) and "number" not in types:
            continue
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and not {"number", "integer"} & set(types)
        ):
            value = text
        if passes(branch, value):
            return value
    return None


# -------------------------------------------------------------------------------------------- plain
def _plain(filling: Filling, items: Mapping[str, Any], place: Place) -> tuple[list[Any], float]:
    if "string" not in types_of(items):
        return _numbers(filling, items, place)
    wish = filling.wish(items, place)
    if wish.kind == "email" or _wants_addresses(filling, place):
        return _addresses(filling, wish, place)
    if wish.kind == "url":
        links = list(dict.fromkeys(match[0] for match in values.URL.finditer(filling.page.text[:100_000])))
        return [link for link in links[:50] if passes(items, link)], 0.5 if links else 0.0
    texts: list[str] = []
    section = section_for(filling.page, frozenset(name_words(place.name)))
    for score, pair in filling.ranked(wish, place):
        if score >= 0.6:
            texts = split_list(pair.values[0])
            if len(texts) == 1 and pair.below and pair.values[0] == pair.below[0]:
                texts = [bullet_text(line) or line for line in pair.below]
            break
    if (
        not texts
        and section is None
        and frozenset(name_words(place.name)) & {"steps", "step", "instruction", "actions"}
    ):
        texts = [
            match[1] for line in filling.page.lines if (match := re.match(r"^\s*\d{1,2}[.)]\s+(\S.*)$", line))
        ]
    if section is not None and (not texts or len(texts) == 1):
        texts = _section_items(filling.page, section) or texts
    found: list[Any] = []
    for text in texts[:_MAX_ITEMS]:
        value = pick_enum(list(items["enum"]), text) if "enum" in items else convert(wish, text, filling.page)
        if value is not None and value not in found and passes(items, value):
            found.append(value)
    return found, 0.7 if found else 0.0


def _numbers(filling: Filling, items: Mapping[str, Any], place: Place) -> tuple[list[Any], float]:
    wish = filling.wish(items, place)
    for score, pair in filling.ranked(wish, place):
        if score < 0.6:
            break
        found = [convert(wish, part, filling.page) for part in split_list(pair.values[0])]
        kept = [value for value in found if value is not None and passes(items, value)]
        if kept:
            return kept, score
    return [], 0.0


def _wants_addresses(filling: Filling, place: Place) -> bool:
    words = frozenset(name_words(place.name))
    return bool(words & {"to", "cc", "bcc"}) and any(
        pair.words <= {"to", "cc", "bcc", "start"} and "@" in pair.values[0]
        for pair in filling.page.pairs[:40]
    )


def _addresses(filling: Filling, wish: Wish, place: Place) -> tuple[list[Any], float]:
    for score, pair in filling.ranked(wish, place):
        if score < 0.5:
            break
        found = list(dict.fromkeys(values.EMAIL.findall(pair.values[0])))
        if found:
            return found, score
    return [], 0.0


def split_list(text: str) -> list[str]:
    """The items of a list printed on one line: separated by bars, bullets, semicolons or commas."""
    for mark in (" | ", " • ", " · ", ";", ",", " / "):
        if mark in text:
            parts = [part.strip(" .") for part in text.split(mark)]
            last = re.split(r"\s+(?:and|und|et|y|e|i|en)\s+", parts[-1]) if mark == "," else [parts[-1]]
            return [part for part in (*parts[:-1], *last) if part]
    return [text.strip()] if text.strip() else []


def _section_items(page: Page, section: Section) -> list[str]:
    lines = [line for line in page.lines[section.first + 1 : section.last] if line.strip()]
    bullets = [text for line in lines if (text := bullet_text(line))]
    if bullets:
        return [
            part
            for text in bullets
            for part in (split_list(text) if len(text) > 60 and "," in text else [text])
        ]
    found: list[str] = []
    for line in lines[:60]:
        text = line.strip().strip("*-• ")
        labelled = re.match(r"^[^:]{2,30}:\s+(.+)$", text)
        found.extend(split_list(labelled[1] if labelled else text))
    return [text for text in found if len(text) < 120]


# --------------------------------------------------------------------------------------------- grids
def _largest(filling: Filling) -> Table | None:
    return max(filling.tables, key=lambda table: len(table.rows) * len(table.headers), default=None)


def _cell_value(filling: Filling, text: str) -> Any:
    """A cell as a number where it is one, null where it is empty."""
    if not text:
        return None
    wish = Wish(schema={}, words=frozenset(), kind="number or text", verbatim=False, description="")
    return convert(wish, text, filling.page) if not re.match(r"^0\d|^\+|.*\d[-.]\d+[-.]\d", text) else text


def _maps(filling: Filling) -> tuple[list[Any], float]:
    """Rows of the largest table as records under its headings."""
    table = _largest(filling)
    if table is None:
        return [], 0.0
    return [
        {head: _cell_value(filling, text) for head, text in zip(table.headers, row, strict=True) if head}
        for row in table.rows[:_MAX_ITEMS]
    ], 0.5


def _entries_or_grid(filling: Filling, items: Mapping[str, Any]) -> tuple[list[Any], float]:
    """Rows as lists: of key and value, where a map was rewritten so, else of cells."""
    entry = filling.resolver.follow(items.get("items") or {})
    members = list(entry.get("properties") or ())
    table = _largest(filling)
    if len(members) != 2 or table is None or not {"key", "name", "number"} & set(name_words(members[0])):
        return _grid(filling, items)
    rows: list[Any] = []
    for row in table.rows[:_MAX_ITEMS]:
        pairs = []
        for head, text in zip(table.headers, row, strict=True):
            value = read_leaf(
                filling, filling.resolver.follow(entry["properties"][members[1]]), "value", text, _ANYWHERE
            )
            if head:
                pairs.append({members[0]: head, members[1]: value})
        rows.append(pairs)
    return rows, 0.5


_ANYWHERE = Place(name="", parents=(), depth=5)


def _grid(filling: Filling, items: Mapping[str, Any]) -> tuple[list[Any], float]:
    """Rows of cells as they stand, headings first."""
    cell = filling.resolver.follow(items.get("items") or {})
    table = _largest(filling)
    if table is None or "string" not in types_of(cell):
        return [], 0.0
    blank: Any = None if "null" in types_of(cell) else ""
    return [[text or blank for text in row] for row in (table.headers, *table.rows)], 0.5
