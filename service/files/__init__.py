"""Bytes that do not come with the request: files that were uploaded before, and what a URL leads to."""

from service.files.errors import (
    FileExpired,
    FilesFull,
    FilesUnavailable,
    UnknownFile,
    UrlBadAnswer,
    UrlRefused,
    UrlTooLarge,
    UrlTooSlow,
    UrlUnreachable,
)
from service.files.fetch import Fetched, Fetcher
from service.files.files import Files
from service.files.settings import Settings, UrlSettings
from service.files.store import File

__all__ = [
    "Fetched",
    "Fetcher",
    "File",
    "FileExpired",
    "Files",
    "FilesFull",
    "FilesUnavailable",
    "Settings",
    "UnknownFile",
    "UrlBadAnswer",
    "UrlRefused",
    "UrlSettings",
    "UrlTooLarge",
    "UrlTooSlow",
    "UrlUnreachable",
]
