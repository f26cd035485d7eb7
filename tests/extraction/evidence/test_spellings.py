"""When two spellings say the same: numbers, dates, times, keys."""

import pytest

from service.extraction.evidence import dates, numbers, times
from service.extraction.evidence.folding import key

NUMBERS = [
    ("1.280,50", 1280.5),
    ("1,280.50", 1280.5),
    ("1 280,50", 1280.5),
    ("1\u202f280,50", 1280.5),
    ("1\u00a0280,50", 1280.5),
    ("1'280.50", 1280.5),
    ("1’280.50", 1280.5),
    ("1280.5", 1280.5),
    ("EUR 1.280,50", 1280.5),
    ("1.280,50 €", 1280.5),
    ("$1,280.50", 1280.5),
    ("(1,280.50)", -1280.5),
    ("($1,280.50)", -1280.5),
    ("-1.280,50", -1280.5),
    ("−1.280,50", -1280.5),
    ("- 1.280,50", -1280.5),
    ("-$1,280.50", -1280.5),
    ("$-1,280.50", -1280.5),
    ("1.280,50-", -1280.5),
    ("1.280,50 EUR-", -1280.5),
    ("△1,280", -1280),
    ("1,23,45,678.90", 12345678.9),
    ("12.345.678", 12345678),
    ("１，２８０．５０", 1280.5),
    ("١٬٢٨٠٫٥٠", 1280.5),
    ("१,२८०.५०", 1280.5),
    ("۱۲۸۰", 1280),
    ("19 %", 0.19),
    ("19%", 19),
    ("5 ‰", 0.005),
    ("2.5 million", 2_500_000),
    ("1,2 Mio. €", 1_200_000),
    ("3億", 300_000_000),
    ("12万円", 120_000),
    ("1.5 lakh", 150_000),
    ("0.500", 0.5),
    ("400mg", 400),
    ("RM12.90", 12.9),
    ("00042", 42),
]


@pytest.mark.parametrize(("printed", "value"), NUMBERS)
def test_numbers_as_documents_write_them(printed: str, value: float) -> None:
    """A printed number says the value that a reader takes from it."""
    assert said(printed, value) >= 0.9


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("24.0", 2.4),
        ("1.280,50", 128.05),
        ("1,280.50", 12805),
        ("12 34", 1234),
        ("5-10", -10),
        ("1.5", 15),
        ("1'28", 128),
    ],
)
def test_other_numbers_with_the_same_digits(printed: str, value: float) -> None:
    """The same digits do not make the same number, and a range has no sign."""
    assert said(printed, value) < 0.9


def said(printed: str, value: float) -> float:
    text = f"x {printed} y"
    places = numbers.collect(text).get(numbers.significant(value), [])
    return max(
        (
            numbers.agreement(text, *place, value, numbers.said(text[slice(*place)], abs(value)), frozenset)
            for place in places
        ),
        default=0.0,
    )


DATES = [
    "05.06.2018",
    "5.6.18",
    "06/05/2018",
    "2018-06-05",
    "2018/6/5",
    "20180605",
    "5 June 2018",
    "5th of June, 2018",
    "June 5, 2018",
    "JUN 05 2018",
    "05-Jun-18",
    "5. Juni 2018",
    "5 juin 2018",
    "5 de junio de 2018",
    "5 giugno 2018",
    "5 de junho de 2018",
    "5 juni 2018",
    "5 czerwca 2018 r.",
    "5. června 2018",
    "5 июня 2018 г.",
    "5 Ιουνίου 2018",
    "2018. június 5.",
    "5 Haziran 2018",
    "5. kesäkuuta 2018",
    "ngày 5 tháng 6 năm 2018",
    "٥ يونيو ٢٠١٨",
    "٠٥/٠٦/٢٠١٨",
    "5 בינואר 2018".replace("בינואר", "יוני"),
    "5 जून 2018",
    "2018年6月5日",
    "２０１８年６月５日",
    "2018년 6월 5일",
    "2018. 6. 5.",
    "平成30年6月5日",
    "H30.6.5",
    "民國107年6月5日",
    "5 มิถุนายน 2561",
    "5/6/2561",
]


