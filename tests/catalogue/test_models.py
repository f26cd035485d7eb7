"""The catalogue: names, prices, retirement."""

from datetime import date

import pytest

from service.catalogue import Catalogue, RetiredModel, UnknownModel, UnpricedModel, cost

TODAY = date(2026, 11, 20)
CATALOGUE = Catalogue.load()


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-4o-2024-11-20", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("gpt-6-luna", "gpt-6-luna"),
    ],
)
def test_a_model_is_found_by_alias_and_by_snapshot(name: str, id: str) -> None:
    """Both kinds of name lead to one model; the odd snapshot of gpt-4o has an entry of its own."""
    assert CATALOGUE.find(name).id == id


def test_an_unknown_name_is_refused_with_near_names() -> None:
    """The error lists the names that look alike, and repeats a long name only in part."""
    with pytest.raises(UnknownModel, match=r"Did you mean gpt-4\.1-mini") as caught:
        CATALOGUE.find("gpt-4.1-mni")
    assert caught.value.status == 400
    with pytest.raises(UnknownModel) as caught:
        CATALOGUE.find("x" * 100_000)
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    ("name", "successor"),
    [
        ("gpt-4-turbo", "gpt-5.6-sol"),
        ("o4-mini", "gpt-6-luna"),
        ("gpt-4.1-nano-2025-04-14", "gpt-5.6-luna"),
        ("gpt-3.5-turbo-1106", "gpt-5.6-terra"),
    ],
)
def test_a_retired_model_names_its_successor(name: str, successor: str) -> None:
    """A model that has stopped is refused, and the problem carries the name to use."""
    with pytest.raises(RetiredModel, match=f"Use {successor}") as caught:
        CATALOGUE.get(name, today=TODAY)
    assert caught.value.members == {"successor": successor}


def test_a_policy_may_take_the_successor_instead() -> None:
    """With ``on_retirement: successor`` a retired name leads to the model that follows it."""
    assert CATALOGUE.get("o4-mini", today=TODAY, on_retirement="successor").id == "gpt-6-luna"
    assert CATALOGUE.get("gpt-4.1-mini", today=TODAY, on_retirement="successor").id == "gpt-4.1-mini"
    alone = CATALOGUE.with_stops({"gpt-6-luna": TODAY})
    with pytest.raises(RetiredModel, match="No successor"):
        alone.get("o4-mini", today=TODAY, on_retirement="successor")


def test_a_model_stops_on_its_day_and_not_before() -> None:
    """The day itself counts as stopped."""
    assert CATALOGUE.get("gpt-4.1-mini", today=date(2027, 1, 13)).id == "gpt-4.1-mini"
    with pytest.raises(RetiredModel):
        CATALOGUE.get("gpt-4.1-mini", today=date(2027, 1, 14))


def test_a_snapshot_may_stop_before_its_alias() -> None:
    """gpt-4-0314 stopped half a year before gpt-4."""
    day = date(2026, 6, 1)
    assert CATALOGUE.get("gpt-4", today=day).id == "gpt-4"
    with pytest.raises(RetiredModel, match="2026-03-26"):
        CATALOGUE.get("gpt-4-0314", today=day)


def test_a_successor_that_has_stopped_is_skipped() -> None:
    """The chain is followed to a model that still runs."""
    stopped = CATALOGUE.with_stops({"gpt-5.6-luna": date(2026, 11, 1)})
    assert stopped.successor(stopped.find("gpt-4.1-nano"), today=TODAY) is None
    later = stopped.with_stops({"gpt-6-luna": None})
    assert later.successor(later.find("gpt-4o"), today=TODAY) == later.find("gpt-6-luna")


def test_the_providers_list_moves_shutdown_dates() -> None:
    """Dates are taken over by alias and by snapshot; a missing date changes nothing, nor does an unknown name."""
    moved = CATALOGUE.with_stops(
        {
            "gpt-4o": date(2026, 11, 1),
            "gpt-4.1-2025-04-14": date(2026, 11, 2),
            "gpt-6-sol": None,
            "other": TODAY,
        }
    )
    with pytest.raises(RetiredModel):
        moved.get("gpt-4o", today=TODAY)
    with pytest.raises(RetiredModel):
        moved.get("gpt-4.1-2025-04-14", today=TODAY)
    assert moved.get("gpt-4.1", today=TODAY).stops == date(2027, 1, 14)
    assert moved.get("gpt-6-sol", today=TODAY).stops is None


def test_a_model_without_a_price_is_refused() -> None:
    """What cannot be priced cannot be capped."""
    with pytest.raises(UnpricedModel):
        CATALOGUE.get("gpt-6.1-sol", today=TODAY)
    with pytest.raises(ValueError, match=r"gpt-6\.1-sol"):
        cost(CATALOGUE.find("gpt-6.1-sol"), input_tokens=1, output_tokens=1)


