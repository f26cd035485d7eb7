"""The provider's models as the sandbox knows them: names, snapshots, limits, prices, shutdown dates.

Figures: the contract's section 7. Prices are integer nano-dollars per token (0.40 USD per million = 400).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from service.sandbox.errors import ProviderError
from service.sandbox.scenarios import BASE_MODEL, is_scenario, split

__all__ = ["MODELS", "ImageRule", "Model", "by_name", "listing", "snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRule:
    """How a model charges an image: 512-pixel tiles, or 32-pixel patches (section 4.2)."""

    method: Literal["tiles", "patches"]
    base: int = 85
    tile: int = 170
    multiplier_percent: int = 100
    max_side: int | None = None
    patch_budget: int | None = None
    budget_is_setting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model; `prices` are (input, cached input, output) in nano-dollars per token."""

    id: str
    snapshots: tuple[str, ...] = ()
    context: int
    max_output: int
    prices: tuple[int, int, int]
    json_schema: bool = True
    reasoning: bool = False
    shutdown: str | None = None
    images: ImageRule | None = None
    created: int = 1_744_600_000


_GPT_4 = ImageRule(method="tiles")
_GPT_4O_MINI = ImageRule(method="tiles", base=2_833, tile=5_667)
_GPT_41_MINI = ImageRule(
    method="patches", multiplier_percent=162, max_side=2_048, patch_budget=6_144, budget_is_setting=True
)
_GPT_41_NANO = ImageRule(method="patches", multiplier_percent=246, max_side=2_048, patch_budget=1_536)
_O4_MINI = ImageRule(method="patches", multiplier_percent=172, max_side=2_048, patch_budget=1_536)
_GPT_5_MINI = ImageRule(method="patches", multiplier_percent=120, max_side=2_048, patch_budget=1_536)
_GPT_5_NANO = ImageRule(method="patches", multiplier_percent=150, max_side=2_048, patch_budget=1_536)
_GPT_6 = ImageRule(method="patches", multiplier_percent=120, max_side=2_048, patch_budget=2_500)

_JANUARY = "2027-01-14"
_OCTOBER = "2026-10-23"

