"""All of the registry into a file, and a file into a registry without anything."""

import asyncio
from typing import IO

from service.foundation import telemetry
from service.registry import archive
from service.registry.archive import Archive, Summary
from service.registry.errors import RegistryNotEmpty
from service.registry.registry import Registry
from service.registry.store import Writer


async def export_to(registry: Registry, file: IO[bytes]) -> int:
    """Write everything as of one moment; the number of bytes. The file stands at its beginning then."""
    writing = Archive(file)
    await registry.store.dump(writing.add)

    def end() -> int:
        writing.close()
        size = file.tell()
        file.seek(0)
        return size

    return await asyncio.to_thread(end)


def ensure_empty(registry: Registry) -> None:
    """Raise ``RegistryNotEmpty`` where there is anything, as far as is known without asking the database."""
    if registry.snapshot.entries:
        raise RegistryNotEmpty(f"There are {len(registry.snapshot.entries)} schemas; nothing was imported.")


async def import_from(registry: Registry, file: IO[bytes], *, by: str) -> Summary:
    """Check a whole archive, then insert it in one transaction. Raises ``ArchiveRejected``, ``RegistryNotEmpty``."""
    found = await asyncio.to_thread(archive.check, file)

    def insert(writer: Writer) -> None:
        if not writer.is_empty():
            raise RegistryNotEmpty("Something was done in this registry already; nothing was imported.")
        for kind, rows in archive.rows(file):
            writer.load(kind, rows)

    await registry.write(insert, by=by)
    telemetry.log.info("registry_imported", by=by, schemas=found.schemas, versions=found.versions)
    return found
