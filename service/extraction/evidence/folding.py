"""Text → its key: what is left when case, width, accents, ligatures, spaces, punctuation and line breaks are taken away.

Two texts that a reader takes for the same have the same key, in any script: a name broken over two lines, a hyphenated
word, ``DE12 3456`` and ``DE123456``, full-width digits, presentation forms of Arabic. ``positions`` lead back.
"""

import re
import unicodedata
from array import array
from itertools import compress

_ALNUM = bytes(chr(code).isalnum() and code < 128 for code in range(256))
_LOWER = bytes(range(256)).lower()
_EACH_ASCII = bytes(range(128))
_NOT_ALNUM = bytes(code for code in range(128) if not chr(code).isalnum())
_SIGNS = bytes(code for code in _NOT_ALNUM if not chr(code).isspace())
_OTHER = re.compile(r"([^\x00-\x7f]+)")

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

_JAMO_LEADS = (b"\xe1\x84", b"\xe1\x85", b"\xe1\x86", b"\xe1\x87")
"""How UTF-8 begins what the next expression finds: looking for that is many times faster."""

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
        return _plain(text)
    text = _whole(text)
    if len(text) <= _SHORT:
        return "".join(map(_FOLDS.__getitem__, text))
    letters = beyond_ascii(text)
    if len(letters) <= _FEW:
        # Most texts of the Latin script: each of their few other letters at once.
        folds = [(letter, _FOLDS[letter]) for letter in letters]
        if all(folded.isascii() for _, folded in folds):
            for letter, folded in folds:
                text = text.replace(letter, folded)
            return _plain(text)
    pieces = _OTHER.split(text)
    for at in range(0, len(pieces), 2):
        pieces[at] = _plain(pieces[at])
    for at in range(1, len(pieces), 2):
        pieces[at] = "".join(map(_FOLDS.__getitem__, pieces[at]))
    return "".join(pieces)


_SHORT = 80
"""Characters of a text, up to which looking each of them up costs least."""

_FEW = 24
"""Different letters, up to which replacing one after the other costs less than going through the text."""


def beyond_ascii(text: str) -> set[str]:
    """The characters of a text that are not ASCII."""
    return set(
        text.encode(errors="surrogatepass").translate(None, _EACH_ASCII).decode(errors="surrogatepass")
    )


def _plain(text: str) -> str:
    """The key of ASCII. As bytes: a fifth of what it costs to translate text."""
    return text.encode().translate(_LOWER, _NOT_ALNUM).decode()


def keys(text: str) -> list[str]:
    """The keys of the words of an ASCII text, without those that are signs only."""
    return text.encode().translate(_LOWER, _SIGNS).decode().split()


def positions(text: str) -> "array[int]":
    """Where each character of a text's key comes from."""
    if text.isascii():
        return array("I", compress(range(len(text)), text.encode().translate(_ALNUM)))
    found = array("I")
    at = 0
    for number, piece in enumerate(_OTHER.split(_whole(text))):
        if number % 2:
            for place, letter in enumerate(piece, at):
                for _ in _FOLDS[letter]:
                    found.append(place)
        elif piece:
            found.extend(compress(range(at, at + len(piece)), piece.encode().translate(_ALNUM)))
        at += len(piece)
    return found


def by_itself(text: str) -> bool:
    """Whether each character of a text is folded by itself, whatever stands beside it."""
    if text.isascii():
        return True
    encoded = text.encode(errors="surrogatepass")
    return not any(lead in encoded for lead in _JAMO_LEADS)


def _whole(text: str) -> str:
    """The text with its Hangul as syllables. As long as the text."""
    return _JAMO.sub(_composed, text) if not by_itself(text) else text


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
