"""More kinds of long documents made by code: lists and tables as offices print them, beside those of ``made``.

Each function takes a seed and a number of pages and gives a ``Made``; ``text_only`` ones hold letters that the PDFs here
cannot print.
"""

import random
from typing import Any
from xml.sax.saxutils import escape

from tests.documents import make
from tests.extraction.long.made import (
    _DATE,
    FIRST,
    KINDS,
    LAST,
    NAMES,
    STYLES,
    Cell,
    Made,
    _iso,
    _next,
    _schema,
)
from tests.extraction.long.perfect import Path

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "number"}
INTEGER: dict[str, Any] = {"type": "integer"}

WORDS = (
    "steel", "frame", "with", "rubber", "feet", "for", "indoor", "use", "and", "a", "lid", "of", "clear", "glass", "in", "two",
    "parts", "that", "can", "be", "washed", "at", "any", "heat", "without", "losing", "colour", "or", "shape", "over", "time",
    "shall", "mean", "agreement", "party", "lender", "borrower", "date", "notice", "interest", "period", "loan", "amount",
    "due", "under", "this", "section", "as", "defined", "herein", "each", "such", "person", "other", "than", "the",
)  # fmt: skip


def _listed(**members: Any) -> dict[str, Any]:
    return _schema({name: {"type": "array", "items": items} for name, items in members.items()})


def _prose(draw: random.Random, words: int) -> str:
    text = " ".join(draw.choice(WORDS) for _ in range(words))
    return text[0].upper() + text[1:]


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


class _Pages:
    """Lines put on pages with a head; ``foot`` lines end each page."""

    def __init__(
        self, made: Made, pages: int, *head: list[Cell], per_page: int = 46, foot: tuple[str, ...] = ()
    ) -> None:
        self.made, self.pages, self.per_page, self.foot, self._head = made, pages, per_page, foot, head
        self._top()

    @property
    def full(self) -> bool:
        return len(self.made.pages) >= self.pages and len(self.made.pages[-1]) >= self.per_page - 1

    def _top(self) -> None:
        self.made.line((0, "Northwind Traders"), (80, f"Page {len(self.made.pages)} of {self.pages}"))
        self.made.line()
        for cells in self._head:
            self.made.line(*cells)

    def line(self, *cells: Cell) -> None:
        if len(self.made.pages[-1]) >= self.per_page:
            for number, note in enumerate(self.foot, 1):
                self.made.line((0, f"{number}) {note}"))
            self.made.pages.append([])
            self._top()
        self.made.line(*cells)


def subtotals(seed: int, pages: int) -> Made:
    """A ledger with headings and sub-totals between its rows, a sum of sums, and footnotes at the end of each page."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    row = {"account": TEXT, "text": TEXT, "debit": NUMBER, "credit": NUMBER}
    made = Made(f"subtotals-{seed}-{pages}", _listed(entries=_schema(row)), checks=True)
    out = _Pages(made, pages, [(0, "Account"), (12, "Text"), (56, "Debit"), (74, "Credit")],
                 foot=("Amounts in euro, 1 January to 31 December 2025.", "Booked by hand; see note 7 and page 12."))  # fmt: skip
    number, whole = 0, 0
    while not out.full:
        out.line()
        out.line((0, f"Group {draw.randrange(10, 99)} {draw.choice(NAMES)}"))
        part = 0
        for _ in range(draw.randrange(2, 25)):
            account, text = str(draw.randrange(1000, 9999)), f"{draw.choice(KINDS)} {draw.choice(LAST)}"
            debit, credit = draw.randrange(100, 90_000), draw.randrange(100, 90_000)
            part += debit
            out.line((0, account), (12, text), (56, style.money(debit)), (74, style.money(credit)))
            path: Path = ("entries", number)
            made.say((*path, "account"), account, account)
            made.say((*path, "text"), text, text)
            made.say((*path, "debit"), debit / 100, style.money(debit))
            made.say((*path, "credit"), credit / 100, style.money(credit))
            number += 1
        whole += part
        out.line((12, "Sub-total"), (56, style.money(part)))
    out.line((12, "Grand total"), (56, style.money(whole)))
    return made


def beside(seed: int, pages: int) -> Made:
    """Two lists side by side, of different lengths, on the same lines."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    made = Made(f"beside-{seed}-{pages}", _listed(
        assets=_schema({"name": TEXT, "value": NUMBER}), debts=_schema({"creditor": TEXT, "due": NUMBER})))  # fmt: skip
    out = _Pages(made, pages, [(0, "Assets"), (30, "Value"), (52, "Debts"), (82, "Due")])
    counts = {"assets": 0, "debts": 0}
    while not out.full:
        cells: list[Cell] = []
        for name, column, first, second in (("assets", 0, "name", "value"), ("debts", 52, "creditor", "due")):
            if draw.random() < 0.15:
                continue
            label, cents = f"{draw.choice(NAMES)} {draw.choice(LAST)}", draw.randrange(100, 900_000)
            cells += [(column, label), (column + 30, style.money(cents))]
            made.say((name, counts[name], first), label, label)
            made.say((name, counts[name], second), cents / 100, style.money(cents))
            counts[name] += 1
        if cells:
            out.line(*cells)
    return made


