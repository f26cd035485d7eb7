"""Office files are ZIPs of XML: opened under caps, read without trusting what their directory claims."""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import NoReturn
from xml.etree import ElementTree as ET

from service.documents.errors import DocumentTooComplex, DocumentUnreadable
from service.documents.limits import Limits

Element = ET.Element

_MOST_MEMBERS = 20_000
_RATIO = 200
"""Inflated to packed bytes, above which a large member is a bomb. Word's and Excel's own XML stays below 50."""

_LARGE = 16 * 2**20
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


class Archive:
    """The members of an office file. Every read is counted against ``max_unzipped_bytes``."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Raises ``DocumentUnreadable`` for a broken ZIP, ``DocumentTooComplex`` for a bomb."""
        self._left = self._allowed = limits.max_unzipped_bytes
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise DocumentUnreadable("the office file is damaged or cut off") from error
        members = self._zip.infolist()
        if len(members) > _MOST_MEMBERS:
            raise DocumentTooComplex(
                f"the office file holds more than {_MOST_MEMBERS} parts", members={"limit": "parts"}
            )
        for member in members:
            if member.file_size > _LARGE and member.file_size > _RATIO * max(member.compress_size, 1):
                self._too_large()
        if sum(member.file_size for member in members) > self._allowed:
            self._too_large()
        self.names = frozenset(member.filename for member in members)

    def read(self, name: str) -> bytes:
        """One member's bytes; empty when it is not there.

        Raises ``DocumentUnreadable``, ``DocumentTooComplex``.
        """
        if name not in self.names:
            return b""
        try:
            with self._zip.open(name) as member:
                data = member.read(self._left + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise DocumentUnreadable("a part of the office file is damaged") from error
        self._left -= len(data)
        if self._left < 0:
            self._too_large()
        return data

    def xml(self, name: str) -> Element | None:
        """One member as XML; None when it is not there or empty.

        Raises ``DocumentUnreadable`` also for a document type: office files have none, entity bombs do.
        """
        data = self.read(name)
        if not data.strip():
            return None
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            data = data.decode("utf-16", "replace").encode()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise DocumentUnreadable(
                "a part of the office file declares a document type, as no office program does"
            )
        try:
            return ET.fromstring(data)  # noqa: S314 - entities need the document type that was refused above
        except (ET.ParseError, ValueError, LookupError) as error:
            raise DocumentUnreadable("a part of the office file is not XML") from error

    def relations(self, name: str) -> Mapping[str, tuple[str, str]]:
        """Relation id → (last word of the type, member) of the member ``name``; links to outside are left out."""
        folder, _, last = name.rpartition("/")
        root = self.xml(f"{folder}/_rels/{last}.rels" if folder else f"_rels/{last}.rels")
        return {} if root is None else dict(_relations(root, folder))

    def _too_large(self) -> NoReturn:
        raise DocumentTooComplex(
            f"the office file inflates to more than {self._allowed} bytes, or suspiciously far",
            members={"limit": "max_unzipped_bytes", "allowed": self._allowed},
        )


def _relations(root: Element, folder: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for relation in root.iter(_RELATIONS):
        target = relation.get("Target", "")
        if relation.get("TargetMode") == "External" or not target:
            continue
        kind = relation.get("Type", "").rsplit("/", 1)[-1]
        path = (
            target.lstrip("/")
            if target.startswith("/")
            else posixpath.normpath(posixpath.join(folder, target))
        )
        yield relation.get("Id", ""), (kind, path)


def local(element: Element) -> str:
    """The tag without its namespace: transitional and strict OOXML differ only there."""
    return element.tag.rpartition("}")[2]


def value(element: Element, name: str) -> str | None:
    """The attribute of that local name, in whatever namespace."""
    for key, found in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return found
    return None


def child(element: Element, name: str) -> Element | None:
    """The first child of that local name."""
    for inner in element:
        if local(inner) == name:
            return inner
    return None
