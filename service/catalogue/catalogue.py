"""The models by name. The data stands in ``models.toml`` beside this file."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

from service.catalogue.errors import RetiredModel, UnknownModel, UnpricedModel
from service.catalogue.model import LongContext, Model, Patches, PatchLimits, Price, RateLimits, Tiles

WARN_DAYS = 90
"""How long before a model stops it is worth a warning."""

OnRetirement = Literal["refuse", "successor"]

SCENARIO_LIKE = "gpt-4.1-mini"
"""The model whose price, limits and capabilities a sandbox scenario has, unless it names another after an ``@``."""


class Catalogue:
    """All known models, found by alias, dated snapshot, or the name of a fine-tune (``ft:BASE:…``)."""

    def __init__(
        self, models: Iterable[Model], *, scenarios: bool = False, prefixes: Iterable[str] = ()
    ) -> None:
        self.models = tuple(models)
        self._scenarios = scenarios
        self._prefixes = frozenset(prefixes)
        self._by_name = {name: model for model in self.models for name in (*model.snapshots, model.id)}

    @classmethod
    def load(cls) -> Self:
        """The catalogue that comes with this release. The data is read once per process."""
        return cls(_models())

    def with_scenarios(self) -> "Catalogue":
        """The same models, and the sandbox's scenarios: ``sandbox-refusal``, ``sandbox-429-2@gpt-6-luna``."""
        return Catalogue(self.models, scenarios=True, prefixes=self._prefixes)

    def with_models(self, models: Iterable[Model], *, prefixes: Iterable[str] = ()) -> "Catalogue":
        """The same models and some more, which go before any of the same name.

        ``prefixes`` are names of further providers: ``azure/gpt-4o`` is the model that ``gpt-4o`` is, though nobody
        knows when it stops there.
        """
        more = tuple(models)
        names = {model.id for model in more}
        rest = (model for model in self.models if model.id not in names)
        return Catalogue((*rest, *more), scenarios=self._scenarios, prefixes=self._prefixes.union(prefixes))

    def with_stops(self, stops: Mapping[str, date | None]) -> "Catalogue":
        """The same models with the shutdown dates that the provider's own list gave, by alias or snapshot.

        A name without a date keeps what the catalogue knows.
        """
        known = {name: day for name, day in stops.items() if day is not None and name in self._by_name}
        return Catalogue(
            (
                replace(
                    model,
                    stops=known.get(model.id, model.stops),
                    snapshot_stops={
                        **model.snapshot_stops,
                        **{name: known[name] for name in model.snapshots if name in known},
                    },
                )
                for model in self.models
            ),
            scenarios=self._scenarios,
            prefixes=self._prefixes,
        )

    def known(self, name: str) -> Model | None:
        """The model of this name, retired or not; None when there is none."""
        model = self._plain(name)
        if model is not None:
            return model
        prefix, slash, rest = name.partition("/")
        there = self._plain(rest) if slash and prefix in self._prefixes else None
        if there is None:
            return None
        return replace(there, id=name, snapshots=(), stops=None, snapshot_stops={})

    def _plain(self, name: str) -> Model | None:
        model = self._by_name.get(name)
        if model is not None:
            return model
        if self._scenarios and (name == "sandbox" or name.startswith(("sandbox-", "sandbox@"))):
            like = self._by_name.get(name.partition("@")[2] or SCENARIO_LIKE)
            return None if like is None else replace(like, id=name, snapshots=())
        base = self._by_name.get(name.split(":")[1]) if name.startswith("ft:") else None
        if base is not None and base.fine_tuned is not None:
            return replace(base, id=name, snapshots=(), price=base.fine_tuned, own_price=True)
        return None

    def find(self, name: str) -> Model:
        """The model of this name, retired or not.

        Raises ``UnknownModel`` with the nearest names.
        """
        model = self.known(name)
        if model is not None:
            return model
        near = get_close_matches(name[:100], self._by_name, n=3, cutoff=0.6)
        hint = (
            f"Did you mean {' or '.join(near)}?" if near else "`GET /v1/models` lists those that are known."
        )
        raise UnknownModel(f"No model is called {name[:100]!r}. {hint}", members={"near": near})

    def get(self, name: str, *, today: date, on_retirement: OnRetirement = "refuse") -> Model:
        """The model of this name, if it can be used today; with ``successor``, else the one that follows it.

        Raises ``UnknownModel``; ``RetiredModel`` with the successor; ``UnpricedModel``.
        """
        model = self.find(name)
        stops = model.stops_on(name)
        if stops is not None and stops <= today:
            successor = self.successor(model, today=today)
            if on_retirement == "successor" and successor is not None and successor.price is not None:
                return successor
            advice = f"Use {successor.id} instead." if successor else "No successor is known."
            raise RetiredModel(
                f"The provider switched {name[:100]!r} off on {stops.isoformat()}. {advice}",
                members={"successor": successor.id if successor else None},
            )
        if model.price is None:
            raise UnpricedModel(
                f"The price of {name[:100]!r} is not known, so what it would cost cannot be bounded."
            )
        return model

    def successor(self, model: Model, *, today: date) -> Model | None:
        """The model that follows this one and still runs today; None when the chain ends before that."""
        seen = {model.id}
        name = model.successor
        while name is not None and name not in seen:
            seen.add(name)
            following = self._by_name.get(name)
            if following is None:
                return None
            if following.stops is None or following.stops > today:
                return following
            name = following.successor
        return None

    def retiring(self, *, today: date, days: int = WARN_DAYS) -> tuple[Model, ...]:
        """The models that still run today and stop within so many days, soonest first."""
        end = today + timedelta(days=days)
        soon = [model for model in self.models if model.stops is not None and today < model.stops <= end]
        return tuple(sorted(soon, key=lambda model: (model.stops or end, model.id)))