def catalogue(seed: int, pages: int) -> Made:
    """Goods with a description of one to five lines under each, some broken over pages; blank lines between."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    row = {"number": TEXT, "name": TEXT, "description": TEXT, "price": NUMBER}
    made = Made(f"catalogue-{seed}-{pages}", _listed(goods=_schema(row)))
    out = _Pages(made, pages, [(0, "No."), (10, "Goods"), (80, "Price")])
    number = 0
    while not out.full:
        code, name, cents = f"{draw.randrange(100, 999)}.{draw.randrange(10, 99)}", f"{draw.choice(LAST)} {draw.choice(NAMES)}", draw.randrange(100, 90_000)  # fmt: skip
        out.line((0, code), (10, name), (80, style.money(cents)))
        path: Path = ("goods", number)
        made.say((*path, "number"), code, code)
        made.say((*path, "name"), name, name)
        made.say((*path, "price"), cents / 100, style.money(cents))
        lines = _wrapped(_prose(draw, draw.randrange(6, 50)) + ".", 64)
        for line in lines:
            out.line((10, line))
        made.say((*path, "description"), " ".join(lines), *lines)
        out.line()
        number += 1
    return made


def definitions(seed: int, pages: int) -> Made:
    """An agreement's defined terms: paragraphs of one to nine lines, blank lines between, broken over pages."""
    draw = random.Random(seed)
    row = {"term": TEXT, "meaning": TEXT}
    made = Made(f"definitions-{seed}-{pages}", _listed(definitions=_schema(row)))
    out = _Pages(made, pages, per_page=52)
    number = 0
    while not out.full:
        term = f"{draw.choice(LAST)} {draw.choice(('Loan', 'Date', 'Event', 'Rate', 'Party'))} {draw.choice('ABCDEFGH')}{draw.randrange(10, 99)}"
        meaning = _prose(draw, draw.randrange(8, 130)) + "."
        lines = _wrapped(f"“{term}” means {meaning}", 92)
        head = f"“{term}” means "
        for line in lines:
            out.line((0, line.replace("“", '"').replace("”", '"')))
        made.say(("definitions", number, "term"), term, term)
        printed = [lines[0][len(head) :], *lines[1:]] if len(lines[0]) > len(head) else lines[1:]
        made.say(("definitions", number, "meaning"), meaning, *printed)
        out.line()
        number += 1
    return made