MODELS: tuple[Model, ...] = (
    Model(
        id="gpt-4.1",
        snapshots=("gpt-4.1-2025-04-14",),
        context=1_047_576,
        max_output=32_768,
        prices=(2_000, 500, 8_000),
        shutdown=_JANUARY,
        images=_GPT_4,
    ),
    Model(
        id="gpt-4.1-mini",
        snapshots=("gpt-4.1-mini-2025-04-14",),
        context=1_047_576,
        max_output=32_768,
        prices=(400, 100, 1_600),
        shutdown=_JANUARY,
        images=_GPT_41_MINI,
    ),
    Model(
        id="gpt-4.1-nano",
        snapshots=("gpt-4.1-nano-2025-04-14",),
        context=1_047_576,
        max_output=32_768,
        prices=(100, 25, 400),
        shutdown=_OCTOBER,
        images=_GPT_41_NANO,
    ),
    Model(
        id="gpt-4o",
        snapshots=("gpt-4o-2024-08-06", "gpt-4o-2024-11-20"),
        context=128_000,
        max_output=16_384,
        prices=(2_500, 1_250, 10_000),
        shutdown=_JANUARY,
        images=_GPT_4,
    ),
    Model(
        id="gpt-4o-2024-05-13",
        context=128_000,
        max_output=4_096,
        prices=(5_000, 5_000, 15_000),
        json_schema=False,
        shutdown=_OCTOBER,
        images=_GPT_4,
    ),
    Model(
        id="gpt-4o-mini",
        snapshots=("gpt-4o-mini-2024-07-18",),
        context=128_000,
        max_output=16_384,
        prices=(150, 75, 600),
        shutdown=_JANUARY,
        images=_GPT_4O_MINI,
    ),
    Model(
        id="gpt-4-turbo",
        snapshots=("gpt-4-turbo-2024-04-09",),
        context=128_000,
        max_output=4_096,
        prices=(10_000, 10_000, 30_000),
        json_schema=False,
        shutdown=_OCTOBER,
        images=_GPT_4,
    ),
    Model(
        id="gpt-4",
        snapshots=("gpt-4-0613",),
        context=8_192,
        max_output=8_192,
        prices=(30_000, 30_000, 60_000),
        json_schema=False,
        shutdown=_OCTOBER,
    ),
    Model(
        id="gpt-3.5-turbo",
        snapshots=("gpt-3.5-turbo-0125", "gpt-3.5-turbo-1106"),
        context=16_385,
        max_output=4_096,
        prices=(500, 500, 1_500),
        json_schema=False,
        shutdown=_OCTOBER,
    ),
    Model(
        id="o4-mini",
        snapshots=("o4-mini-2025-04-16",),
        context=200_000,
        max_output=100_000,
        prices=(1_100, 275, 4_400),
        reasoning=True,
        shutdown=_OCTOBER,
        images=_O4_MINI,
    ),
    Model(
        id="gpt-5-mini",
        snapshots=("gpt-5-mini-2025-08-07",),
        context=400_000,
        max_output=128_000,
        prices=(250, 25, 2_000),
        reasoning=True,
        shutdown="2026-12-11",
        images=_GPT_5_MINI,
    ),
    Model(
        id="gpt-5-nano",
        snapshots=("gpt-5-nano-2025-08-07",),
        context=400_000,
        max_output=128_000,
        prices=(50, 5, 400),
        reasoning=True,
        shutdown="2026-12-11",
        images=_GPT_5_NANO,
    ),
    Model(
        id="gpt-5.4-mini",
        snapshots=("gpt-5.4-mini-2026-03-17",),
        context=400_000,
        max_output=128_000,
        prices=(750, 75, 4_500),
        reasoning=True,
        images=_GPT_6,
    ),
    Model(
        id="gpt-5.4-nano",
        snapshots=("gpt-5.4-nano-2026-03-17",),
        context=400_000,
        max_output=128_000,
        prices=(200, 20, 1_250),
        reasoning=True,
        shutdown="2027-04-01",
        images=_GPT_6,
    ),
    *(
        Model(
            id=name,
            context=1_050_000,
            max_output=128_000,
            prices=prices,
            reasoning=True,
            images=_GPT_6,
        )
        for name, prices in (
            ("gpt-5.6-luna", (200, 20, 1_200)),
            ("gpt-5.6-terra", (2_000, 200, 12_000)),
            ("gpt-5.6-sol", (5_000, 500, 30_000)),
            ("gpt-6-luna", (100, 10, 500)),
            ("gpt-6-sol", (2_000, 200, 10_000)),
            ("gpt-6-astra", (10_000, 1_000, 50_000)),
        )
    ),
)

_NAMED: dict[str, Model] = {}
for _model in MODELS:
    _NAMED[_model.id] = _model
for _model in MODELS:
    for _name in _model.snapshots:
        _NAMED.setdefault(_name, _model)


def by_name(name: str, *, today: str, chat: bool = False) -> Model:
    """The model behind an alias, a snapshot or a scenario name.

    Raises `ProviderError`: 404 for a retired model, and for an unknown one 400 (Responses) or 404 (Chat).
    """
    base = split(name)[1] if is_scenario(name) else name
    model = _NAMED.get(base)
    if model is None:
        if chat:
            message = f"The model `{name[:200]}` does not exist or you do not have access to it."
            raise ProviderError(404, message, param=None, code="model_not_found")
        message = f"The requested model '{name[:200]}' does not exist."
        raise ProviderError(400, message, param="model", code="model_not_found")
    if model.shutdown is not None and model.shutdown <= today:
        raise ProviderError(
            404,
            f"The model `{base}` has been deprecated, learn more here: "
            "https://platform.openai.com/docs/deprecations",
            code="model_not_found",
        )
    return model


def snapshot(name: str, model: Model) -> str:
    """The dated name that the response echoes; scenarios and undated models echo themselves."""
    if is_scenario(name) or name in model.snapshots or not model.snapshots:
        return name
    return model.snapshots[0]


def listing(now: float) -> list[dict[str, object]]:
    """What `GET /v1/models` lists: models still served, each snapshot too, and the plain sandbox."""
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    rows: list[dict[str, object]] = []
    for model in MODELS:
        if model.shutdown is not None and model.shutdown <= today:
            continue
        rows.extend(_row(name, model) for name in (model.id, *model.snapshots))
    base = _NAMED[BASE_MODEL]
    rows.append({**_row("sandbox", base), "owned_by": "sandbox", "shutdown_date": None})
    return rows


def _row(name: str, model: Model) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": model.created,
        "owned_by": "system",
        "shutdown_date": model.shutdown,
    }
