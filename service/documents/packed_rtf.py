"""Compressed RTF ([MS-OXRTFCP]), the body of many Outlook messages that have no other."""

import struct

_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_WINDOW = 4096

RTF_LETTER = 16
"""Bytes of RTF for each character that may be read; more is cut off."""
_SEED = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
"""What both sides begin with in their window."""


def unpacked(data: bytes, most: int) -> bytes:
    """The RTF, ``most`` bytes of it at most; nothing where this is not compressed RTF."""
    if len(data) < 16:
        return b""
    raw_size, magic = struct.unpack("<4xI4s4x", data[:16])
    if magic == _PLAIN:
        return data[16 : 16 + min(raw_size, most)]
    if magic != _COMPRESSED:
        return b""
    window = bytearray(_SEED.ljust(_WINDOW, b" "))
    at, out, place = 16, bytearray(), len(_SEED)
    while at < len(data) and len(out) < most:
        control = data[at]
        at += 1
        for bit in range(8):
            if control >> bit & 1:
                pair = data[at : at + 2]
                at += 2
                if len(pair) < 2:
                    return bytes(out)
                offset, length = pair[0] << 4 | pair[1] >> 4, (pair[1] & 15) + 2
                if offset == place:
                    return bytes(out)
                taken = range(offset, offset + length)
            elif at < len(data):
                window[place] = data[at]
                at += 1
                out.append(window[place])
                place = (place + 1) % _WINDOW
                continue
            else:
                return bytes(out)
            for source in taken:
                window[place] = window[source % _WINDOW]
                out.append(window[place])
                place = (place + 1) % _WINDOW
    return bytes(out)
