"""The caps as a plain value, for both sides of the process boundary."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost. ``Settings`` is the same with descriptions; defaults live there only."""

    max_pages: int
    max_pixels: int
    max_side: int
    max_text_characters: int
    max_words: int
    max_cells: int
    max_attachments: int
    max_nesting: int
    max_unzipped_bytes: int
    max_image_bytes: int
    image_side: int
