"""Text → its key: what is left when case, width, accents, ligatures, spaces, punctuation and line breaks are taken away.

Two texts that a reader takes for the same have the same key, in any script: a name broken over two lines, a hyphenated
word, ``DE12 3456`` and ``DE123456``, full-width digits, presentation forms of Arabic. ``positions`` lead back.
"""

import re
import unicodedata
from array import array
from itertools import compress

_ALNUM = bytes(chr(code).isalnum() and code < 128 for code in range(256))
_ASCII = {code: (chr(code).lower() if chr(code).isalnum() else None) for code in range(128)}
_OTHER = re.compile(r"[^\x00-\x7f]+")

_DROPPED = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]+"
)
"""Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel signs and the filler of Arabic: often left out in print."""

_ALIKE = {
    **dict.fromkeys("\u0622\u0623\u0625\u0671", "\u0627"),  # forms of alef
    "\u0649": "\u064a",  # alef maksura, written for yeh and the other way round
    "\u06cc": "\u064a",  # Persian yeh
    "\u06a9": "\u0643",  # Persian kaf
    "\u0629": "\u0647",  # teh marbuta, written without its dots
    "\u0131": "i",  # dotless i
    "\u00f8": "o",
    "\u0111": "d",
    "\u0142": "l",
    "\u00e6": "ae",
    "\u0153": "oe",
    "\u00fe": "th",
    "\u00f0": "d",
}
"""Letters that are written for one another, after case folding."""

_JAMO = re.compile("[\u1100-\u11ff]+")
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3100-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Scripts in which words follow each other without spaces, or take endings without them."""


class _Folds(dict[str, str]):
    """The key of each character, worked out when it is first seen. Unicode bounds its size."""

    def __missing__(self, letter: str) -> str:
        folded = unicodedata.normalize("NFKC", letter).casefold()
        bare = _DROPPED.sub("", unicodedata.normalize("NFD", folded))
        bare = unicodedata.normalize("NFC", bare)
        kept = "".join(
            _digit(part) if part.isdigit() else _ALIKE.get(part, part)
            for part in bare
            if unicodedata.category(part)[0] in "LNM"
        )
        self[letter] = kept
        return kept


def _digit(letter: str) -> str:
    value = unicodedata.digit(letter, None)
    return letter if value is None else str(value)


_FOLDS = _Folds()


def key(text: str) -> str:
    """What is left of a text for comparing: lower-case letters and digits."""
    if text.isascii():
        return text.translate(_ASCII)
    return keyed(text)[0]


def keyed(text: str) -> tuple[str, "array[int]"]:
    """The key of a text, and for each of its characters where in ``text`` it comes from."""
    if text.isascii():
        return text.translate(_ASCII), array("I", compress(range(len(text)), text.encode().translate(_ALNUM)))
    if _JAMO.search(text):
        text = _JAMO.sub(_composed, text)
    parts: list[str] = []
    positions = array("I")
    last = 0
    for match in _OTHER.finditer(text):
        start = match.start()
        if start > last:
            _plain(text, last, start, parts, positions)
        for at, letter in enumerate(match[0], start):
            folded = _FOLDS[letter]
            if folded:
                parts.append(folded)
                for _ in folded:
                    positions.append(at)
        last = match.end()
    if last < len(text):
        _plain(text, last, len(text), parts, positions)
    return "".join(parts), positions


def _plain(text: str, start: int, end: int, parts: list[str], positions: "array[int]") -> None:
    piece = text[start:end]
    folded = piece.translate(_ASCII)
    if folded:
        parts.append(folded)
        positions.extend(compress(range(start, end), piece.encode().translate(_ALNUM)))


def _composed(match: re.Match[str]) -> str:
    """Syllables of the parts of Hangul, filled up to the old length so that positions stay."""
    return unicodedata.normalize("NFC", match[0]).ljust(len(match[0]), "\u200b")


def is_letter(letter: str) -> bool:
    """Whether a character leaves anything in a key."""
    return letter.isalnum() if letter.isascii() else bool(_FOLDS[letter])


def edge(text: str, at: int) -> bool:
    """Whether a word may begin or end between the characters before and at ``at``.

    Between two letters only in scripts without spaces; a digit beside a letter is an edge too (``12kg``, ``EUR5``).
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if not is_letter(before) or not is_letter(after):
        return True
    if before.isdigit() != after.isdigit():
        return True
    if before.isascii() and after.isascii():
        return False
    return bool(_SPACELESS.match(before) or _SPACELESS.match(after))


_CONFUSED = str.maketrans("olizsbgqt", "011258997")


def confused(folded: str) -> str:
    """A key in which letters and digits that readers of pictures mix up are one. As long as the key."""
    return folded.translate(_CONFUSED)
