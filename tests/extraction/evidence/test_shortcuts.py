"""What is told without working everything out is what working everything out would tell."""

from typing import Any

import pytest
from extraction.evidence.test_spellings import DATES
from hypothesis import given
from hypothesis import strategies as st

from service.documents import Page
from service.extraction.evidence import Index, assign, candidates, dates, fuzzy, locate, numbers
from service.extraction.evidence.dates import collect
from service.extraction.evidence.folding import key, positions
from service.extraction.evidence.glance import may_name
from service.extraction.evidence.rows import of_text

FRAGMENTS = (
    *("1", "2", "03", "3", "11", "12", "31", "030", "2024", "24", "20240311", "11032024", "2567", "113", "19.90"),
    *("/", "-", ".", ". ", " ", ", ", "  ", "\n", "–", "年", "月", "日", "일", "월 ", "年 "),
    *("March", "mar", "Nov.", "X", "xi", "i", "dezember", "de marzo de ", "th of ", "st", "to", "bis", "März", "Juni"),
    *("令和", "R", "H", "元", "tháng ", "năm ", "พ.ย. ", "VAT", "Ltd", "Order", "مارس ", "٣", "３"),
)  # fmt: skip


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_no_day_that_a_text_names_is_ruled_out_at_a_glance(text: str) -> None:
    """Whatever reading all dates finds is still looked for after the glance."""
    index = Index((Page(1, text),))
    for meant in collect(text):
        day = meant if meant > 9999 else 20240000 + meant
        assert index.may_name(day), meant


@pytest.mark.parametrize("printed", DATES)
def test_a_date_among_much_else_is_found(printed: str) -> None:
    """The glance lets every way of writing a date through."""
    text = f"Order 4711 of 17 pieces at 19.90\nDate: {printed}\nwithin 30 days\n"
    assert locate(Index((Page(1, text),)), {"date": "2018-06-05"}, True)["/date"].status == "found"


def test_dates_are_not_read_for_a_day_that_no_text_can_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """An invoice with 11 pieces and a house of number 3 does not name 3 November; its dates are not worked out."""
    text = f"Hafenstr. 3, 20457 Hamburg\n{'Goods stay ours until paid. ' * 4}\n11 x 14.90 = 163.90\n"
    assert not may_name(text, 20261103)
    assert may_name(f"{text} 3 Nov", 20261103)
    monkeypatch.setattr(dates, "_in_numbers", None)  # reading them fails
    assert locate(Index((Page(1, text),)), {"date": "2026-11-03"}, True)["/date"].status == "not_found"


WORDS = ("Ab", "ab", "AB", "a", "b", "A.b", "(ab)", "ab.", "12", "1", "Müller", "müller", "MÜLLER", "æ", "ae", "東京", "ﷺ",
         "한국", "한", " ", " ", "\n", "-", ",", ".", "")  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_the_only_place_of_a_text_is_the_one_that_a_search_of_all_finds(text: str, value: str) -> None:
    """A value that stands once, letter by letter, is found as by going through all places with its key."""
    index = Index((Page(1, text),))
    folded = key(value)
    if not folded or folded not in index.folded:
        return
    slow = list(candidates._spelled(index, value, folded, index.folded.find(folded)))
    assert candidates._mentions(index, value) == slow


@given(TEXTS)
def test_keys_and_positions_belong_together(text: str) -> None:
    """Each character of a key comes from one that folds to it, however long the text is."""
    for whole in (text, text + " " * 100):
        folded, places = key(whole), positions(whole)
        assert len(folded) == len(places)
        assert list(places) == sorted(places)
        assert key(text) == folded
        assert not any("\u1100" <= letter <= "\u11ff" for letter in whole) or folded
        if not any("\u1100" <= letter <= "\u11ff" for letter in whole):
            assert all(one in key(whole[at]) for one, at in zip(folded, places, strict=True))


@given(TEXTS, TEXTS)
def test_a_text_is_not_followed_word_by_word_where_its_words_are_not(text: str, value: str) -> None:
    """What the key of a text holds none of, its words do not hold either."""
    index = Index((Page(1, text),))
    assert all(word in index.folded for word in index.vocabulary)
    assert isinstance(fuzzy.scattered(index, value), list)


@given(st.text(alphabet="ab1-. \t\n\x1c(", max_size=30))
def test_words_of_a_row_are_those_with_letters_or_digits(line: str) -> None:
    """Words of a line are the same whether the line is folded at once or word by word."""
    line = line.replace("\n", " ")
    row = of_text(line, 0, len(line)).words(0)
    assert [word for _, _, word in row] == [folded for word in line.split() if (folded := key(word))]
    assert all(key(line[int(start) : int(end)]) == word for start, end, word in row)


@pytest.mark.parametrize(
    ("written", "size", "said"),
    [("30", 3.0, (0.0, ())), ("3", 3.0, (1.0, ())), ("1.234", 1234.0, (0.99, ())), ("1.234", 1.234, (0.97, ())),
     ("19", 0.19, (0.0, ((19.0, 1.0),))), ("1.5", 1500.0, (0.0, ((1.5, 1.0),))), ("1.50", 1.5, (1.0, ()))],
)  # fmt: skip
def test_what_digits_say_by_themselves(written: str, size: float, said: Any) -> None:
    """A number that is a zero off is told from one that a percent sign or a scale may make right."""
    assert numbers.said(written, size) == said


def test_one_piece_costs_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A price and an amount that are equal and stand on one row are told apart by the columns of the other rows alone."""
    rows = [("a", 2, 100.0, 200.0), ("b", 1, 80.0, 80.0), ("c", 3, 10.0, 30.0), ("d", 1, 7.0, 7.0)]
    shown = [f"Item {item:<8}{many:>4}{price:>12,.2f}{sum_:>12,.2f}" for item, many, price, sum_ in rows]
    lines = [{"what": f"Item {item}", "price": price, "amount": sum_} for item, _, price, sum_ in rows]
    monkeypatch.setattr(assign._Assignment, "_choose", None)  # weighing places fails
    found = locate(Index((Page(1, "\n".join(shown)),)), {"lines": lines}, True)
    for at, line in enumerate(shown):
        begin = sum(len(before) + 1 for before in shown[:at])
        for member, end in (("price", len(line) - 12), ("amount", len(line))):
            one = found[f"/lines/{at}/{member}"]
            assert one.status == "found"
            assert one.span is not None
            assert one.span[1] == begin + end