def thread(seed: int, pages: int) -> Made:
    """A thread of e-mails as plain text: heads, bodies of some paragraphs, what is quoted of the one before."""
    draw = random.Random(seed)
    row = {"sender": TEXT, "date": _DATE, "subject": TEXT, "attachments": {"type": "array", "items": TEXT}}
    made = Made(f"thread-{seed}-{pages}", _listed(messages=_schema(row)))
    day, number, quoted = (2025, 1, 2), 0, [""]
    while sum(len(page) for page in made.pages) < 46 * pages:
        day = _next(day, draw)
        sender = f"{draw.choice(FIRST)} {draw.choice(LAST)}"
        path: Path = ("messages", number)
        subject = f"Re: order {draw.randrange(100, 999)} {draw.choice(WORDS)} {draw.choice(WORDS)}"
        made.line((0, f"On {_iso(day)} at {draw.randrange(10, 20)}:{draw.randrange(10, 60)} {sender} wrote:"))
        made.line((0, f"Subject: {subject}"))
        made.say((*path, "date"), _iso(day), _iso(day))
        made.say((*path, "sender"), sender, sender)
        made.say((*path, "subject"), subject, subject)
        for other in range(draw.randrange(0, 4)):
            name = f"{draw.choice(LAST).lower()}-{draw.randrange(10, 99)}.pdf"
            made.line((0, f"Attachment: {name}"))
            made.say((*path, "attachments", other), name, name)
        made.line()
        body = []
        for _ in range(draw.randrange(1, 4)):
            body += [*_wrapped(_prose(draw, draw.randrange(5, 60)) + ".", 72), ""]
        for line in body:
            made.line(*([(0, line)] if line else []))
        made.line((0, draw.choice(FIRST)))
        for line in quoted[:12]:
            made.line((0, f"> {line}"))
        quoted = [f"{sender} wrote:", *body]
        made.line()
        number += 1
    return made


def people(seed: int, pages: int) -> Made:
    """Rows of words alone: names, offices and towns, many alike, some named twice."""
    draw = random.Random(seed)
    made = Made(f"people-{seed}-{pages}", _listed(guests=_schema({"name": TEXT, "firm": TEXT, "town": TEXT})))
    out = _Pages(made, pages, [(0, "Guest"), (30, "Firm"), (60, "Town")])
    towns = ("Bern", "Graz", "Lyon", "Porto", "Turku", "Gent", "Brno")
    number, last = 0, None
    while not out.full:
        cells = (f"{draw.choice(FIRST)} {draw.choice(LAST)}", draw.choice(NAMES), draw.choice(towns))
        cells = last if last is not None and draw.random() < 0.08 else cells
        last = cells
        out.line(*zip((0, 30, 60), cells, strict=True))
        for name, cell in zip(("name", "firm", "town"), cells, strict=True):
            made.say(("guests", number, name), cell, cell)
        number += 1
    return made


def tickets(seed: int, pages: int) -> Made:
    """Hundreds of rows that are equal but for a few: what is counted is how many."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    made = Made(
        f"tickets-{seed}-{pages}", _listed(tickets=_schema({"zone": TEXT, "price": NUMBER})), checks=True
    )
    out = _Pages(made, pages, [(0, "Zone"), (40, "Price")])
    number = total = 0
    while not out.full:
        zone, cents = draw.choice(
            (("Zone A", 250), ("Zone A", 250), ("Zone A", 250), ("Zone B", 320), ("Night", 470))
        )
        total += cents
        out.line((0, zone), (40, style.money(cents)))
        made.say(("tickets", number, "zone"), zone, zone)
        made.say(("tickets", number, "price"), cents / 100, style.money(cents))
        number += 1
    out.line((0, "Total"), (40, style.money(total)))
    return made


def accounts(seed: int, pages: int) -> Made:
    """Accounts in turn, newest payment first, with a running balance each; equal rows stand in several accounts."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    row = {"date": _DATE, "text": TEXT, "amount": NUMBER, "balance": NUMBER}
    made = Made(f"accounts-{seed}-{pages}", _schema({"accounts": {"type": "array", "items": _schema({
        "iban": TEXT, "currency": TEXT, "payments": {"type": "array", "items": _schema(row)},
    })}}), checks=False)  # fmt: skip
    out = _Pages(made, pages, [(0, "Date"), (14, "Text"), (56, "Amount"), (74, "Balance")])
    number = 0
    while not out.full:
        iban, currency = (
            f"DE{draw.randrange(10, 99)} {draw.randrange(1000, 9999)} {draw.randrange(1000, 9999)}",
            draw.choice(("EUR", "USD", "CHF")),
        )
        out.line()
        out.line((0, f"Account {iban}"), (40, currency))
        made.say(("accounts", number, "iban"), iban, iban)
        made.say(("accounts", number, "currency"), currency, currency)
        balance, day = draw.randrange(10_000_000, 90_000_000), (2025, draw.randrange(1, 12), 28)
        rows = draw.choice((1, 3, 8, 30, 120))
        for place in range(rows):
            if draw.random() < 0.4 and day[2] > 1:
                day = (day[0], day[1], day[2] - 1)
            text, amount = (
                f"{draw.choice(KINDS)} {draw.choice(NAMES)}",
                draw.choice((-1000, 2500, draw.randrange(-90_000, 90_000) or 5)),
            )
            out.line((0, style.day(day)), (14, text), (56, style.money(amount)), (74, style.money(balance)))
            path: Path = ("accounts", number, "payments", place)
            made.say((*path, "date"), _iso(day), style.day(day))
            made.say((*path, "text"), text, text)
            made.say((*path, "amount"), amount / 100, style.money(amount))
            made.say((*path, "balance"), balance / 100, style.money(balance))
            balance -= amount
        number += 1
    return made


