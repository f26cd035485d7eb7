"""How many tokens a picture costs (the provider's images-and-vision guide; tiles and 32 px patches)."""

from math import ceil, floor, sqrt

from service.catalogue.model import Detail, Model, Patches, Tiles

_TILE_BOX = 2048
_TILE_SHORT_SIDE = 768
_TILE = 512
_PATCH = 32


def image_tokens(
    model: Model, width: int, height: int, detail: Detail = "auto", *, budget: int | None = None
) -> int:
    """The tokens of a picture of this size in pixels.

    ``budget`` overrides the model's number of patches. A model without eyes counts nothing.
    """
    match model.image:
        case Tiles() as rule:
            return _tiles(rule, width, height, detail)
        case Patches() as rule:
            limits = rule.limits(detail)
            count = _patches(width, height, box=limits.box, budget=budget or limits.budget)
            return -(-count * rule.hundredths // 100)
        case None:
            return 0


def image_tokens_at_most(model: Model, width: int, height: int, detail: Detail = "auto") -> int:
    """An upper bound: the largest budget that any source names, and one pixel and one token for their rounding."""
    match model.image:
        case Tiles() as rule:
            return _tiles(rule, width, height, detail, slack=1) + 1
        case Patches() as rule:
            limits = rule.limits(detail)
            wide, high = _fit(width, height, limits.box)
            count = ceil((wide + 1) / _PATCH) * ceil((high + 1) / _PATCH)
            most = limits.most or limits.budget
            return -(-(count if most is None else min(count, most)) * rule.hundredths // 100) + 1
        case None:
            return 0


def _tiles(rule: Tiles, width: int, height: int, detail: Detail, *, slack: int = 0) -> int:
    if detail == "low":
        return rule.base
    wide, high = _fit(width, height, _TILE_BOX)
    if min(wide, high) > _TILE_SHORT_SIDE:
        # The ratio is taken from the original sides: it is exact, the fitted ones are not.
        long_side = max(width, height) * _TILE_SHORT_SIDE // min(width, height)
        wide, high = float(_TILE_SHORT_SIDE), float(long_side)
    return rule.base + rule.tile * ceil((wide + slack) / _TILE) * ceil((high + slack) / _TILE)


def _patches(width: int, height: int, *, box: int | None, budget: int | None) -> int:
    wide, high = _fit(width, height, box)
    count = ceil(wide / _PATCH) * ceil(high / _PATCH)
    if budget is None or count <= budget:
        return count
    scale = sqrt(_PATCH * _PATCH * budget / (wide * high))
    columns, rows = wide * scale / _PATCH, high * scale / _PATCH
    # A side thinner than one patch cannot be floored to nothing.
    scale *= min(max(floor(columns), 1) / columns, max(floor(rows), 1) / rows)
    return min(
        max(ceil(floor(wide * scale) / _PATCH), 1) * max(ceil(floor(high * scale) / _PATCH), 1), budget
    )


def _fit(width: int, height: int, box: int | None) -> tuple[float, float]:
    """The sides after shrinking into a square box; never enlarged."""
    longest = max(width, height)
    if box is None or longest <= box:
        return float(width), float(height)
    return width * box / longest, height * box / longest
