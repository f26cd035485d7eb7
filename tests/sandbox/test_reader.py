"""The default reader: general rules over labels, tables, blocks and values, and always a legal value."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.sandbox.reader import RuleReader
from service.sandbox.reader.dates import find_dates, find_times, iso_date
from service.sandbox.reader.kinds import pick_enum
from service.sandbox.reader.legal import Resolver, passes, smallest, valid
from service.sandbox.reader.ocr import layout
from service.sandbox.reader.places import parse_address
from service.sandbox.reader.values import clean_id, find_currency, parse_number, valid_iban
from service.sandbox.reader.words import canonical, name_words

TEXT: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
DATE: dict[str, Any] = {"type": ["string", "null"], "format": "date"}


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def read(text: str, title: str = "", **properties: Any) -> dict[str, Any]:
    schema = {**closed(**properties), "title": title}
    value = RuleReader().read(text, [], schema)
    assert valid(schema, value)
    assert isinstance(value, dict)
    return value


LABELS = [
    ("Invoice number: A-17", "invoice_number", TEXT, "A-17"),
    ("Rechnungsnummer: RE-2024-1", "invoiceNumber", TEXT, "RE-2024-1"),
    ("Rechnungs-Nr.   4711", "invoice_no", TEXT, "4711"),
    ("N° de facture : F-9", "invoice_number", TEXT, "F-9"),
    ("Número de factura: 2024/15", "invoice_number", TEXT, "2024/15"),
    ("Numero fattura  77-B", "invoice_number", TEXT, "77-B"),
    ("Numer faktury: FV/12/2024", "invoice_number", TEXT, "FV/12/2024"),
    ("Factuurnummer: 993548900", "invoice_number", TEXT, "993548900"),
    ("Invoice Date\n12 March 2024", "issue_date", DATE, "2024-03-12"),
    ("Fällig am: 26.03.2024", "due_date", DATE, "2024-03-26"),
    ("Date d'échéance : 5 avril 2024", "due_date", DATE, "2024-04-05"),
    ("Fecha de vencimiento: 05/04/2024", "dueDate", DATE, "2024-04-05"),
    ("Gesamtbetrag:   1.280,50 EUR", "total", NUMBER, 1280.5),
    ("Total TTC : 1 280,50 €", "total_amount", NUMBER, 1280.5),
    ("Totaal   € 717,97", "total", NUMBER, 717.97),
    ("Zwischensumme   275,00 €", "subtotal", NUMBER, 275),
    ("Net amount: 100.00\nVAT 20%: 20.00\nTotal: 120.00", "tax_amount", NUMBER, 20),
    ("Commercial invoice (380)   No.  471102  of  05.03.2018", "invoice_number", TEXT, "471102"),
    ("Rechnung Nr. 12 vom 05.03.2018", "invoice_date", DATE, "2018-03-05"),
    ("Ihre Bestellung / Your PO    HR-45", "purchase_order_number", TEXT, "HR-45"),
    ("| Order number | PO-88 |\n| Date | 2024-01-02 |", "order_number", TEXT, "PO-88"),
    ("**Order number:** PO-88", "order_number", TEXT, "PO-88"),
]


@pytest.mark.parametrize(("text", "name", "schema", "expected"), LABELS)
def test_labels_in_many_languages(text: str, name: str, schema: dict[str, Any], expected: Any) -> None:
    """A property finds its label by canonical words, whatever the language and the layout."""
    assert read(text, "Invoice", **{name: schema})[name] == expected


def test_a_label_of_something_else_is_not_taken() -> None:
    """The order date is no due date, a tax number no tax, a register number no invoice number."""
    text = "Order date: 2024-01-01\nTax number: 201/113/40209\nHandelsregisternummer: HRB 99"
    found = read(text, "Invoice", due_date=DATE, tax_amount=NUMBER, invoice_number=TEXT)
    assert found == {"due_date": None, "tax_amount": None, "invoice_number": None}


INVOICE = """ACME Tools GmbH
Hauptstraße 5
10115 Berlin
USt-IdNr.: DE123456789

Rechnung an:
Muster AG
Frau Eva Beispiel
Seestr. 12
80331 München

Pos   Beschreibung             Menge    Einzelpreis    Betrag
1     Bohrmaschine X200        2        120,00 €       240,00 €
      mit Koffer