def deep(seed: int, pages: int) -> Made:
    """Three levels: sites with their machines, and what was done at each."""
    draw = random.Random(seed)
    job = _schema({"date": _DATE, "work": TEXT, "hours": NUMBER})
    machine = _schema({"machine": TEXT, "jobs": {"type": "array", "items": job}})
    made = Made(
        f"deep-{seed}-{pages}",
        _listed(sites=_schema({"site": TEXT, "machines": {"type": "array", "items": machine}})),
    )
    style = STYLES[seed % len(STYLES)]
    out = _Pages(made, pages)
    site, day = 0, (2024, 1, 3)
    while not out.full:
        name = f"{draw.choice(LAST)} works {draw.randrange(100, 999)}"
        out.line()
        out.line((0, f"Site: {name}"))
        made.say(("sites", site, "site"), name, name)
        for place in range(draw.randrange(1, 6)):
            tag = f"M-{draw.randrange(1000, 9999)}"
            out.line((3, f"Machine {tag}"))
            made.say(("sites", site, "machines", place, "machine"), tag, tag)
            for number in range(draw.randrange(1, 20)):
                day = _next(day, draw)
                work, hours = (
                    draw.choice(("Oil changed", "Belt set", "Checked", "Cleaned", "Bearing renewed")),
                    draw.randrange(25, 900, 25),
                )
                out.line((6, style.day(day)), (22, work), (60, style.money(hours)))
                path: Path = ("sites", site, "machines", place, "jobs", number)
                made.say((*path, "date"), _iso(day), style.day(day))
                made.say((*path, "work"), work, work)
                made.say((*path, "hours"), hours / 100, style.money(hours))
        site += 1
    return made


def readings(seed: int, pages: int) -> Made:
    """Rows of small numbers alone, of which many say the same."""
    draw = random.Random(seed)
    row = {"hour": TEXT, "inflow": INTEGER, "outflow": INTEGER, "level": INTEGER}
    made = Made(f"readings-{seed}-{pages}", _listed(readings=_schema(row)))
    out = _Pages(made, pages, [(0, "Hour"), (20, "Inflow"), (40, "Outflow"), (60, "Level")])
    number = 0
    while not out.full:
        hour = f"{number % 24:02d}:00"
        cells = [draw.randrange(0, 12), draw.randrange(0, 12), draw.randrange(20, 40)]
        out.line((0, hour), *((20 * place, str(cell)) for place, cell in enumerate(cells, 1)))
        made.say(("readings", number, "hour"), hour, hour)
        for name, cell in zip(("inflow", "outflow", "level"), cells, strict=True):
            made.say(("readings", number, name), cell, str(cell))
        number += 1
    return made


HEBREW = ("העברה", "תשלום", "משכורת", "שכר דירה", "חשמל", "מים", "ארנונה", "קניות", "דלק", "ביטוח")


