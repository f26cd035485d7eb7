"""OLE compound files ([MS-CFB]), the little file systems of XLS and MSG, made by code."""

import struct
from collections.abc import Mapping
from typing import Union

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

Folder = Mapping[str, Union[bytes, "Folder"]]


def compound(root: Folder) -> bytes:
    """A file that holds these streams (bytes) and folders of streams. Short streams lie in the mini stream, as they must."""
    entries: list[tuple[str, int, int, bytes]] = []  # name, kind, first child, content
    sisters: dict[int, int] = {}

    def add(name: str, kind: int, inside: Folder) -> int:
        place = len(entries)
        entries.append((name, kind, FREE, b""))
        before = -1
        # Sisters as a chain to the right: readers that walk the tree find them all.
        for called, content in sorted(inside.items(), key=lambda item: (len(item[0]), item[0].upper())):
            if isinstance(content, bytes):
                at = len(entries)
                entries.append((called, 2, FREE, content))
            else:
                at = add(called, 1, content)
            if before < 0:
                entries[place] = (name, kind, at, b"")
            else:
                sisters[before] = at
            before = at
        return place

    add("Root Entry", 5, root)
    mini, minis = b"", []
    firsts: dict[int, int] = {}
    for place, (_, kind, _, content) in enumerate(entries):
        if kind == 2 and content and len(content) < CUTOFF:
            firsts[place] = len(minis)
            count = -(-len(content) // MINI)
            minis += [*range(len(minis) + 1, len(minis) + count), END]
            mini += content.ljust(count * MINI, b"\0")
    table: list[int] = []
    data = b""

    def store(content: bytes) -> int:
        nonlocal data
        if not content:
            return END
        first, count = len(table), -(-len(content) // SECTOR)
        table.extend([*range(first + 1, first + count), END])
        data += content.ljust(count * SECTOR, b"\0")
        return first

    for place, (_, kind, _, content) in enumerate(entries):
        if kind == 2 and len(content) >= CUTOFF:
            firsts[place] = store(content)
    mini_first = store(mini)
    minis_first = store(
        struct.pack(f"<{len(minis)}I", *minis).ljust(-(-4 * len(minis) // SECTOR) * SECTOR, b"\xff")
    )
    directory = b""
    for place, (name, kind, child, content) in enumerate(entries):
        first, size = (mini_first, len(mini)) if kind == 5 else (firsts.get(place, END), len(content))
        wide = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<HBBIII", len(wide), kind, 1, FREE, sisters.get(place, FREE), child)
        directory += (
            wide.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", first, size if kind != 1 else 0)
        )
    unused = bytes(64) + struct.pack("<HBBIII", 0, 0, 0, FREE, FREE, FREE) + bytes(48)
    directory += unused * (-len(entries) % 4)
    directory_first = store(directory)
    tables = 1
    while len(table) + tables > tables * SECTOR // 4:
        tables += 1
    table_first = len(table)
    table += [TABLE] * tables
    table += [FREE] * (tables * SECTOR // 4 - len(table))
    data += struct.pack(f"<{len(table)}I", *table)
    assert tables <= 109
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xII", 0x3E, 3, 0xFFFE, 9, 6, 0, tables)
    header += struct.pack(
        "<IIIIIII", directory_first, 0, CUTOFF, minis_first, -(-4 * len(minis) // SECTOR), END, 0
    )
    header += struct.pack("<109I", *range(table_first, table_first + tables), *[FREE] * (109 - tables))
    return header + data