2     Bits Set                 10       3,50 €         35,00 €
Zwischensumme                                  275,00 €
MwSt. 19 %                                      52,25 €
Gesamtbetrag                                   327,25 €
"""
PARTY = closed(name=TEXT, contact=TEXT, street=TEXT, postal_code=TEXT, city=TEXT, vat_id=TEXT)


def test_parties_come_from_their_blocks() -> None:
    """The issuer's block is the first, the buyer's the labelled one; data of one are not given to the other."""
    found = read(INVOICE, "Invoice", seller=PARTY, buyer=PARTY)
    assert found["seller"]["name"] == "ACME Tools GmbH"
    assert found["seller"]["vat_id"] == "DE123456789"
    assert found["buyer"] == {
        "name": "Muster AG", "contact": "Eva Beispiel", "street": "Seestr. 12", "postal_code": "80331",
        "city": "München", "vat_id": None,
    }  # fmt: skip


def test_line_items_come_from_the_table() -> None:
    """Columns are matched by their headings, continuation lines joined, sums left out."""
    item = closed(
        position={"type": "integer"}, description={"type": "string"}, quantity={"type": "number"},
        unit_price={"type": "number"}, total={"type": "number"},
    )  # fmt: skip
    found = read(INVOICE, "Invoice", lines={"type": "array", "items": item})
    assert found["lines"] == [
        {
            "position": 1,
            "description": "Bohrmaschine X200 mit Koffer",
            "quantity": 2,
            "unit_price": 120,
            "total": 240,
        },
        {"position": 2, "description": "Bits Set", "quantity": 10, "unit_price": 3.5, "total": 35},
    ]


TABLES = [
    "Item,Qty,Price\nPen,2,1.50\nInk,1,7.25\n",
    "Item;Qty;Price\nPen;2;1,50\nInk;1;7,25\n",
    "Item\tQty\tPrice\nPen\t2\t1.50\nInk\t1\t7.25\n",
    "| Item | Qty | Price |\n|---|---:|---:|\n| Pen | 2 | 1.50 |\n| Ink | 1 | 7.25 |\n",
    "Item | Qty | Price\nPen | 2 | 1.50\nInk | 1 | 7.25\n",
    "Item          Qty     Price\n---------------------------\nPen             2      1.50\nInk             1      7.25\n",
]


@pytest.mark.parametrize("text", TABLES)
def test_tables_in_every_form(text: str) -> None:
    """Comma, semicolon, tab, Markdown, bars and aligned columns give the same rows."""
    item = closed(name={"type": "string"}, quantity={"type": "integer"}, price={"type": "number"})
    found = read(text, items={"type": "array", "items": item})
    assert found["items"] == [
        {"name": "Pen", "quantity": 2, "price": 1.5},
        {"name": "Ink", "quantity": 1, "price": 7.25},
    ]


def test_debit_and_credit_columns_give_signs() -> None:
    """Amounts without signs take theirs from the column that says debit or credit."""
    text = "Date;Text;Debit/Credit;Amount\n2024-01-02;Rent;Debit;100,00\n2024-01-03;Pay;Credit;200,00\n"
    item = closed(
        date={"type": "string", "format": "date"}, description={"type": "string"}, amount={"type": "number"}
    )
    found = read(text, transactions={"type": "array", "items": item})
    assert [row["amount"] for row in found["transactions"]] == [-100, 200]


def test_groups_inside_a_table_are_members_of_its_rows() -> None:
    """A lone cell above rows heads them."""
    text = (
        "Test              Result    Unit     Reference range\n"
        "Blood count\n"
        "Haemoglobin       148       g/L      130 - 175\n"
        "Chemistry\n"
        "Ferritin          24        µg/L     30 - 400\n"
    )
    item = closed(
        panel=TEXT, test={"type": "string"}, result=NUMBER, reference_low=NUMBER, reference_high=NUMBER
    )
    rows = read(text, results={"type": "array", "items": item})["results"]
    assert [(row["panel"], row["test"], row["reference_low"], row["reference_high"]) for row in rows] == [
        ("Blood count", "Haemoglobin", 130, 175),
        ("Chemistry", "Ferritin", 30, 400),
    ]


def test_receipts_list_priced_lines() -> None:
    """Lines that end in an amount are items, up to the first sum."""
    text = "CAFE\n 1 Soup           7.50\n 2 Tea            6.50\n     @ 3.25\nSubtotal        14.00\nTotal           14.00\n"
    item = closed(
        description={"type": "string"}, quantity=NUMBER, unit_price=NUMBER, amount={"type": "number"}
    )
    rows = read(text, "Receipt", items={"type": "array", "items": item})["items"]
    assert rows[1] == {"description": "Tea", "quantity": 2, "unit_price": 3.25, "amount": 6.5}
    assert len(rows) == 2


def test_sections_fill_lists_and_texts() -> None:
    """Headings name lists of strings, entries with dates, and paragraphs."""
    text = (
        "Jo Doe\nEngineer\n\nProfile\n\nTen years of bridges.\n\nExperience\n\n2019-03 – present  Bridge Ltd\nEngineer\n"
        "2015-01 – 2019-02  Road Inc\nPlanner\n\nSkills\n\n- Steel\n- Concrete\n\nLanguages\n\nEnglish, Dutch\n"
    )
    job = closed(company={"type": "string"}, title={"type": "string"}, start=TEXT, end=TEXT)
    job["properties"]["start"] = job["properties"]["end"] = {**TEXT, "description": "YYYY-MM"}
    found = read(
        text,
        "Resume",
        name={"type": "string"},
        summary=TEXT,
        experience={"type": "array", "items": job},
        skills={"type": "array", "items": {"type": "string"}},
        languages={"type": "array", "items": {"type": "string"}},
    )
    assert found["name"] == "Jo Doe"
    assert found["summary"] == "Ten years of bridges."
    assert found["experience"][0] == {
        "company": "Bridge Ltd",
        "title": "Engineer",
        "start": "2019-03",
        "end": None,
    }
    assert found["experience"][1]["end"] == "2019-02"
    assert found["skills"] == ["Steel", "Concrete"]
    assert found["languages"] == ["English", "Dutch"]


def test_mail_headers_are_read() -> None:
    """Sender, addresses, subject and time come from the header lines."""
    text = (
        "From: Jo Doe <jo@example.com>\nTo: A <a@example.com>, b@example.com\nSubject: Broken export\n"
        "Date: Thu, 12 Nov 2026 09:42:17 +0530\n\nIt does not work since yesterday and we need it.\n"
    )
    found = read(
        text,
        from_name=TEXT,
        from_email=TEXT,
        to={"type": "array", "items": {"type": "string"}},
        subject=TEXT,
        received_at={"type": "string", "format": "date-time"},
        language={"type": "string", "pattern": "^[a-z]{2}$"},
    )
    assert found == {
        "from_name": "Jo Doe", "from_email": "jo@example.com", "to": ["a@example.com", "b@example.com"],
        "subject": "Broken export", "received_at": "2026-11-12T09:42:17+05:30", "language": "en",
    }  # fmt: skip


def test_boxes_enums_and_booleans() -> None:
    """Ticked boxes choose; empty ones do not; letters stand for choices."""
    text = "Sex          [ ] female     [x] male\nSmoker       [ ] yes        [x] no\nPriority: HIGH\n"
    found = read(
        text,
        sex={"type": ["string", "null"], "enum": ["female", "male", None]},
        smoker={"type": ["boolean", "null"]},
        priority={"type": "string", "enum": ["low", "high", "other"]},
        category={"type": "string", "enum": ["bug", "other"]},
    )
    assert found == {"sex": "male", "smoker": False, "priority": "high", "category": "other"}
    assert pick_enum(["normal", "high", "low"], "H") == "high"


def test_what_shows_itself_needs_no_label() -> None:
    """Currencies, IBANs with right check digits, addresses of mail and web, and ranges of dates."""
    text = "01.07.2025 – 25.07.2025\n12,50 € and 7,00 €\nDE89 3704 0044 0532 0130 00\ninfo@example.com www.example.com\n"
    found = read(text, currency=TEXT, iban=TEXT, email=TEXT, website=TEXT, period_start=DATE, period_end=DATE)
    assert found == {
        "currency": "EUR", "iban": "DE89370400440532013000", "email": "info@example.com",
        "website": "www.example.com", "period_start": "2025-07-01", "period_end": "2025-07-25",
    }  # fmt: skip


def test_maps_recursion_and_unions_end() -> None:
    """Maps as entries, recursive references and unions give legal values in bounded time."""
    node: dict[str, Any] = closed(name=TEXT, children={"type": "array", "items": {"$ref": "#/$defs/node"}})
    entry = closed(key={"type": "string"}, value={"type": ["string", "null"]})
    schema = {
        **closed(
            tree={"$ref": "#/$defs/node"},
            rows={"type": "array", "items": {"type": "array", "items": entry}},
            either={
                "anyOf": [
                    closed(kind={"type": "string", "const": "a"}, iban={"type": "string"}),
                    {"type": "null"},
                ]
            },
        ),
        "$defs": {"node": node},
    }
    value = RuleReader().read("Team,City,Cups\nBlues,STL,1\nFlyers,PHI,2\n", [], schema)
    assert valid(schema, value)
    assert value["rows"][0] == [
        {"key": "Team", "value": "Blues"},
        {"key": "City", "value": "STL"},
        {"key": "Cups", "value": "1"},
    ]


SCHEMA_STRATEGY = st.deferred(
    lambda: st.one_of(
        st.sampled_from(
            [
                {"type": "string"}, {"type": ["string", "null"]}, {"type": "string", "format": "date"},
                {"type": "string", "pattern": "^[A-Z]{3}$"}, {"type": "string", "pattern": "^[0-9]{4}-[a-z]+$"},
                {"type": "integer", "minimum": 3}, {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                {"type": "boolean"}, {"type": "string", "enum": ["a", "b"]}, {"type": "string", "minLength": 3},
                {"type": "integer", "multipleOf": 7, "minimum": 1}, {"type": "string", "format": "email"},
                {"type": "null"}, {"type": "string", "const": "x"}, {"type": "string", "format": "uuid"},
            ]
        ),
        st.builds(lambda item, n: {"type": "array", "items": item, "minItems": n}, SCHEMA_STRATEGY, st.integers(0, 2)),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(SCHEMA_STRATEGY, min_size=1, max_size=3)),
        st.builds(
            lambda members: closed(**members),
            st.dictionaries(st.sampled_from(["total", "date", "name", "items", "id", "seller"]), SCHEMA_STRATEGY, max_size=4),
        ),
    )
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    schema=SCHEMA_STRATEGY,
    text=st.sampled_from([INVOICE, "", "Total: 5\nDate: 2024-01-02\nName: x", *TABLES]),
)
def test_the_value_is_always_legal(schema: dict[str, Any], text: str) -> None:
    """Whatever the schema of the supported subset, the reader's value validates."""
    whole = closed(value=schema)
    assert valid(whole, RuleReader().read(text, [], whole))