def hebrew(seed: int, pages: int) -> Made:
    """A statement that is read from right to left."""
    draw = random.Random(seed)
    row = {"date": _DATE, "text": TEXT, "amount": NUMBER, "balance": NUMBER}
    made = Made(f"hebrew-{seed}-{pages}", _listed(movements=_schema(row)), checks=True)
    out = _Pages(made, pages, [(0, "יתרה"), (20, "סכום"), (40, "תיאור"), (70, "תאריך")])
    number, balance, day = 0, 900_000, (2025, 1, 3)
    while not out.full:
        day = _next(day, draw)
        text, amount = f"{draw.choice(HEBREW)} {draw.choice(HEBREW)}", draw.randrange(-50_000, 60_000) or 3
        balance += amount
        out.line(
            (0, f"{balance / 100:,.2f}"),
            (20, f"{amount / 100:,.2f}"),
            (40, text),
            (70, f"{day[2]:02d}/{day[1]:02d}/{day[0]}"),
        )
        path: Path = ("movements", number)
        made.say((*path, "balance"), balance / 100, f"{balance / 100:,.2f}")
        made.say((*path, "amount"), amount / 100, f"{amount / 100:,.2f}")
        made.say((*path, "text"), text, text)
        made.say((*path, "date"), _iso(day), f"{day[2]:02d}/{day[1]:02d}/{day[0]}")
        number += 1
    return made


def html(made: Made) -> bytes:
    """As a page of HTML: lines of several cells are rows of tables, others paragraphs."""
    out, table = ["<html><body>"], False
    for cells in (cells for page in made.pages for cells in page if cells):
        if (len(cells) > 1) != table:
            out.append("</table>" if table else "<table>")
            table = not table
        out.append(
            "<tr>" + "".join(f"<td>{escape(text)}</td>" for _, text in cells) + "</tr>"
            if table
            else f"<p>{escape(cells[0][1])}</p>"
        )
    return "\n".join([*out, "</table>" if table else "", "</body></html>"]).encode()


