"""The JSON of uploaded files."""

from datetime import datetime

from pydantic import BaseModel, Field

from service.files.store import File


class FileBody(BaseModel):
    """An uploaded file."""

    id: str = Field(description="Use it as `input.file_id`.", examples=["file_01kahx3v6m8q2d0z4w7y5t9r1c"])
    name: str | None = Field(description="As it was given.", examples=["invoice.pdf"])
    media_type: str | None = Field(
        description="As it was declared; what a file is decides when it is read.",
        examples=["application/pdf"],
    )
    size: int = Field(description="Bytes.", examples=[48213])
    digest: str = Field(
        description="Of the bytes; equal bytes are kept once.",
        examples=["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    created_at: datetime
    expires_at: datetime = Field(description="From then on it is a 404 `file_expired`.")


class FileList(BaseModel):
    """One page of files."""

    files: list[FileBody]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")


def file_body(file: File) -> FileBody:
    """A file as callers see it."""
    return FileBody(
        id=file.id,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        digest=file.digest,
        created_at=file.created_at,
        expires_at=file.expires_at,
    )