KEYWORDS = st.sampled_from(
    ["type", "properties", "required", "items", "anyOf", "oneOf", "allOf", "enum", "const", "$ref", "$defs", "format",
     "pattern", "minItems", "maxItems", "description", "title", "additionalProperties", "minimum", "minLength"]
)  # fmt: skip
JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.sampled_from(["string", "object", "array", "#", "#/a", "[", ""]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYWORDS, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=st.dictionaries(KEYWORDS, JUNK, max_size=5))
def test_odd_schemas_do_not_raise(value: dict[str, Any]) -> None:
    """A schema that is no schema at all still ends in some value."""
    RuleReader().read(
        INVOICE, [], {"type": "object", "properties": {"total": value, "lines": value}, **value}
    )


HOSTILE = {
    "one long line": "a" * 300_000,
    "long digits": "1" * 300_000,
    "labels": "Total: " * 40_000,
    "spaces": " " * 300_000 + "x",
    "bars": "|" * 300_000,
    "dates": "01.02.2024 " * 25_000,
    "dots": "." * 300_000,
    "commas": "1,234,567," * 30_000,
    "mails": "a@" * 150_000,
    "rows": "Pos  Description  Amount\n" + "1  x  2.00\n" * 20_000,
    "colons": ":" * 200_000,
    "dashes": "- " * 150_000,
    "capitals": "ABC DEF GHI\n" * 25_000,
    "priced": ("x " * 90 + "\n") * 1_600,
    "streets": "Street 1, 12345 City\n" * 14_000,
}


