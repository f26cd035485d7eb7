"""Merging what parts say: by place, never by value."""

from typing import Any

import pytest

from service.documents import Document, Page
from service.extraction.segments.completeness import doubts, gaps
from service.extraction.segments.lines import Lines
from service.extraction.segments.merge import Merged, Piece, merge
from service.extraction.segments.places import Shown
from service.extraction.segments.relaxed import complete, filled, relaxed, without_lists
from service.extraction.segments.words import words_in, words_of

ROW = {
    "type": "object",
    "properties": {"day": {"type": "string"}, "what": {"type": "string"}, "sum": {"type": "number"}},
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "rows": {"type": "array", "items": ROW},
        "rates": {"type": "object", "additionalProperties": {"type": "number"}},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
    "required": ["title", "rows"],
}


def lines_of(*texts: str) -> Lines:
    return Lines.of(Document("sha256:0", "text/plain", None, 1, (Page(1, "\n".join(texts)),)))


def merged(lines: Lines, *parts: tuple[int, int, int, int, Any], schema: Any = SCHEMA) -> Merged:
    """Parts as (first shown, first own, last own, last shown, data)."""
    pieces = [
        Piece(data, Shown([(n, lines.all[n].text) for n in range(low, high)], range(first, last)))
        for low, first, last, high, data in parts
    ]
    return merge(pieces, schema, lines)


def row(day: str, what: str, cents: int) -> dict[str, Any]:
    return {"day": day, "what": what, "sum": cents / 100}


COFFEE = row("2025-03-01", "coffee", 350)
LINES = lines_of(
    "Ledger of Ada",
    "01.03.2025 coffee 3,50",
    "01.03.2025 coffee 3,50",
    "02.03.2025 tea 2,10",
    "03.03.2025 cake 4,00",
)
TEA, CAKE = row("2025-03-02", "tea", 210), row("2025-03-03", "cake", 400)


