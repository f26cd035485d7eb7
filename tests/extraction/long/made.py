"""Long documents made by code, with what they print and where: statements and tables of many pages.

Each is a list of pages of lines of cells; it is rendered as a PDF, as text, as CSV or as a workbook. Leaves are listed in
the order of print, so that they can be aligned without looking at the product.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from fpdf import FPDF

from tests.documents import make
from tests.extraction.long.perfect import Leaf, Path

Cell = tuple[int, str]
"""Column in characters, and text."""


@dataclass
class Made:
    """A made document: its pages as lines of cells, its leaves in the order of print, and its schema."""

    name: str
    schema: dict[str, Any]
    pages: list[list[list[Cell]]] = field(default_factory=lambda: [[]])
    leaves: list[Leaf] = field(default_factory=list)
    checks: bool = False
    """Whether it prints counts, totals or balances."""

    def line(self, *cells: Cell) -> None:
        self.pages[-1].append(list(cells))

    def say(self, path: Path, value: Any, *printed: str) -> None:
        self.leaves.append(Leaf(path, value, printed))

    @property
    def text(self) -> str:
        """As plain text, pages ended by form feeds."""
        return "\f".join("\n".join(_line(cells) for cells in page) for page in self.pages)

    def pdf(self) -> bytes:
        """As a PDF, one line of text for each line."""
        made = FPDF(unit="pt", format="A4")
        made.set_auto_page_break(auto=False)
        for page in self.pages:
            made.add_page()
            made.set_font("Courier", size=7)
            for number, cells in enumerate(page):
                for column, text in cells:
                    made.text(30 + 4.2 * column, 40 + 11 * number, text)
        return bytes(made.output())

    def csv(self) -> bytes:
        """As CSV, without what only pages have."""
        rows = (
            ";".join(f'"{text}"' if ";" in text else text for _, text in cells)
            for page in self.pages
            for cells in page
            if cells
        )
        return "\n".join(rows).encode()

    def xlsx(self) -> bytes:
        """As a workbook of one sheet."""
        lines = [cells for page in self.pages for cells in page if cells]
        return make.xlsx(
            {
                "Data": "".join(
                    make.cells(number, *(escape(text) for _, text in cells))
                    for number, cells in enumerate(lines, 1)
                )
            }
        )


def _line(cells: Sequence[Cell]) -> str:
    text = ""
    for column, cell in cells:
        text = text.ljust(column) if len(text) < column else text + "  "
        text += cell
    return text


@dataclass(frozen=True)
class Style:
    """How a country prints."""

    words: Mapping[str, str]
    thousands: str
    point: str
    date: str

    def money(self, cents: int) -> str:
        text = (
            f"{abs(cents) / 100:,.2f}".replace(",", "␟").replace(".", self.point).replace("␟", self.thousands)
        )
        return f"-{text}" if cents < 0 else text

    def day(self, day: tuple[int, int, int]) -> str:
        return self.date.format(y=day[0], m=day[1], d=day[2])


STYLES = (
    Style({"title": "Account statement", "holder": "Account holder", "date": "Date", "what": "Description", "amount": "Amount",
           "balance": "Balance", "carry": "Balance carried forward", "open": "Opening balance", "close": "Closing balance",
           "count": "Number of transactions", "total": "Total", "page": "Page", "fee": "Fees", "order": "Order"},
          ",", ".", "{m:02d}/{d:02d}/{y}"),
    Style({"title": "Kontoauszug", "holder": "Kontoinhaber", "date": "Datum", "what": "Verwendungszweck", "amount": "Betrag",
           "balance": "Saldo", "carry": "Übertrag", "open": "Anfangssaldo", "close": "Endsaldo", "count": "Anzahl Buchungen",
           "total": "Summe", "page": "Seite", "fee": "Entgelte", "order": "Auftrag"}, ".", ",", "{d:02d}.{m:02d}.{y}"),
    Style({"title": "Relevé de compte", "holder": "Titulaire", "date": "Date", "what": "Libellé", "amount": "Montant",
           "balance": "Solde", "carry": "Solde à reporter", "open": "Ancien solde", "close": "Nouveau solde",
           "count": "Nombre d'opérations", "total": "Total", "page": "Page", "fee": "Frais", "order": "Commande"},
          " ", ",", "{d:02d}/{m:02d}/{y}"),
    Style({"title": "Wyciag z konta", "holder": "Posiadacz", "date": "Data", "what": "Opis", "amount": "Kwota",
           "balance": "Saldo", "carry": "Do przeniesienia", "open": "Saldo poczatkowe", "close": "Saldo koncowe",
           "count": "Liczba operacji", "total": "Razem", "page": "Strona", "fee": "Oplaty", "order": "Zamowienie"},
          " ", ",", "{y}-{m:02d}-{d:02d}"),
)  # fmt: skip

NAMES = (
    "Northwind Traders", "Café Müller", "Acme GmbH & Co. KG", "Stadtwerke Köln", "Rossi S.p.A.", "J. O'Neill Ltd", "Boulangerie Blanc",
    "Tanaka Trading", "Fabrikam", "Contoso Energy", "Zoo 24", "Hotel Adler", "Metro Line 7", "Book & Co", "Grand Rapids Water",
)  # fmt: skip
KINDS = ("Transfer", "Card payment", "Direct debit", "SEPA", "Standing order")

_DATE = {"type": "string", "format": "date"}
_ROW: Mapping[str, Any] = {
    "date": _DATE, "description": {"type": "string"}, "amount": {"type": "number"}, "balance": {"type": "number"},
}  # fmt: skip


def _schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _iso(day: tuple[int, int, int]) -> str:
    return f"{day[0]:04d}-{day[1]:02d}-{day[2]:02d}"


def _next(day: tuple[int, int, int], draw: random.Random) -> tuple[int, int, int]:
    if draw.random() < 0.6:
        return day
    y, m, d = day
    d += 1
    if d > 28:
        m, d = m + 1, 1
    return (y + (m > 12), 1 if m > 12 else m, d)


def statement(
    seed: int, pages: int, *, per_page: int = 44, count: bool = True, balances: bool = True
) -> Made:
    """A bank statement: heads repeated, carry-over lines, equal rows, descriptions of two lines broken over pages."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    words = style.words
    names = list(_ROW) if balances else list(_ROW)[:3]
    made = Made(f"statement-{seed}-{pages}", _schema({
        "account_holder": {"type": "string"}, "opening_balance": {"type": "number"},
        "transactions": {"type": "array", "items": _schema({name: _ROW[name] for name in names})},
        "closing_balance": {"type": "number"},
    }), checks=balances or count)  # fmt: skip
    balance = draw.randrange(100_000, 900_000)
    opened = balance
    day = (2025, draw.randrange(1, 12), 3)
    made.say(("account_holder",), "Ada Byron", "Ada Byron")
    made.say(("opening_balance",), balance / 100, style.money(balance))

    def money(cents: int) -> Cell:
        return (70, style.money(cents))

    def turn(page: int) -> None:
        """A new page with its head; what stood at the end of the one before is carried over."""
        if page:
            if balances:
                made.line((14, words["carry"]), money(balance))
            made.pages.append([])
        made.line((0, words["title"]), (80, f"{words['page']} {page + 1}"))
        made.line((0, f"{words['holder']}: Ada Byron"))
        if page == 0:
            made.line((0, words["open"]), money(balance))
        made.line()
        balance_head = [(70, words["balance"])] if balances else []
        made.line((0, words["date"]), (14, words["what"]), (56, words["amount"]), *balance_head)
        if page and balances:
            made.line((14, words["carry"]), money(balance))

    turn(0)
    page = number = 0
    last = None
    while True:
        day = _next(day, draw)
        what, amount = f"{draw.choice(KINDS)} {draw.choice(NAMES)}", draw.randrange(-40_000, 45_000) or 1
        if last is not None and draw.random() < 0.06:  # the same once more
            day, what, amount = last
        last = (day, what, amount)
        balance += amount
        printed = [what]
        made.line(
            (0, style.day(day)),
            (14, what),
            (56, style.money(amount)),
            *([money(balance)] if balances else []),
        )
        if draw.random() < 0.15:
            printed.append(f"Ref {draw.choice(NAMES)} no. {draw.randrange(10_000)}")
            if len(made.pages[-1]) >= per_page and page + 1 < pages:  # a row broken over two pages
                page += 1
                turn(page)
            made.line((14, printed[1]))
        path: Path = ("transactions", number)
        made.say((*path, "date"), _iso(day), style.day(day))
        made.say((*path, "description"), " ".join(printed), *printed)
        made.say((*path, "amount"), amount / 100, style.money(amount))
        if balances:
            made.say((*path, "balance"), balance / 100, style.money(balance))
        number += 1
        if len(made.pages[-1]) >= per_page:
            if page + 1 >= pages:
                break
            page += 1
            turn(page)
    made.line()
    made.line((0, words["close"]), money(balance))
    made.say(("closing_balance",), balance / 100, style.money(balance))
    if count:
        made.line((0, f"{words['count']}: {number}"))
    if not balances:
        made.line((0, words["total"]), (56, style.money(balance - opened)))
    return made


