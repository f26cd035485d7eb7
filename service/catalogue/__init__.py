"""Models as data: prices, limits, capabilities, retirement; token and image rules. Pure."""

from service.catalogue.catalogue import Catalogue, OnRetirement
from service.catalogue.errors import RetiredModel, UnknownModel, UnpricedModel
from service.catalogue.images import image_tokens, image_tokens_at_most
from service.catalogue.model import Effort, Model, Patches, Price, RateLimits, Tiles, cost
from service.catalogue.tokens import text_tokens, text_tokens_about, text_tokens_at_most

__all__ = [
    "Catalogue",
    "Effort",
    "Model",
    "OnRetirement",
    "Patches",
    "Price",
    "RateLimits",
    "RetiredModel",
    "Tiles",
    "UnknownModel",
    "UnpricedModel",
    "cost",
    "image_tokens",
    "image_tokens_at_most",
    "text_tokens",
    "text_tokens_about",
    "text_tokens_at_most",
]
