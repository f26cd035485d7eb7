"""What JSON and XML write as escapes, as the letters that a reader sees. The structure of the text stays as it is."""

import re

_JSON = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|.)", re.DOTALL)
_XML = re.compile(r"&(?:#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6})|(amp|apos|quot));")
_NAMES = {"amp": "&", "apos": "'", "quot": '"'}
_PROLOG = re.compile(
    rb"\A\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']", re.IGNORECASE
)
_FIRST = 0xA0
"""The first code that is written as a letter: those before it are controls, and signs that ASCII has."""


def declared(data: bytes) -> str | None:
    """The encoding that the first line of an XML document declares."""
    found = _PROLOG.match(data[:400])
    return found[1].decode("ascii").lower() if found else None


def of_json(text: str) -> str:
    """Letters beyond ASCII and slashes, which some programs escape; quotes, line ends and the like stay escaped."""
    return _paired(_JSON.sub(_letter, text)) if "\\u" in text or "\\/" in text else text


def _letter(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "/" if escape[0] == "\\/" else escape[0]
    code = int(escape[1], 16)
    return chr(code) if code >= _FIRST else escape[0]


def _paired(text: str) -> str:
    """Characters beyond the first plane come as pairs; half of one is no character."""
    if re.search("[\ud800-\udfff]", text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def of_xml(text: str) -> str:
    """Letters beyond ASCII, ampersands and quotes; angle brackets stay escaped, or they would be taken for tags."""
    return _XML.sub(_sign, text) if "&" in text else text


def _sign(escape: re.Match[str]) -> str:
    if escape[3] is not None:
        return _NAMES[escape[3]]
    code = int(escape[1]) if escape[1] else int(escape[2], 16)
    letter = _FIRST <= code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if letter else escape[0]