def test_the_merge_says_which_part_said_what() -> None:
    """Scalars that won, rows of one part, rows of which each part says some, and items of which equal ones were left out."""
    lines = lines_of("Ledger of Ada", "01.03.2025 coffee", "3,50", "02.03.2025 tea 2,10", "red", "blue")
    schema = {
        **SCHEMA,
        "properties": {
            **SCHEMA["properties"],
            "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        },
    }
    first = {
        "title": "Ledger of Ada",
        "rows": [{"day": "2025-03-01", "what": "coffee"}],
        "tags": ["red", "red"],
    }
    second = {"title": "Ledger", "rows": [{"sum": 3.5}, TEA], "tags": ["blue"]}
    both = merged(lines, (0, 0, 2, 2, first), (2, 2, 6, 6, second), schema=schema)
    assert both.data["rows"] == [COFFEE, TEA]
    assert both.data["tags"] == ["red", "blue"]
    assert both.sources == {
        "/title": (0, "/title"),
        "/rows/0/day": (0, "/rows/0/day"), "/rows/0/what": (0, "/rows/0/what"), "/rows/0/sum": (1, "/rows/0/sum"),
        "/rows/1": (1, "/rows/1"), "/tags/0": (0, "/tags/0"), "/tags/1": (1, "/tags/0"),
    }  # fmt: skip


def test_two_equal_rows_are_two_rows() -> None:
    """Equal rows in different places stay, on both sides of a border."""
    found = merged(
        LINES, (0, 0, 2, 2, {"title": "Ada", "rows": [COFFEE]}), (2, 2, 5, 5, {"rows": [COFFEE, TEA, CAKE]})
    )
    assert found.data == {"title": "Ada", "rows": [COFFEE, COFFEE, TEA, CAKE]}


def test_a_row_that_both_parts_report_is_one_row() -> None:
    """What stands in lines that both were shown is taken once, whoever reports it, also among equal rows."""
    found = merged(
        LINES,
        (0, 0, 2, 4, {"rows": [COFFEE, COFFEE, TEA]}),
        (1, 2, 5, 5, {"rows": [COFFEE, COFFEE, TEA, CAKE]}),
    )
    assert found.data["rows"] == [COFFEE, COFFEE, TEA, CAKE]


def test_a_cut_row_is_completed_from_the_part_that_shows_it_whole() -> None:
    """Half a row in one part and the whole of it in the other are one whole row."""
    lines = lines_of("01.03.2025 coffee", "    to go 3,50", "02.03.2025 tea 2,10")
    whole = row("2025-03-01", "coffee to go", 350)
    found = merged(
        lines,
        (0, 0, 1, 2, {"rows": [whole]}),
        (1, 1, 3, 3, {"rows": [{"day": "", "what": "", "sum": 3.5}, TEA]}),
    )
    assert found.data["rows"] == [whole, TEA]


def test_halves_of_a_row_on_two_images_are_joined() -> None:
    """Without text to place rows in, the last and the first of two parts are one when each has what the other lacks."""
    lines = lines_of("", "")
    found = merged(
        lines,
        (0, 0, 1, 1, {"rows": [COFFEE, {"day": "2025-03-02", "what": "tea"}]}),
        (1, 1, 2, 2, {"rows": [{"sum": 2.1}, CAKE]}),
    )
    assert found.data["rows"] == [COFFEE, TEA, CAKE]
    apart = merged(lines, (0, 0, 1, 1, {"rows": [COFFEE, TEA]}), (1, 1, 2, 2, {"rows": [TEA, CAKE]}))
    assert apart.data["rows"] == [COFFEE, TEA, TEA, CAKE]


def test_groups_go_on_over_a_border() -> None:
    """The rest of a group, whose heading only the first part shows, joins it; a group with a heading of its own does not."""
    schema = {"type": "object", "properties": {"groups": {"type": "array", "items": {"type": "object", "properties": {
        "name": {"type": "string"}, "rows": {"type": "array", "items": ROW}}}}}}  # fmt: skip
    lines = lines_of(
        "Account Alpha", "01.03.2025 coffee 3,50", "02.03.2025 tea 2,10", "Account Beta", "03.03.2025 cake 4,00",
    )  # fmt: skip
    found = merged(
        lines,
        (0, 0, 2, 2, {"groups": [{"name": "Alpha", "rows": [COFFEE]}]}),
        (2, 2, 5, 5, {"groups": [{"rows": [TEA]}, {"name": "Beta", "rows": [CAKE]}]}),
        schema=schema,
    )
    assert found.data == {
        "groups": [{"name": "Alpha", "rows": [COFFEE, TEA]}, {"name": "Beta", "rows": [CAKE]}]
    }


def test_scalars_are_what_the_document_shows_and_conflicts_are_named() -> None:
    """A value that stands in the part that says it wins over one that stands nowhere; the other is a conflict."""
    found = merged(LINES, (0, 0, 2, 2, {"title": "Ledger of Ada"}), (2, 2, 5, 5, {"title": "Invented Name"}))
    assert found.data["title"] == "Ledger of Ada"
    assert [(one.pointer, one.pieces) for one in found.conflicts] == [("/title", (1,))]
    agreed = merged(
        LINES, (0, 0, 2, 2, {"title": "ledger of  ADA"}), (2, 2, 5, 5, {"title": "Ledger of Ada"})
    )
    assert agreed.conflicts == ()


def test_maps_and_sets_are_united() -> None:
    """Maps have the keys of all parts; a list of unique items has each once."""
    found = merged(
        LINES,
        (0, 0, 2, 2, {"rates": {"a": 1, "b": 2}, "tags": ["x", "y"]}),
        (2, 2, 5, 5, {"rates": {"b": 2, "c": 3}, "tags": ["y", "z"]}),
    )
    assert found.data["rates"] == {"a": 1, "b": 2, "c": 3}
    assert found.data["tags"] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1280.5, "1.280,50"), (1280.5, "1 280,50 €"), (-1280.5, "(1,280.50)"), (0.19, "19 %"), (1000, "1,000.00"),
        ("2025-03-01", "01.03.2025"), ("2025-03-01", "3/1/2025"), ("Straße", "STRASSE"), ("東京", "東京都"),
    ],
)  # fmt: skip
def test_values_are_found_however_they_are_printed(value: Any, printed: str) -> None:
    """Numbers by their significant digits, dates by their parts, words but for case, scripts without spaces by letters."""
    wanted, words = words_in(value), words_of(printed)
    assert sum(word in words for word in wanted) >= len(wanted) / 2


def test_the_relaxed_schema_requires_what_rows_hold_only() -> None:
    """Members of the whole document are optional, those of plain rows stay, and ``complete`` puts empty ones back."""
    row = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    schema = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "note": {"type": ["string", "null"]},
            "rows": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/row"}},
            "about": {
                "type": "object",
                "properties": {"rows": {"type": "array", "items": row}},
                "required": ["rows"],
            },
        },
        "required": ["title", "note", "rows", "about"],
        "$defs": {"row": row},
    }
    form = relaxed(schema)
    assert form["required"] == ["note"]
    assert form["$defs"]["row"]["required"] == ["a"]
    assert "minItems" not in form["properties"]["rows"]
    assert "required" not in form["properties"]["about"]
    assert "required" not in relaxed(schema, rows=True)["$defs"]["row"]
    row["properties"] = {"a": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}
    assert "required" not in relaxed(schema)["$defs"]["row"], "its tags may go on over a border"
    row["properties"] = {"a": {"type": "string"}}
    assert complete({"rows": [{"a": "x"}]}, schema) == {
        "note": None,
        "rows": [{"a": "x"}],
        "about": {"rows": []},
    }
    assert set(without_lists(schema)["properties"]) == {"title", "note", "about"}
    assert filled({"about": {"rows": []}}, {"title": "T", "about": {"x": 1}}) == {
        "about": {"rows": [], "x": 1},
        "title": "T",
    }