def orders(seed: int, pages: int, *, per_page: int = 44) -> Made:
    """Orders with their lines, a total under each, and the sum of all at the end; orders run over pages."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    words = style.words
    line = {
        "item": {"type": "string"},
        "quantity": {"type": "integer"},
        "price": {"type": "number"},
        "amount": {"type": "number"},
    }
    made = Made(f"orders-{seed}-{pages}", _schema({"orders": {"type": "array", "items": _schema({
        "number": {"type": "string"}, "date": _DATE, "lines": {"type": "array", "items": _schema(line)},
    })}, "total": {"type": "number"}}), checks=True)  # fmt: skip

    def head(first: bool) -> None:
        if not first:
            made.pages.append([])
        made.line((0, "Northwind Traders"), (80, f"{words['page']} {len(made.pages)}"))
        made.line()
        made.line((2, words["what"]), (50, "#"), (60, words["amount"]), (74, words["total"]))

    head(first=True)
    day, everything, order = (2024, 1, 2), 0, 0
    while True:
        if len(made.pages[-1]) >= per_page:
            if len(made.pages) >= pages:
                break
            head(first=False)
        day = _next(day, draw)
        name = f"{draw.choice('ABC')}-{draw.randrange(10_000, 99_999)}"
        made.line((0, f"{words['order']} {name}"), (30, style.day(day)))
        made.say(("orders", order, "number"), name, name)
        made.say(("orders", order, "date"), _iso(day), style.day(day))
        whole = 0
        for number in range(draw.randrange(1, 15)):
            if len(made.pages[-1]) >= per_page and len(made.pages) < pages:
                head(first=False)
            item, quantity = (
                f"{draw.choice(NAMES)} {draw.choice('XYZ')}{draw.randrange(100)}",
                draw.randrange(1, 30),
            )
            price = draw.randrange(100, 90_000)
            whole += price * quantity
            made.line(
                (2, item), (50, str(quantity)), (60, style.money(price)), (74, style.money(price * quantity))
            )
            path: Path = ("orders", order, "lines", number)
            made.say((*path, "item"), item, item)
            made.say((*path, "quantity"), quantity, str(quantity))
            made.say((*path, "price"), price / 100, style.money(price))
            made.say((*path, "amount"), price * quantity / 100, style.money(price * quantity))
        made.line((2, words["total"]), (74, style.money(whole)))
        everything += whole
        order += 1
    made.line()
    made.line((0, words["total"]), (74, style.money(everything)))
    made.say(("total",), everything / 100, style.money(everything))
    return made


def interleaved(seed: int, pages: int, *, per_page: int = 44) -> Made:
    """Two lists whose rows take turns, in blocks and one by one, and whose columns change half way."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    words = style.words
    payment = {"date": _DATE, "payee": {"type": "string"}, "amount": {"type": "number"}}
    fee = {"code": {"type": "string"}, "rate": {"type": "number"}}
    made = Made(f"interleaved-{seed}-{pages}", _schema({
        "payments": {"type": "array", "items": _schema(payment)}, "fees": {"type": "array", "items": _schema(fee)},
    }), checks=True)  # fmt: skip
    counts = {"payments": 0, "fees": 0}
    total, day = 0, (2023, 2, 5)
    for page in range(pages):
        if page:
            made.pages.append([])
        swapped = page >= pages // 2
        made.line((0, words["title"]), (80, f"{words['page']} {page + 1}"))
        heads = (words["amount"], words["what"]) if swapped else (words["what"], words["amount"])
        made.line((0, words["date"]), (14, heads[0]), (56, heads[1]))
        while len(made.pages[-1]) < per_page:
            if draw.random() < 0.3:
                code, rate = f"F{draw.randrange(100, 999)}", draw.randrange(1, 900)
                made.line((4, f"{words['fee']} {code}"), (56, f"{style.money(rate)} %"))
                path: Path = ("fees", counts["fees"])
                made.say((*path, "code"), code, code)
                made.say((*path, "rate"), rate / 100, style.money(rate))
                counts["fees"] += 1
                continue
            day, who, cents = _next(day, draw), draw.choice(NAMES), draw.randrange(100, 500_000)
            total += cents
            cells = (
                ((14, style.money(cents)), (56, who)) if swapped else ((14, who), (56, style.money(cents)))
            )
            made.line((0, style.day(day)), *cells)
            path = ("payments", counts["payments"])
            made.say((*path, "date"), _iso(day), style.day(day))
            for _, cell in cells:
                name = "payee" if cell == who else "amount"
                made.say((*path, name), who if name == "payee" else cents / 100, cell)
            counts["payments"] += 1
    made.line((0, words["total"]), (56, style.money(total)))
    made.line((0, f"{words['count']}: {counts['payments']}"))
    return made


