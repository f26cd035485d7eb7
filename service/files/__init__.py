"""Bytes that do not come with the request: files that were uploaded before, and what a URL leads to."""

from service.files.errors import FileExpired, FilesFull, FilesUnavailable, UnknownFile
from service.files.files import Files
from service.files.settings import Settings
from service.files.store import File

__all__ = [
    "File",
    "FileExpired",
    "Files",
    "FilesFull",
    "FilesUnavailable",
    "Settings",
    "UnknownFile",
]