def test_models_that_stop_soon_are_listed() -> None:
    """Ninety days ahead, soonest first, without those that have stopped already."""
    soon = [model.id for model in CATALOGUE.retiring(today=TODAY)]
    assert soon[:2] == ["gpt-5", "gpt-5-mini"]
    assert soon[-1] == "gpt-4o-mini"
    assert "gpt-4-turbo" not in soon
    assert "gpt-5.4-nano" not in soon


@pytest.mark.parametrize(
    ("name", "tokens", "nano"),
    [
        ("gpt-4.1-mini", {"input_tokens": 1412, "cached_tokens": 1280, "output_tokens": 27}, 224_000),
        ("gpt-4.1-nano", {"input_tokens": 1000, "cached_tokens": 1000, "output_tokens": 0}, 25_000),
        ("gpt-5-nano", {"input_tokens": 3, "cached_tokens": 3, "output_tokens": 0}, 15),
        ("gpt-4o", {"input_tokens": 1000, "cached_tokens": 512, "output_tokens": 10}, 1_960_000),
        ("gpt-4-turbo", {"input_tokens": 10, "cached_tokens": 10, "output_tokens": 0}, 100_000),
        ("ft:gpt-4.1-mini-2025-04-14:org::1", {"input_tokens": 10, "output_tokens": 10}, 40_000),
        ("gpt-6-luna", {"input_tokens": 100, "cache_write_tokens": 100, "output_tokens": 0}, 12_500),
        ("gpt-6-luna", {"input_tokens": 272_000, "output_tokens": 1}, 27_200_500),
        ("gpt-6-luna", {"input_tokens": 272_001, "output_tokens": 1}, 54_400_950),
        ("gpt-6-luna", {"input_tokens": 100, "cached_tokens": 100, "output_tokens": 0, "batch": True}, 500),
        ("o4-mini", {"input_tokens": 1000, "output_tokens": 1000, "batch": True}, 2_750_000),
        ("o1-mini", {"input_tokens": 1000, "output_tokens": 0, "batch": True}, 550_000),
    ],
)
def test_cost_is_exact(name: str, tokens: dict[str, int], nano: int) -> None:
    """Nano-dollars from integer prices: cached, written, long, batched and fine-tuned."""
    assert cost(CATALOGUE.find(name), **tokens) == nano  # type: ignore[arg-type]


def test_more_cached_than_input_costs_the_input() -> None:
    """A provider that reports nonsense does not make the cost negative."""
    model = CATALOGUE.find("gpt-4.1-mini")
    assert cost(model, input_tokens=10, cached_tokens=99, output_tokens=0) == 1_000


def test_scenarios_exist_only_where_they_are_asked_for() -> None:
    """A sandbox name is unknown to the catalogue of a real provider."""
    with pytest.raises(UnknownModel):
        CATALOGUE.find("sandbox-refusal")
    scenarios = CATALOGUE.with_scenarios()
    model = scenarios.get("sandbox-x", today=TODAY)
    assert model.id == "sandbox-x"
    assert model.price == CATALOGUE.find("gpt-4.1-mini").price
    assert "json_schema" in model.can
    assert scenarios.find("sandbox").price == model.price
    assert scenarios.find("sandbox-429-2+slow-1s@gpt-6-luna").reasoning == "none"
    with pytest.raises(UnknownModel):
        scenarios.find("sandbox@gpt-nope")


def test_the_output_budget_leaves_room_to_reason_and_stays_within_the_model() -> None:
    """Effort none adds nothing; low adds a reserve; the provider's least is 16."""
    assert CATALOGUE.find("gpt-4.1-mini").output_budget(1) == 16
    assert CATALOGUE.find("gpt-4.1-mini").output_budget(99_999) == 32_768
    assert CATALOGUE.find("gpt-6-luna").output_budget(1_000) == 1_000
    assert CATALOGUE.find("o4-mini").output_budget(1_000) == 9_192


def test_every_model_says_where_its_figures_come_from() -> None:
    """Date and source stand on each entry, names are unique, and each successor is known."""
    names = [name for model in CATALOGUE.models for name in (model.id, *model.snapshots)]
    assert len(names) == len(set(names))
    for model in CATALOGUE.models:
        assert model.source
        assert model.as_of >= date(2026, 11, 20)
        assert model.successor is None or CATALOGUE.find(model.successor)
        assert model.max_output_tokens <= model.context_window
        assert ("vision" in model.can) == (model.image is not None)
        assert model.reasoning is None or "temperature" not in model.can
        assert model.price is not None or model.note == "price not found"
