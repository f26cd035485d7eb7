"""What an image costs in tokens (contract section 4.2), and the refusal of what is no image."""

import io
import math
import warnings

from service.sandbox.errors import ProviderError
from service.sandbox.models import ImageRule, Model

__all__ = ["image_size", "image_tokens", "tokens_for"]

_PATCH = 32
# An image that is only referred to by URL is never fetched: it counts as one A4 page at 150 dpi.
_UNSEEN = (1_240, 1_754)
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def image_tokens(data: bytes | None, detail: str, model: Model, patch_budget: int) -> int:
    """Tokens of one image for one model.

    Raises `ProviderError` 400 `invalid_image_format` when the bytes are no supported image.
    """
    size = _UNSEEN if data is None else image_size(data)
    if model.images is None:
        return 0
    return tokens_for(size, detail, model.images, patch_budget)


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height from the header of an image.

    Raises `ProviderError` 400 in the provider's words when it is not PNG, JPEG, still GIF or WebP.
    """
    # Pillow costs 40 ms to import; only requests with images pay.
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Only the header is read, so a large canvas is no bomb here.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                still = getattr(image, "n_frames", 1) == 1 or image.format != "GIF"
                size = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        still, size = False, (0, 0)
    if not still or not all(size):
        raise ProviderError(
            400,
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
            "['png', 'jpeg', 'gif', 'webp'].",
            code="invalid_image_format",
        )
    return size


def tokens_for(size: tuple[int, int], detail: str, rule: ImageRule, patch_budget: int) -> int:
    """Tokens of an image of this size; `patch_budget` stands in where the rule leaves it to a setting."""
    if rule.method == "tiles":
        return _tiles(size, detail, rule)
    budget = patch_budget if rule.budget_is_setting else rule.patch_budget
    return _patches(size, rule, budget)


def _tiles(size: tuple[int, int], detail: str, rule: ImageRule) -> int:
    if detail == "low":
        return rule.base
    width, height = size
    longest = max(width, height)
    if longest > 2_048:
        width, height = max(1, width * 2_048 // longest), max(1, height * 2_048 // longest)
    shortest = min(width, height)
    if shortest > 768:
        width, height = width * 768 // shortest, height * 768 // shortest
    return rule.base + rule.tile * math.ceil(width / 512) * math.ceil(height / 512)


def _patches(size: tuple[int, int], rule: ImageRule, budget: int | None) -> int:
    width, height = float(size[0]), float(size[1])
    if rule.max_side is not None and max(width, height) > rule.max_side:
        scale = rule.max_side / max(width, height)
        width, height = max(1.0, math.floor(width * scale)), max(1.0, math.floor(height * scale))
    count = math.ceil(width / _PATCH) * math.ceil(height / _PATCH)
    if budget is not None and count > budget:
        scale = math.sqrt(_PATCH * _PATCH * budget / (width * height))
        across, down = width * scale / _PATCH, height * scale / _PATCH
        scale *= min(max(1, math.floor(across)) / across, max(1, math.floor(down)) / down)
        width, height = max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
        count = math.ceil(width / _PATCH) * math.ceil(height / _PATCH)
    return -(-count * rule.multiplier_percent // 100)
