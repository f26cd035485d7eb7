"""Token counts of texts and images."""

import pytest

from service.catalogue import Catalogue, image_tokens, image_tokens_at_most, text_tokens, text_tokens_at_most
from service.catalogue.model import Detail

CATALOGUE = Catalogue.load()


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("gpt-4o", (1024, 1024), 765),
        ("gpt-4.1", (1240, 1754), 1_105),
        ("gpt-4o", (2480, 3508), 1_105),
        ("gpt-4o-mini", (1024, 1024), 25_501),
        ("gpt-4o-mini", (1240, 1754), 36_835),
        ("gpt-4o-mini", (2480, 3508), 36_835),
        ("gpt-4.1-mini", (1024, 1024), 1_659),
        ("gpt-4.1-mini", (1240, 1754), 2_385),
        ("gpt-4.1-mini", (2480, 3508), 2_385),
        ("gpt-4.1-mini", (1800, 2400), 2_353),
        ("gpt-4", (1024, 1024), 0),
    ],
)
def test_image_tokens_match_the_worked_examples(name: str, size: tuple[int, int], expected: int) -> None:
    """The provider's examples and one real bill (contract §4.2)."""
    assert image_tokens(CATALOGUE.find(name), *size, "high") == expected


@pytest.mark.parametrize(
    ("size", "expected"), [((1024, 1024), 1_659), ((1240, 1754), 3_475), ((2480, 3508), 4_770)]
)
def test_the_other_budget_of_the_mini_model(size: tuple[int, int], expected: int) -> None:
    """With the 2026 guide's 6,144 patches the same images cost more."""
    assert image_tokens(CATALOGUE.find("gpt-4.1-mini"), *size, budget=6_144) == expected


@pytest.mark.parametrize("detail", ["low", "high", "auto"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9_000), (9_000, 1), (512, 512), (767, 2_049), (3_333, 4_444)])
def test_the_bound_is_never_below_any_rule(size: tuple[int, int], detail: Detail) -> None:
    """For every model the worst case covers the expected count, also with the larger budget."""
    for model in CATALOGUE.models:
        least = image_tokens(model, *size, detail)
        assert image_tokens_at_most(model, *size, detail) >= least
        if model.id == "gpt-4.1-mini":
            assert image_tokens_at_most(model, *size) >= image_tokens(model, *size, budget=6_144)


def test_low_detail_is_cheap_for_tiles_and_bounded_for_patches() -> None:
    """Tiles: the base. The newer patch models fit low detail into 512 px, the 4.1 kind does not care."""
    assert image_tokens(CATALOGUE.find("gpt-4o"), 2_480, 3_508, "low") == 85
    assert image_tokens(CATALOGUE.find("gpt-6-luna"), 2_480, 3_508, "low") == -(-12 * 16 * 12 // 10)
    mini = CATALOGUE.find("gpt-4.1-mini")
    assert image_tokens(mini, 2_480, 3_508, "low") == image_tokens(mini, 2_480, 3_508, "high")


def test_auto_becomes_high_where_auto_has_no_budget() -> None:
    """An image at the full size of a camera would cost tens of thousands of tokens."""
    assert CATALOGUE.find("gpt-6-luna").image_detail("auto") == "high"
    assert CATALOGUE.find("gpt-4.1-mini").image_detail("auto") == "auto"
    assert CATALOGUE.find("gpt-6-luna").image_detail("low") == "low"


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("hello world", 2), ("tokens and more tokens", 4), ("<|endoftext|>", 7), ("Füße €", 4)],
)
def test_text_tokens(text: str, count: int) -> None:
    """Counts of the o200k vocabulary; special tokens in a document are plain text."""
    assert text_tokens(text) == count
    assert text_tokens_at_most(text) >= count


def test_a_text_of_millions_of_characters_is_counted() -> None:
    """The count of a very long text is that of its lines."""
    line = "Invoice 2026-0117, total 1.280,50 EUR\n"
    assert text_tokens(line * 60_000) == text_tokens(line) * 60_000


def test_lone_surrogates_are_counted_and_do_not_raise() -> None:
    """Text that no UTF-8 can hold is counted as its replacement."""
    assert text_tokens("a\ud800b") >= 2
    assert text_tokens_at_most("a\ud800b") >= 3
