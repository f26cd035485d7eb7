"""Settings of uploaded files, nested into the service's by ``app``."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Where uploaded files and large request bodies lie, how long and how many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None = Field(
        None,
        description="Folder for uploaded files and for request bodies too large for memory; by default `<database>-files` "
        "beside an SQLite file, else `winnow-files`. Processes that share a database share it.",
    )
    days: float = Field(7, gt=0, le=3650, description="Days that an uploaded file is kept.")
    max_total_bytes: int = Field(
        10 * 2**30, ge=0, description="Bytes of all uploaded files together; equal files count once."
    )
    sweep_s: float = Field(600, gt=0, description="Seconds between two removals of files that have expired.")
    spool_bytes: int = Field(
        2**20,
        ge=0,
        le=2**26,
        description="Bytes of a request body that are kept in memory; a larger one goes to a nameless file in the folder.",
    )
