"""Settings of uploaded files, nested into the service's by ``app``."""

from ipaddress import IPv4Network, IPv6Network
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


class UrlSettings(BaseModel):
    """What may be fetched for an input that is a URL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(True, description="Whether `input.url` is fetched at all.")
    allow_http: bool = Field(False, description="Whether `http` is fetched beside `https`, on port 80.")
    ports: tuple[int, ...] = Field((443,), description="JSON list of the ports that may be asked.")
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description='JSON list of networks that may be asked although they are not public, such as `["10.20.0.0/16"]`: whoever '
        "may call the service then reaches every host in them.",
    )
    ca_file: Path | None = Field(
        None, description="PEM file of certificate authorities that are trusted beside the system's."
    )
    max_bytes: int = Field(64 * 2**20, ge=1, description="Bytes that are fetched at most.")
    seconds: float = Field(30, gt=0, description="Seconds that fetching may take, redirects included.")
    max_redirects: int = Field(5, ge=0, le=20, description="Redirects that are followed.")