def statement(count: int) -> tuple[Lines, list[dict[str, Any]]]:
    """Bookings with a running balance, its total and their number."""
    texts, rows, balance = ["Date         What           Sum     Balance"], [], 1000
    for n in range(count):
        cents = (n * 37) % 500 + 1
        balance += cents
        what = f"item {chr(97 + n % 26)}{n}"
        texts.append(f"{n % 28 + 1:02d}.03.2025   {what}   {cents / 100:.2f}   {balance / 100:.2f}")
        rows.append(
            {"day": f"2025-03-{n % 28 + 1:02d}", "what": what, "sum": cents / 100, "left": balance / 100}
        )
    return lines_of(*texts, "", f"Number of bookings: {count}"), rows


def test_doubts_name_rows_balances_and_counts() -> None:
    """A whole list is not doubted; of one that lacks a row the lines, the balance and the count say so."""
    lines, rows = statement(40)
    end = len(lines)
    assert doubts(merged(lines, (0, 0, end, end, {"rows": rows}), schema={}), lines) == []
    short = merged(lines, (0, 0, end, end, {"rows": rows[:17] + rows[18:]}), schema={})
    lacking = doubts(short, lines)
    assert [gap.lines for gap in gaps(short, lines)] == [{18}] * 3
    assert [finding.rule for finding in lacking] == [
        "completeness.rows",
        "completeness.balance",
        "completeness.count",
    ]
    assert all(finding.pointer == "/rows" and "item" not in finding.message for finding in lacking)


def test_a_selection_is_not_doubted() -> None:
    """A list that takes every third row-like line of a table is a choice, not a loss."""
    lines, rows = statement(40)
    end = len(lines)
    assert doubts(merged(lines, (0, 0, end, end, {"rows": rows[::3]}), schema={}), lines) == []


def test_another_table_of_the_same_shape_is_not_doubted() -> None:
    """Lines that look like the rows but stand under a heading of their own are another table; a lost page is not."""
    lines, rows = statement(40)
    texts = [line.text for line in lines.all]
    fees = ["Fees of the year", "Day          What           Fee     Sum"]
    fees += [f"{n:02d}.04.2025   fee {chr(97 + n)}   {n}.11   {n}.93" for n in range(1, 8)]
    longer = lines_of(*texts, "", *fees)
    end = len(longer)
    assert doubts(merged(longer, (0, 0, end, end, {"rows": rows}), schema={}), longer) == []
    block = rows[:20] + rows[26:]
    lost = doubts(merged(lines, (0, 0, len(lines), len(lines), {"rows": block}), schema={}), lines)
    assert [finding.rule for finding in lost][:1] == ["completeness.rows"]


FACTS = {"type": "object", "properties": {"facts": {"type": "array", "items": {"type": "object", "properties": {
    "unit": {"type": "string"}, "period": {"type": "string"}, "kind": {"enum": ["actual", "planned"]},
    "value": {"type": "number"}}}}}}  # fmt: skip


def fact(period: str, value: float) -> dict[str, Any]:
    return {"unit": "USD", "period": period, "kind": "actual", "value": value}


def test_what_a_row_says_beside_its_figure_need_not_be_printed() -> None:
    """Rows of which the document prints one figure, all else being concluded, are found by it: each is one row."""
    lines = lines_of(
        "Actual results of the company", "Sales        4,880   4,574", "The actual state of the company in 2025",
        "Costs        1,913   1,022", "Actual company notes", "Taxes        771     612",
    )  # fmt: skip
    sales, costs, taxes = fact("Q2 2025", 4880), fact("Q2 2025", 1913), fact("Q2 2025", 771)
    found = merged(
        lines,
        (0, 0, 3, 4, {"facts": [sales, costs]}),
        (2, 3, 5, 6, {"facts": [costs, taxes]}),
        (3, 5, 6, 6, {"facts": [costs, taxes]}),
        schema=FACTS,
    )
    assert found.data["facts"] == [sales, costs, taxes]