@pytest.mark.parametrize("printed", DATES)
def test_dates_as_documents_write_them(printed: str) -> None:
    """A printed date may mean the day that a reader takes from it."""
    assert 20180605 in dates.collect(f"Date: {printed}\n")


@pytest.mark.parametrize(
    ("printed", "meant"),
    [("令和6年5月3日", 20240503), ("令和元年5月3日", 20190503), ("Feb 2021", 20210200), ("02/2021", 20210200),
     ("2021-02", 20210200), ("2021年2月", 20210200), ("février 2021", 20210200), ("02.07.", 702), ("2 Jul", 702)],
)  # fmt: skip
def test_eras_months_and_days_without_a_year(printed: str, meant: int) -> None:
    """Eras count from their first year; months and days of a year are kept as what they are."""
    assert meant in dates.collect(printed)


@pytest.mark.parametrize(
    "printed",
    ["1.280,50", "32.13.2018", "2018-06-31x", "12:30", "Mayor 5", "30 tháng", "6 thángtư", "123 - 2024 / 5"],
)
def test_what_is_no_date(printed: str) -> None:
    """Amounts, days that no month has, times and names are not dates."""
    assert not [day for day in dates.collect(printed) if day > 9999]


@pytest.mark.parametrize(
    ("printed", "value"),
    [("3:30 pm", "15:30"), ("3:30 P.M.", "15:30"), ("12 noon", "12:00"), ("15h30", "15:30"), ("16.00 Uhr", "16:00"),
     ("午後3時30分", "15:30"), ("오전 9:05", "09:05"), ("12:15 am", "00:15")],
)  # fmt: skip
def test_times_of_day(printed: str, value: str) -> None:
    """Halves of the day in front or behind, in letters or characters."""
    assert times.clock(value) in times.collect(printed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("Extrak-\ntion", "Extraktion"),
        ("soft\u00adhyphen", "softhyphen"),
        ("ﬁnance", "finance"),
        ("Ｗｉｎｎｏｗ１２", "winnow12"),
        ("Mu\u0308ller", "Müller"),
        ("DE12 3456 7890", "DE1234567890"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("مُحَمَّد", "محمد"),
        ("٠١٢", "012"),
        ("İstanbul", "istanbul"),
    ],
)
def test_keys(one: str, other: str) -> None:
    """Case, width, accents, ligatures, spaces, hyphens and vowel signs leave no trace in a key."""
    assert key(one) == key(other)


def test_a_date_behind_another_number() -> None:
    """A number and a label before a date do not swallow its day."""
    for text in (
        "Qty 12\nDate 28 June 2018",
        "34432\nวันที่  28 มิถุนายน 2561",
        "No 12, 28 June 2018",
        "5826 June 28, 2018",
    ):
        assert 20180628 in dates.collect(text)


@pytest.mark.parametrize(
    ("printed", "days"),
    [
        ("14-15 January 2027", {20270114, 20270115}),
        ("14. – 16. Mai 2026", {20260514, 20260516}),
        ("14. bis 16.05.2026", {20260514, 20260516}),
        ("January 14–15, 2027", {20270114, 20270115}),
        ("3 et 4 mars 2025", {20250303, 20250304}),
    ],
)
def test_days_that_share_a_month(printed: str, days: set[int]) -> None:
    """Both ends of a stretch of days are dates, where only one stands beside its month and year."""
    assert days <= dates.collect(printed).keys()


@pytest.mark.parametrize(
    "printed", ["items 16-17 of 20, January 2027", "16-14 January 2027", "16-17 units, 1 January 2027"]
)
def test_no_days_that_share_a_month(printed: str) -> None:
    """Two numbers are no stretch of days without a month, nor where they fall."""
    assert 20270116 not in dates.collect(printed)
