"""Number formats: what a reader calls the value of a cell, without rounding it."""

import datetime as dt

import pytest

from service.documents.number_formats import Cell, formatted, of_code, of_id, of_shown

ACCOUNTING = r'_-* #,##0.00\ "€"_-;\-* #,##0.00\ "€"_-;_-* "-"??\ "€"_-;_-@_-'
PHONE = "[<=9999999]000-0000;(000) 000-0000"
DAY = dt.datetime(2026, 3, 1, 12, 30)  # noqa: DTZ001 - workbooks know no zones


@pytest.mark.parametrize(
    ("code", "cell", "shown"),
    [
        ("0.00%", 0.175, "17.50%"),
        ("0%", 0.17512, "17.512%"),  # never rounded
        ("0.0%", 0.07, "7.0%"),  # binary: 7.000000000000001
        ("0.00%", -0.07, "-7.00%"),
        ("#,##0.00", 1234.5, "1234.50"),
        ("0.00", 0.1 + 0.2, "0.30"),
        ("#,##0.00 €", 1234.5, "1234.50 €"),
        ("[$€-407] #,##0.00", 1234.5, "€ 1234.50"),
        (r"#,##0.00\ [$CHF-807]", 5, "5.00 CHF"),
        (ACCOUNTING, 1234.5, "1234.50 €"),
        (ACCOUNTING, -1234.5, "-1234.50 €"),
        (ACCOUNTING, 0, "0 €"),
        ("#,##0.00_);[Red](#,##0.00)", -5, "-5.00"),
        ("0.00;[Red]0.00", -5, "-5.00"),  # colour alone tells the sign
        ("0.0;△0.0", -5, "-5.0"),
        ("+0;-0;0", 3, "+3"),
        ("[<0](0.00);0.00", -3, "-3.00"),
        ("00000", 42, "00042"),
        ("00000", 123456, "123456"),
        ("000-00-0000", 12345678, "012-34-5678"),
        (PHONE, 5551234, "555-1234"),
        (PHONE, 2025551234, "(202) 555-1234"),
        ('0" kg"', 12.5, "12.5 kg"),
        ('General "pcs"', 3, "3 pcs"),
        ("0.0,,\\M", 12_500_000, "12.5M"),
        ('"yes";"never";"no"', 1, "yes"),
        ('"yes";"never";"no"', 0, "no"),
        ('[=1]"one";[>10]"many";0" pcs"', 1, "one"),
        ('[=1]"one";[>10]"many";0" pcs"', 11, "many"),
        ('[=1]"one";[>10]"many";0" pcs"', -2, "-2 pcs"),
        (";;;", 42, ""),
        (";;;", "secret", ""),
        ("0;-0;;@", 0, ""),
        ('"No. "@', "7b", "No. 7b"),
        ("0.00;@", "text", None),
        ("0.00%", "text", None),
        ("0.00%", True, None),
        ("0.00%", 1e300, None),
        ("yyyy", DAY, "2026"),
        ("mmm-yy", DAY, "2026-03"),
        ('[$-407]mmmm" "yyyy', dt.date(2026, 3, 1), "2026-03"),
    ],
)  # fmt: skip
def test_what_a_reader_sees(code: str, cell: Cell, shown: str | None) -> None:
    """Percent, units, currencies, leading zeros and codes are part of the value; digits and signs are kept."""
    format = of_code(code)
    assert format is not None
    assert formatted(cell, format) == shown


@pytest.mark.parametrize(
    "code",
    ["", "General", "0", "#,##0", "#,##0;-#,##0", "[Red]0", "0.##", "# ?/?", "0E+00", "@", "m/d/yyyy", "h:mm", "[h]:mm:ss", "aaaa", "0" * 300 + ".00"],
)  # fmt: skip
def test_formats_that_change_nothing(code: str) -> None:
    """Groups, colours, fractions, powers of ten and full dates say no more than the value does."""
    assert of_code(code) is None


@pytest.mark.parametrize(
    "code",
    ['"', "\\", "[", "[$", "[<]0", "[<1.2.3]0", "_", ";;;;;;", "0.0.0%,,%", '0"', "/", "E+", "?" * 255],
)
def test_broken_codes(code: str) -> None:
    """Codes that no program writes are read somehow."""
    format = of_code(code)
    assert format is None or formatted(12.5, format) is not None


def test_formats_without_a_code() -> None:
    """Ids below 164 mean what the standard says, unless the file says otherwise."""
    percent, defined = of_id(10, {}), of_id(10, {10: '0.0" %"'})
    assert percent is not None
    assert formatted(0.5, percent) == "50.00%"
    assert defined is not None
    assert formatted(0.5, defined) == "0.5 %"
    assert of_id(1, {}) is None
    assert of_id(163, {}) is None


@pytest.mark.parametrize(
    ("text", "kind", "value", "shown"),
    [
        ("17,5 %", "percentage", "0.17512", "17.512 %"),
        ("1.234,50 €", "currency", "1234.5", "1234.50 €"),
        ("1,234.50 €", "currency", "1234.5", "1234.50 €"),
        ("(€1,234.50)", "currency", "-1234.5", "-€1234.50"),
        ("1 234,50 Kč", "currency", "1234.5", "1234.50 Kč"),
        ("00042", "float", "42", "00042"),
        ("123-45-6789", "float", "123456789", "123-45-6789"),
        ("12 kg", "float", "12", "12 kg"),
        ("0,00", "float", "0", "0.00"),
        ("1.235", "float", "1234.5678", None),
        ("15.03.23", "float", "45000", None),
        ("1/2", "float", "0.5", None),
        ("1E+20", "float", "1e20", None),
        ("###", "float", "5", None),
        ("###", "time", "PT26H15M00S", None),
        ("5", "float", "x", None),
        ("5", "float", "nan", None),
    ],
)
def test_formats_told_by_what_they_made(text: str, kind: str, value: str, shown: str | None) -> None:
    """OpenDocument holds what a cell shows: what stands around the number is its format, if it is that number."""
    format = of_shown(text, kind, value)
    assert (None if format is None else formatted(float(value), format)) == shown