_AS_THEY_STAND = (
    *("id", "context_window", "max_output_tokens", "tokenizer", "reasoning", "as_of"),
    *("stops", "snapshot_stops", "successor", "note"),
)


@cache
def _models() -> tuple[Model, ...]:
    text = (files("service.catalogue") / "models.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text, parse_float=Decimal)
    limits = {row["name"]: tuple(RateLimits(**tier) for tier in row["tiers"]) for row in data["limits"]}
    return tuple(_model(row, limits) for row in data["model"])


def _model(row: Mapping[str, Any], limits: Mapping[str, tuple[RateLimits, ...]]) -> Model:
    plain = {key: row[key] for key in _AS_THEY_STAND if key in row}
    return Model(
        **plain,
        can=frozenset(row["can"]),
        source=tuple(row["source"]),
        snapshots=tuple(row.get("snapshots", ())),
        price=_price(row.get("price")),
        batch=_price(row.get("batch")),
        fine_tuned=_price(row.get("fine_tuned")),
        long_context=_long_context(row.get("long_context")),
        image=_image(row.get("image")),
        limits=limits.get(row.get("limits", ""), ()),
        limits_over_128k=limits.get(row.get("limits_over_128k", ""), ()),
    )


def _price(row: Mapping[str, Any] | None) -> Price | None:
    return None if row is None else Price(**{name: _whole(usd, 1_000) for name, usd in row.items()})


def _long_context(row: Mapping[str, Any] | None) -> LongContext | None:
    if row is None:
        return None
    return LongContext(
        above=row["above"],
        input_hundredths=_whole(row["input"], 100),
        output_hundredths=_whole(row["output"], 100),
    )


def _image(row: Mapping[str, Any] | None) -> Tiles | Patches | None:
    if row is None:
        return None
    if row["rule"] == "tiles":
        return Tiles(base=row["base"], tile=row["tile"])
    details = {name: PatchLimits(**row[name]) for name in ("auto", "low", "high") if name in row}
    return Patches(hundredths=_whole(row["multiplier"], 100), **details)


def _whole(amount: Decimal, scale: int) -> int:
    """The amount in units of 1/scale; the file must not hold finer figures than that."""
    scaled = amount * scale
    if scaled != int(scaled):
        raise ValueError(f"{amount} is finer than 1/{scale}")
    return int(scaled)