def records(seed: int, pages: int) -> Made:
    """Records of a line for each member, under one another; many say the same."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    row = {"part": TEXT, "state": TEXT, "count": INTEGER, "price": NUMBER}
    made = Made(f"records-{seed}-{pages}", _listed(parts=_schema(row)))
    out = _Pages(made, pages)
    number = 0
    while not out.full:
        part, state, count, cents = (
            draw.choice(NAMES),
            draw.choice(("new", "used")),
            draw.randrange(1, 9),
            draw.randrange(100, 90_000),
        )
        path: Path = ("parts", number)
        out.line()
        out.line((0, f"Part: {part}"))
        out.line((0, f"State: {state}"))
        out.line((0, f"Count: {count}"))
        out.line((0, f"Price: {style.money(cents)}"))
        made.say((*path, "part"), part, f"Part: {part}")
        made.say((*path, "state"), state, f"State: {state}")
        made.say((*path, "count"), count, f"Count: {count}")
        made.say((*path, "price"), cents / 100, f"Price: {style.money(cents)}")
        number += 1
    return made


def log(seed: int, pages: int) -> Made:
    """Lines of a log: times, levels and texts of which most come again and again."""
    draw = random.Random(seed)
    made = Made(f"log-{seed}-{pages}", _listed(events=_schema({"time": TEXT, "level": TEXT, "text": TEXT})))
    clock = 36_000
    for number in range(46 * pages):
        clock += draw.choice((0, 0, 1, 7))
        time = f"{clock // 3600 % 24:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}"
        level, text = (
            draw.choice(("INFO", "INFO", "WARN")),
            f"{draw.choice(('opened', 'closed', 'retried'))} {draw.choice(('gate', 'door', 'pump'))} {draw.randrange(1, 4)}",
        )
        made.line((0, f"{time} {level} {text}"))
        for name, value in (("time", time), ("level", level), ("text", text)):
            made.say(("events", number, name), value, value)
    return made


def minutes(seed: int, pages: int) -> Made:
    """Minutes: items with a title and what was decided under each, in marked paragraphs of some lines."""
    draw = random.Random(seed)
    item = _schema({"title": TEXT, "decisions": {"type": "array", "items": TEXT}})
    made = Made(f"minutes-{seed}-{pages}", _listed(items=item))
    out = _Pages(made, pages)
    number = 0
    while not out.full:
        title = f"{draw.choice(NAMES)} {draw.choice(LAST)} {draw.randrange(100, 999)}"
        out.line()
        out.line((0, f"{number + 1}. {title}"))
        made.say(("items", number, "title"), title, title)
        for place in range(draw.randrange(1, 7)):
            lines = _wrapped(_prose(draw, draw.randrange(6, 60)) + ".", 80)
            for at, line in enumerate(lines):
                out.line((3 if at == 0 else 5, f"- {line}" if at == 0 else line))
            made.say(("items", number, "decisions", place), " ".join(lines), *lines)
        number += 1
    return made


def schedules(seed: int, pages: int) -> Made:
    """Lists one after another, each with a title and columns of its own; names come in several of them."""
    draw = random.Random(seed)
    style = STYLES[seed % len(STYLES)]
    made = Made(f"schedules-{seed}-{pages}", _listed(
        lenders=_schema({"lender": TEXT, "commitment": NUMBER}), payments=_schema({"date": _DATE, "amount": NUMBER}),
        notices=_schema({"party": TEXT, "address": TEXT, "phone": TEXT})), checks=True)  # fmt: skip
    out = _Pages(made, pages)
    third, total = max(pages // 3, 1), 0

    def title(text: str, *head: Cell) -> None:
        out.line()
        out.line((0, text))
        out.line()
        out.line(*head)

    title("Schedule 1: Commitments", (0, "Lender"), (60, "Commitment"))
    number = 0
    while len(made.pages) <= third:
        lender, cents = f"{draw.choice(NAMES)} {draw.choice(LAST)}", 100 * draw.randrange(1000, 90_000)
        total += cents
        out.line((0, lender), (60, style.money(cents)))
        made.say(("lenders", number, "lender"), lender, lender)
        made.say(("lenders", number, "commitment"), cents / 100, style.money(cents))
        number += 1
    out.line((0, "Total"), (60, style.money(total)))
    title("Schedule 2: Payments", (0, "Date"), (30, "Amount"))
    number, day = 0, (2020, 1, 15)
    while len(made.pages) <= 2 * third:
        day = (day[0] + day[1] // 12, day[1] % 12 + 1, 15)
        cents = draw.choice((125_000, 250_000))
        out.line((0, style.day(day)), (30, style.money(cents)))
        made.say(("payments", number, "date"), _iso(day), style.day(day))
        made.say(("payments", number, "amount"), cents / 100, style.money(cents))
        number += 1
    title("Schedule 3: Notices", (0, "Party"), (60, "Telephone"))
    number = 0
    while not out.full:
        party, street, phone = (
            f"{draw.choice(NAMES)} {draw.choice(LAST)}",
            f"{draw.randrange(1, 99)} {draw.choice(LAST)} Street",
            f"555-{draw.randrange(1000, 9999)}",
        )
        out.line((0, party), (60, phone))
        out.line((0, street))
        made.say(("notices", number, "party"), party, party)
        made.say(("notices", number, "phone"), phone, phone)
        made.say(("notices", number, "address"), street, street)
        number += 1
    return made


def docx(made: Made) -> bytes:
    """As a text document: lines of several cells are rows of tables, others paragraphs."""
    out, table = [], False
    for cells in (cells for page in made.pages for cells in page if cells):
        if (len(cells) > 1) != table:
            out.append("</w:tbl>" if table else "<w:tbl>")
            table = not table
        paragraphs = [make.paragraph(escape(text)) for _, text in cells]
        out.append(
            "<w:tr>" + "".join(f"<w:tc>{one}</w:tc>" for one in paragraphs) + "</w:tr>"
            if table
            else paragraphs[0]
        )
    return make.docx("".join([*out, "</w:tbl>" if table else ""]))
