"""Settings of the document loader, nested into the service's by ``app``."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.documents.limits import Bounds, Limits


class Settings(BaseModel):
    """Caps on what a document may cost, and the pool that enforces them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_pages: int = Field(
        1000, ge=1, description="Pages (sheets' row blocks, frames, messages) read from one document."
    )
    max_pixels: int = Field(
        100_000_000, ge=1, description="Pixels of one image, checked before it is decoded."
    )
    max_side: int = Field(20_000, ge=16, description="Pixels of the longer side of one image.")
    max_text_characters: int = Field(4_000_000, ge=1, description="Characters of text in one document.")
    max_words: int = Field(
        300_000, ge=0, description="Words kept with their boxes; of longer documents only the text is kept."
    )
    max_cells: int = Field(1_000_000, ge=1, description="Cells of all tables of one document.")
    max_attachments: int = Field(
        20, ge=0, description="Attachments of one message that are read; the rest is skipped."
    )
    max_nesting: int = Field(3, ge=0, description="Messages inside messages that are read.")
    max_unzipped_bytes: int = Field(
        256 * 2**20, ge=1, description="Bytes that an office file may inflate to, all parts together."
    )
    max_image_bytes: int = Field(
        64 * 2**20,
        ge=1,
        description="Bytes of all page images of one document together, as sent to the model.",
    )
    image_side: int = Field(
        1600,
        ge=256,
        le=4096,
        description="Longer side of rendered pages in pixels; larger pictures are scaled to it.",
    )
    cpu_s: float = Field(20, gt=0, description="CPU seconds that one document may take to parse.")
    wall_s: float = Field(30, gt=0, description="Seconds that one document may take to parse.")
    memory_mb: int = Field(2048, ge=256, description="Address space of one parser process in MiB.")
    workers: int = Field(
        4, ge=1, le=64, description="Parser processes at most; each starts when first needed."
    )
    idle_s: float = Field(300, gt=0, description="Seconds after which an idle parser process ends.")
    inline_bytes: int = Field(
        65_536,
        ge=0,
        description="ASCII text up to this size is read in the service itself, without a parser process (other text: a quarter, tables: an eighth).",
    )

    ocr: Literal["auto", "off"] = Field(
        "auto",
        description="Whether the text of pictures is read where it is needed (evidence, `policy: text`); `auto`: if the "
        "extra `ocr` is installed, or the system's tesseract.",
    )
    ocr_workers: int = Field(
        2,
        ge=1,
        le=64,
        description="OCR processes at most; each holds about 400 MB and starts when first needed.",
    )
    ocr_cpu_s: float = Field(15, gt=0, description="CPU seconds that OCR of one page may take.")
    ocr_wall_s: float = Field(60, gt=0, description="Seconds that OCR of one page may take.")
    ocr_memory_mb: int = Field(3072, ge=1024, description="Address space of one OCR process in MiB.")
    ocr_pages: int = Field(
        50, ge=1, description="Pages of one document that OCR reads at most; the rest stay pictures."
    )
    ocr_cache_words: int = Field(
        100_000, ge=0, description="Words read by OCR that are kept in memory, by the digest of their page."
    )

    def parsing(self) -> Bounds:
        """What the processes that parse may take."""
        return Bounds(
            "parse",
            workers=self.workers,
            memory_mb=self.memory_mb,
            cpu_s=self.cpu_s,
            wall_s=self.wall_s,
            idle_s=self.idle_s,
            start_s=30.0,
            worn_mb=256,
        )

    def recognising(self) -> Bounds:
        """What the processes that read pictures may take, for each page. Models and what they work with are 400 MB."""
        return Bounds(
            "ocr",
            workers=self.ocr_workers,
            memory_mb=self.ocr_memory_mb,
            cpu_s=self.ocr_cpu_s,
            wall_s=self.ocr_wall_s,
            idle_s=self.idle_s,
            start_s=60.0,
            worn_mb=1024,
        )

    def recognising_scripts(self) -> Bounds:
        """What the processes may take that read pictures by tesseract: as long as the others, and less memory."""
        return replace(self.recognising(), task="scripts", worn_mb=256)

    def limits(self) -> Limits:
        """The caps that the parsers themselves enforce."""
        return Limits(
            max_pages=self.max_pages,
            max_pixels=self.max_pixels,
            max_side=self.max_side,
            max_text_characters=self.max_text_characters,
            max_words=self.max_words,
            max_cells=self.max_cells,
            max_attachments=self.max_attachments,
            max_nesting=self.max_nesting,
            max_unzipped_bytes=self.max_unzipped_bytes,
            max_image_bytes=self.max_image_bytes,
            image_side=self.image_side,
        )