def sheet(seed: int, rows: int) -> Made:
    """A flat table for CSV and workbooks: a head, rows of which some are equal, empty cells, and a row of sums."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    row = {
        "sku": {"type": "string"},
        "place": {"type": ["string", "null"]},
        "stock": {"type": "integer"},
        "value": {"type": "number"},
    }
    made = Made(
        f"sheet-{seed}-{rows}", _schema({"items": {"type": "array", "items": _schema(row)}}), checks=True
    )
    made.line((0, "SKU"), (14, "Place"), (40, "Stock"), (60, style.words["amount"]))
    total, last = 0, None
    for number in range(rows):
        current = (
            f"K{draw.randrange(1000, 9999)}", draw.choice((*NAMES, "")), draw.randrange(0, 500), draw.randrange(100, 900_000),
        )  # fmt: skip
        if last is not None and draw.random() < 0.05:
            current = last
        last = current
        sku, place, stock, cents = current
        total += cents
        made.line((0, sku), (14, place), (40, str(stock)), (60, style.money(cents)))
        path: Path = ("items", number)
        made.say((*path, "sku"), sku, sku)
        if place:
            made.say((*path, "place"), place, place)
        made.say((*path, "stock"), stock, str(stock))
        made.say((*path, "value"), cents / 100, style.money(cents))
    made.line((0, style.words["total"]), (14, ""), (40, ""), (60, style.money(total)))
    return made


FIRST = (
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Frances",
    "Niklaus",
    "Radia",
    "Tony",
    "Leslie",
)
LAST = (
    "Byron",
    "Hopper",
    "Turing",
    "Liskov",
    "Knuth",
    "Allen",
    "Wirth",
    "Perlman",
    "Hoare",
    "Lamport",
    "Kay",
    "Naur",
)


def directory(seed: int, pages: int, *, per_page: int = 44, mapped: bool = True) -> Made:
    """Maps and lists without cells: who works where, what was visited, rates by name; many are named more than once.

    ``mapped``: departments are a map by their names, else a list.
    """
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    words = style.words
    names = {"type": "array", "items": {"type": "string"}}
    unit = _schema(
        {**({} if mapped else {"name": {"type": "string"}}), "floor": {"type": "integer"}, "staff": names}
    )
    made = Made(f"directory-{seed}-{pages}-{mapped}", _schema({
        "departments": {"type": "object", "additionalProperties": unit} if mapped else {"type": "array", "items": unit},
        "visits": names, "rates": {"type": "object", "additionalProperties": {"type": "number"}},
    }))  # fmt: skip

    def line(*cells: Cell) -> None:
        if len(made.pages[-1]) >= per_page:
            made.pages.append([])
            made.line((0, words["title"]), (80, f"{words['page']} {len(made.pages)}"))
            made.line()
        made.line(*cells)

    def section(*cells: Cell) -> None:
        line()
        line(*cells)

    line((0, "Staff, places and rates"))
    line((0, "This directory says who works where, which places were visited, and at what rates."))
    line((0, "Whoever works in two units stands under both; whoever is named twice there works two shifts."))
    line((0, "Places are listed as often as they were visited."))
    line((0, "Printed for internal use; errors may be told to the office on the second floor."))
    last, units = "", list[str]()
    while len(made.pages) < max(pages * 2 // 3, 2):
        name, floor = f"Unit {draw.choice(LAST)} {draw.randrange(100, 999)}", draw.randrange(10, 60)
        if name in units:
            continue
        at: Path = ("departments", name if mapped else len(units))
        units.append(name)
        section((0, name), (40, f"Floor {floor}"))
        if not mapped:
            made.say((*at, "name"), name, name)
        made.say((*at, "floor"), floor, f"Floor {floor}")
        for number in range(draw.randrange(2, 90)):
            last = last if last and draw.random() < 0.08 else f"{draw.choice(FIRST)} {draw.choice(LAST)}"
            line((2, last))
            made.say((*at, "staff", number), last, last)
    section((0, "Places visited"))
    number = 0
    while len(made.pages) < max(pages * 5 // 6, 3):
        place = draw.choice(NAMES)
        line((2, f"{number + 1}."), (8, place))
        made.say(("visits", number), place, place)
        number += 1
    section((0, "Rates"))
    count = 0
    while len(made.pages) < max(pages, 4) and count < 4000:
        name, rate = f"R{count:04d}{draw.choice('ABC')}", draw.randrange(1001, 99_999)
        line((2, name), (30, style.money(rate)))
        made.say(("rates", name), rate / 100, style.money(rate))
        count += 1
    return made
