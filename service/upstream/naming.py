"""Which provider and which model a name means. Pure."""

from collections.abc import Mapping
from decimal import ROUND_CEILING
from typing import Any

from service.catalogue import Catalogue, Model, Price
from service.catalogue.model import Capability, Tiles
from service.foundation import clock
from service.upstream.settings import OwnModel, ProviderSettings, Settings

DEFAULT = ""
"""The name of the provider that names without a prefix mean."""


def route(name: str, providers: Mapping[str, Any]) -> tuple[str, str]:
    """The provider and the model name it is given: ``local/llama3`` where there is a provider ``local``.

    Any other name belongs to the default provider as it is; servers of one's own may have slashes in their names.
    """
    prefix, slash, rest = name.partition("/")
    return (prefix, rest) if slash and prefix in providers else (DEFAULT, name)


def catalogue_of(settings: Settings, catalogue: Catalogue) -> Catalogue:
    """The catalogue with the models that the settings add, and known models at every named provider."""
    own = [_model(name, model) for name, model in settings.models.items()]
    for prefix, provider in settings.providers.items():
        own += [_model(f"{prefix}/{name}", model) for name, model in provider.models.items()]
    return catalogue.with_models(own, prefixes=settings.providers)


def provider_settings(settings: Settings) -> dict[str, ProviderSettings]:
    """All providers by name; the default one has the empty name."""
    return {DEFAULT: settings, **settings.providers}


def _model(name: str, own: OwnModel) -> Model:
    abilities: dict[Capability, bool] = {
        "json_schema": own.json_schema,
        "temperature": own.temperature,
        "vision": own.vision,
    }
    return Model(
        id=name,
        context_window=own.context_window,
        max_output_tokens=min(own.max_output_tokens, own.context_window),
        tokenizer="o200k_base",
        can=frozenset(ability for ability, has in abilities.items() if has),
        as_of=clock.now().date(),
        source=("settings",),
        price=Price(input=_nano(own.input_usd_per_million), output=_nano(own.output_usd_per_million)),
        # Nobody knows how a server of one's own counts an image; this is the commonest rule.
        image=Tiles(base=85, tile=170) if own.vision else None,
        note="from the settings",
        own_price=True,
    )


def _nano(usd_per_million: Any) -> int:
    """Nano-dollars a token, rounded up: a cap must not be passed by rounding."""
    return int((usd_per_million * 1_000).to_integral_value(rounding=ROUND_CEILING))