@pytest.mark.no_cover  # a bound on time: counting lines would triple it
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_end_soon(name: str) -> None:
    """Texts of 300 KB made to hurt regexes are read in seconds."""
    item = closed(description={"type": "string"}, amount=NUMBER, date=DATE)
    started = time.process_time()
    read(
        HOSTILE[name], "Invoice", total=NUMBER, issue_date=DATE, iban=TEXT, seller=PARTY, buyer=PARTY, email=TEXT,
        phone=TEXT, summary=TEXT, lines={"type": "array", "items": item},
    )  # fmt: skip
    assert time.process_time() - started < 20


DATES = [
    ("2024-03-05", "2024-03-05"), ("05.03.2024", "2024-03-05"), ("5. März 2024", "2024-03-05"),
    ("March 5th, 2024", "2024-03-05"), ("5 de marzo de 2024", "2024-03-05"), ("05-Mar-24", "2024-03-05"),
    ("2024年3月5日", "2024-03-05"), ("20240305", "2024-03-05"), ("5 mars 2024", "2024-03-05"),
    ("31.02.2024", None), ("August 3 , 2014", "2014-08-03"), ("17 stycznia 2024", "2024-01-17"), ("19 april 2014", "2014-04-19"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_dates_become_iso(text: str, expected: str | None) -> None:
    """Printed dates of many languages become ISO dates; impossible ones are none."""
    assert iso_date(text) == expected


def test_american_dates_are_told_by_the_page() -> None:
    """03/04/2024 is read as the other dates of the page demand."""
    assert read("Date: 03/04/2024\nPaid 12/25/2024 $5.00", "Receipt", date=DATE)["date"] == "2024-03-04"
    assert read("Date: 03/04/2024\nPaid 25/12/2024", "Receipt", date=DATE)["date"] == "2024-04-03"


def test_times_and_ranges() -> None:
    """Clock times in both fashions, and both ends of ranges."""
    assert list(find_times("3:30-5:00 PM")) == ["15:30", "17:00"]
    assert list(find_times("at 9 a.m. or 14.30 Uhr or noon")) == ["09:00", "14:30", "12:00"]
    assert [day.iso for day in find_dates("14-15 January 2027")] == ["2027-01-14", "2027-01-15"]


NUMBERS = [
    ("1.280,50 EUR", 1280.5), ("$1,280.50", 1280.5), ("1 280,50 €", 1280.5), ("1'280.50 CHF", 1280.5), ("(45.00)", -45.0),
    ("-7,25", -7.25), ("120,-", 120.0), ("12,5 %", 12.5), ("abc", None), ("100.00 DR", -100.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_amounts_become_numbers(text: str, expected: float | None) -> None:
    """Decimal commas and points, thousands marks, signs and brackets."""
    assert parse_number(text) == expected


ADDRESSES = [
    (("Seestr. 12", "80331 München", "Deutschland"), ("Seestr. 12", "80331", "München", None, "DE")),
    (("418 Harbor St", "Portland, ME 04101"), ("418 Harbor St", "04101", "Portland", "ME", None)),
    (("1147 Speers Rd", "Oakville, ON L6L 2X5", "Canada"), ("1147 Speers Rd", "L6L 2X5", "Oakville", "ON", "CA")),
    (("3 Harbour Lane", "Whitby", "North Yorkshire", "YO22 4PU"),
     ("3 Harbour Lane", "YO22 4PU", "Whitby", "North Yorkshire", None)),
    (("Weena 664", "3012 CN Rotterdam", "Nederland"), ("Weena 664", "3012 CN", "Rotterdam", None, "NL")),
    (("Rua do Cais 48, 1100-120 Lisboa",), ("Rua do Cais 48", "1100-120", "Lisboa", None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), ADDRESSES)
def test_addresses_have_their_parts(lines: tuple[str, ...], expected: tuple[str | None, ...]) -> None:
    """Street, postcode, city, region and country in the forms of several countries."""
    found = parse_address(lines)
    assert (found.street, found.postcode, found.city, found.region, found.country) == expected


def test_words_are_canonical() -> None:
    """Names, labels and compounds come down to the same words."""
    assert set(name_words("invoiceNumber")) == set(canonical("Rechnungsnummer")) == {"invoice", "number"}
    assert canonical("Handelsregisternummer") == ("handelsregister", "number")
    assert canonical("Date d'échéance")[0] == "date"


def test_small_things() -> None:
    """Identifiers, IBANs, currencies, and lines of recognised words."""
    assert clean_id("Nr. 471102 vom 05.03.2018") == "471102"
    assert clean_id("no digits here") is None
    assert valid_iban("DE89 3704 0044 0532 0130 00") == "DE89370400440532013000"
    assert valid_iban("DE00 3704 0044 0532 0130 00") is None
    assert find_currency("£5 and £6 and $1") == "GBP"
    words = [(50.0, 10.0, 20.0, "right"), (0.0, 11.0, 21.0, "left"), (0.0, 40.0, 50.0, "below")]
    assert layout(words) == "left   right\nbelow"


def test_least_values_are_legal() -> None:
    """The smallest value of a schema satisfies pattern, format, bounds and lengths."""
    for schema in (
        {"type": "string", "pattern": "^INV-[0-9]{4}(-[A-Z])?$"}, {"type": "string", "format": "date-time"},
        {"type": "number", "exclusiveMinimum": 2.5, "exclusiveMaximum": 2.6}, {"type": "integer", "maximum": -3},
        {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2}, {"enum": ["b", "c"]},
        {"type": "string", "minLength": 4}, {"allOf": [{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}]},
    ):  # fmt: skip
        assert valid(schema, smallest(Resolver(schema), schema)), schema
    assert not passes({"type": "string", "pattern": "^a$"}, "b")


def test_a_table_runs_over_pages() -> None:
    """Headings printed again on the next page continue the table; page heads and balances are no rows."""
    head = "Statement                                        Page {}\n\nDate          Text              Amount      Balance\n"
    text = (
        "[page 1]\n" + head.format(1) + "              Opening balance                100.00\n"
        "2025-07-03    Rent              -22.00       78.00\n2025-07-04    Pay                10.00       88.00\n"
        "              Carried forward                 88.00\n[page 2]\n" + head.format(2) +
        "2025-07-05    Shop               -8.00       80.00\n2025-07-06    Shop               -1.00       79.00\n"
    )  # fmt: skip
    item = closed(
        date={"type": "string", "format": "date"}, description={"type": "string"}, amount={"type": "number"}
    )
    rows = read(text, "Statement", transactions={"type": "array", "items": item})["transactions"]
    assert [row["amount"] for row in rows] == [-22, 10, -8, -1]


def test_taxes_are_listed_by_rate() -> None:
    """Lines of the totals that name a tax become entries with rate and amount."""
    item = closed(name={"type": "string"}, rate=NUMBER, amount={"type": "number"})
    text = "Subtotal        100.00\nVAT 20 %         20.00\nTotal           120.00\n"
    assert read(text, "Invoice", taxes={"type": "array", "items": item})["taxes"] == [
        {"name": "VAT", "rate": 20, "amount": 20}
    ]


def test_terms_in_running_text() -> None:
    """Dates after `takes effect on`, counted days of notice, and the governing law are read from sentences."""
    text = (
        "This Agreement takes effect on 1 January 2027. Either party gives at least ninety (90) days' written notice.\n"
        "This Agreement is governed by the laws of Ireland.\n"
    )
    found = read(text, effective_date=DATE, notice_days={"type": ["integer", "null"]}, governing_law=TEXT)
    assert found == {"effective_date": "2027-01-01", "notice_days": 90, "governing_law": "Ireland"}


def test_contract_parties_and_signatures() -> None:
    """Parties come from the sentence that defines them; labels printed twice make two entries."""
    text = (
        "Service Agreement\n\nThis Agreement is made between\n"
        "(1) North Ltd, registered under company number 990417, whose registered office is at 1 Quay, Galway (the\n"
        '"Client"), and (2) South Ltd, whose office is at 2 Row, Cork (the "Service Provider").\n\n'
        "Name: Jo Doe                  Name: Al Roe\nTitle: Director               Title: Owner\n"
        "Date: 20 November 2026        Date: 23 November 2026\n"
    )
    party = closed(
        name={"type": "string"}, role={"type": "string", "enum": ["customer", "supplier", "other"]}, address=TEXT,
        registration_number=TEXT,
    )  # fmt: skip
    signature = closed(name={"type": "string"}, title=TEXT, date=DATE)
    found = read(
        text, parties={"type": "array", "items": party},
        signatures={"type": "array", "items": signature},
    )  # fmt: skip
    assert found["parties"] == [
        {
            "name": "North Ltd",
            "role": "customer",
            "address": "1 Quay, Galway",
            "registration_number": "990417",
        },
        {"name": "South Ltd", "role": "supplier", "address": "2 Row, Cork", "registration_number": None},
    ]
    assert [(row["name"], row["date"]) for row in found["signatures"]] == [
        ("Jo Doe", "2026-11-20"),
        ("Al Roe", "2026-11-23"),
    ]