def test_a_row_that_only_a_neighbour_reports_is_kept_in_its_place() -> None:
    """A row that its own part overlooked, and another was shown for help, stands where the document has it."""
    found = merged(LINES, (0, 0, 3, 4, {"rows": [COFFEE, COFFEE, TEA]}), (1, 3, 5, 5, {"rows": [CAKE]}))
    assert found.data["rows"] == [COFFEE, COFFEE, TEA, CAKE]
    between = merged(
        LINES, (0, 0, 3, 4, {"rows": [COFFEE, COFFEE, TEA]}), (1, 3, 5, 5, {"rows": [COFFEE, TEA, CAKE]})
    )
    assert between.data["rows"] == [COFFEE, COFFEE, TEA, CAKE]


GROUPS = {"type": "object", "properties": {"tables": {"type": "array", "items": {"type": "object", "properties": {
    "page": {"type": "integer"}, "rows": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}}}}}}  # fmt: skip


def test_two_tables_of_a_page_are_two_and_one_over_a_border_is_one() -> None:
    """Groups that say the same of themselves are told apart by the headings between their rows."""
    lines = lines_of(
        "Market shares", "Brand      Share", "Alpha      14", "Beta      15",
        "", "Turnover by product", "in millions", "Product      Sum", "Coffee      7581", "Tea      2517",
    )  # fmt: skip
    shares = [["Alpha", "14"], ["Beta", "15"]]
    sums = [["Coffee", "7581"], ["Tea", "2517"]]
    found = merged(
        lines,
        (0, 0, 3, 3, {"tables": [{"page": 3, "rows": shares[:1]}]}),
        (1, 3, 9, 9, {"tables": [{"page": 3, "rows": shares[1:]}, {"page": 3, "rows": sums[:1]}]}),
        (5, 9, 10, 10, {"tables": [{"page": 3, "rows": sums}]}),
        schema=GROUPS,
    )
    assert found.data["tables"] == [{"page": 3, "rows": shares}, {"page": 3, "rows": sums}]
    headed = merged(
        lines,
        (0, 0, 2, 2, {"tables": [{"page": 3, "rows": []}]}),
        (1, 2, 10, 10, {"tables": [{"rows": shares}]}),
        schema=GROUPS,
    )
    assert headed.data["tables"] == [{"page": 3, "rows": shares}]


PEOPLE = {"type": "object", "properties": {"teams": {"type": "array", "items": {"type": "object", "properties": {
    "name": {"type": "string"}, "staff": {"type": "array", "items": {"type": "string"}}}}}}}  # fmt: skip
NAMES = ["Ada Byron", "Alan Turing", "Ada Byron", "Grace Hopper", "Ada Byron", "Tony Hoare"]


def test_who_is_named_twice_stands_twice_and_who_is_shown_twice_once() -> None:
    """Of plain names too the place decides: in lists of the record, in those of rows, and over a border."""
    lines = lines_of("Team Alpha", *(f"  {name}" for name in NAMES))
    schema = {"type": "object", "properties": {"names": {"type": "array", "items": {"type": "string"}}}}
    found = merged(
        lines, (0, 0, 4, 6, {"names": NAMES[:5]}), (2, 4, 7, 7, {"names": NAMES[1:]}), schema=schema
    )
    assert found.data["names"] == NAMES
    team = {"name": "Team Alpha", "staff": NAMES}
    parts = (0, 0, 4, 4, {"teams": [{"name": "Team Alpha", "staff": NAMES[:3]}]}), (4, 4, 7, 7, {"teams": [{"staff": NAMES[3:]}]})  # fmt: skip
    assert merged(lines, *parts, schema=PEOPLE).data["teams"] == [team]
    shared = (0, 0, 4, 6, {"teams": [{"name": "Team Alpha", "staff": NAMES[:5]}]}), (2, 4, 7, 7, {"teams": [{"staff": NAMES[1:]}]})  # fmt: skip
    assert merged(lines, *shared, schema=PEOPLE).data["teams"] == [team]


def test_rows_at_the_end_of_a_part_keep_their_place_among_those_of_the_next() -> None:
    """What a part reports of lines after its own comes where the document has it, whichever part owns the lines."""
    lines = lines_of(*(f"{n:02d}.03.2025   item {chr(97 + n)}{n}   {n}.15" for n in range(1, 9)))
    rows = [row(f"2025-03-{n:02d}", f"item {chr(97 + n)}{n}", n * 100 + 15) for n in range(1, 9)]
    found = merged(lines, (0, 0, 4, 6, {"rows": [*rows[:4], rows[5]]}), (3, 4, 8, 8, {"rows": rows[3:]}))
    assert found.data["rows"] == rows


