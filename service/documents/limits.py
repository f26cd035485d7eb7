"""The caps as a plain value, for both sides of the process boundary."""

from dataclasses import dataclass
from typing import Literal

Task = Literal["parse", "ocr", "scripts"]
"""What a worker process is there for its whole life: to parse, or to read pictures by rapidocr or by tesseract."""


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


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many processes of one kind there may be, and what one job may cost them."""

    task: Task
    workers: int
    memory_mb: int
    cpu_s: float
    wall_s: float
    idle_s: float
    start_s: float
    """Seconds that a process may take to come up on a busy machine."""
    worn_mb: int
    """Resident memory after a job from which a process is replaced: one large document must not hold it for ever."""