def test_names_of_columns_and_page_numbers_are_not_doubted() -> None:
    """The heads of a sheet may hold digits, and a page may end with a number: neither is a row."""
    texts = ["Phone 1 | Phone 2 | City"] + [
        f"{n * 7919 % 99991} | {n * 104729 % 99991} | Town {n}" for n in range(1, 9)
    ]
    lines = lines_of(*texts)
    rows = [
        {"first": n * 7919 % 99991, "second": n * 104729 % 99991, "city": f"Town {n}"} for n in range(1, 9)
    ]
    whole = merged(lines, (0, 0, len(lines), len(lines), {"rows": rows}), schema={})
    assert doubts(whole, lines) == []
    texts = [f"Item {chr(97 + n)}{n}      {n * 7919 % 99991}" for n in range(1, 9)]
    lines = lines_of(*texts, "", "Notes on the items.", "", "Appendix B      200")
    rows = [{"what": f"Item {chr(97 + n)}{n}", "sum": n * 7919 % 99991} for n in range(1, 9)]
    assert doubts(merged(lines, (0, 0, 12, 12, {"rows": rows}), schema={}), lines) == []
    assert doubts(merged(lines, (0, 0, 12, 12, {"rows": rows[:4] + rows[5:]}), schema={}), lines)


FACTS = {"type": "object", "properties": {"rates": {"type": "array", "items": {"type": "object", "properties": {
    "what": {"type": "string"}, "rate": {"type": "number"}}}}}}  # fmt: skip
REPORT = lines_of(
    "Rates were 23.3% reported and 15.3% effective.",
    "Nothing else was reported of rates in the year.",
    "Interest      (78)      (61)      15.3%      effective",
    "Duties      12      9      3.1%      levied",
)
REPORTED, EFFECTIVE, LEVIED = (
    {"what": "reported", "rate": 23.3},
    {"what": "effective", "rate": 15.3},
    {"what": "levied", "rate": 3.1},
)


def test_whoever_tells_of_the_lines_before_a_part_tells_each_of_their_rows_once_too_often() -> None:
    """A row that stands as well before a part as in it is the one before where the part tells others of there."""
    first = (0, 0, 2, 2, {"rates": [REPORTED, EFFECTIVE]})
    telling = (0, 2, 4, 4, {"rates": [REPORTED, EFFECTIVE, LEVIED]})
    assert merged(REPORT, first, telling, schema=FACTS).data["rates"] == [REPORTED, EFFECTIVE, LEVIED]
    silent = (0, 2, 4, 4, {"rates": [EFFECTIVE, LEVIED]})
    both = merged(REPORT, first, silent, schema=FACTS).data["rates"]
    assert both == [REPORTED, EFFECTIVE, EFFECTIVE, LEVIED]


def test_a_row_that_cannot_be_placed_is_the_one_told_of_a_line_that_was_shown_to_both() -> None:
    """Too little of it stands in what the part was shown; the part that owns the line says all that it says."""
    lines = lines_of(
        "Professor, University of Oslo, School of Mechanical Engineering", "UiO | 2009 to 2011",
        *(f"Lecturer {name} | 2009 to 2011" for name in ("Bergen", "Tromsdal", "Hamar", "Narvik")),
    )  # fmt: skip
    jobs = [
        {"employer": "University of Oslo, School of Mechanical Engineering", "since": 2009, "until": 2011}
    ]
    jobs += [
        {"employer": name, "since": 2009, "until": 2011} for name in ("Bergen", "Tromsdal", "Hamar", "Narvik")
    ]
    found = merged(
        lines, (0, 0, 2, 2, {"rows": jobs[:1]}), (1, 2, 6, 6, {"rows": jobs}),
        schema={"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "object"}}}},
    )  # fmt: skip
    assert found.data["rows"] == jobs


def test_a_row_keeps_its_place_though_its_heading_stands_before_the_part() -> None:
    """What was shown to help says what a row is of, and not where it is."""
    lines = lines_of(
        "Goodwill      Hardware      Flash",
        "Opened      4319      5713",
        "Bought      211      480",
        "Sold      97      5410",
    )
    rows = [
        {"of": "Hardware", "value": 4319},
        {"of": "Flash", "value": 5713},
        {"of": "Hardware", "value": 211},
    ]
    last = {"of": "Flash", "value": 5410}
    found = merged(
        lines, (0, 0, 3, 3, {"rows": rows}), (0, 3, 4, 4, {"rows": [last]}),
        schema={"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "object"}}}},
    )  # fmt: skip
    assert found.data["rows"] == [*rows, last]
