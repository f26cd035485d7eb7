"""Which legacy encoding a text is in, also when it is one line long.

Statistical detectors need paragraphs; the documents here are often a few fields. So each candidate decodes the text, and
what comes out is judged: letters that its languages use often, next to letters of their own kind, speak for it; signs
in the middle of words, rare ideographs and scripts mixed within a word speak against it. Below a minimum the
statistical detector decides.
"""

from collections.abc import Callable

_ALPHABETS: tuple[tuple[str, str], ...] = (
    # Encoding and the letters that one of its languages uses often (lower case). Order breaks ties.
    ("cp1252", "äöüß"),
    ("cp1252", "éèàçêôîùâûëïœ"),
    ("cp1252", "ñáíóúéü"),
    ("cp1252", "ãõçáéíóúâêô"),
    ("cp1252", "åæøäöé"),
    ("cp1252", "àèéìòù"),
    ("cp1250", "ąćęłńóśźż"),
    ("cp1250", "áčďéěíňóřšťúůýžľôä"),
    ("cp1250", "áéíóöőúüű"),
    ("cp1250", "ăâîşţ"),
    ("cp1250", "čćđšž"),
    ("cp1254", "ğışöüç"),
    ("cp1257", "āčēģīķļņšūž"),
    ("cp1257", "ąčęėįšųūž"),
    ("cp1257", "õäöü"),
)
_RANGES: tuple[tuple[str, str, str, str], ...] = (
    # Encoding, the script's first and last letter, and its frequent ones.
    ("cp1251", "Ѐ", "ӿ", "оеаинтсрвлкмдпуі"),
    ("koi8-r", "Ѐ", "ӿ", "оеаинтсрвлкмдпу"),
    ("cp866", "Ѐ", "ӿ", "оеаинтсрвлкмдпу"),
    ("cp1253", "Ͱ", "Ͽ", "αοιετσνηυρπκλμςίόάέ"),
    ("cp1255", "֐", "׿", "יוהלאברמתנש"),
    ("cp1256", "؀", "ۿ", "ايلمنترةوبهعدفقس"),
    ("cp874", "฀", "๿", "านรเกอมงวทลยสตดบปคี่้ัิ"),
)
Judge = Callable[[str, str, str], float]
"""A letter beyond ASCII, the characters before and after it → how plausible it is."""

_SIGNS = frozenset("€£§°–—“”„‘’…•©®™«»№±²³½×¥")
_TYPICAL = 0.55
"""Mean judgement from which a candidate is believed."""

_FEW = 8
_LIKELY = 0.35
"""Bytes beyond ASCII below which no detector is asked, and the judgement from which a candidate is then believed: a
letter that stands alone gives less."""

_SAMPLE = 8192
"""Bytes that are judged, from the first one beyond ASCII."""


def guess(data: bytes) -> str:
    """A Python codec name. The text need not decode without a fault."""
    first = next((at for at, byte in enumerate(data) if byte >= 0x80), 0)
    sample = data[max(first - 64, 0) :][:_SAMPLE]
    scored = [(_judged(one, judge, sample), -place, one) for place, (one, judge) in enumerate(_CANDIDATES)]
    score, _, encoding = max(scored)
    if score >= _TYPICAL:
        return encoding
    if (
        sum(byte >= 0x80 for byte in sample) < _FEW
    ):  # of a handful of bytes statistics find any script on earth
        return encoding if score >= _LIKELY else "cp1252"
    from charset_normalizer import from_bytes  # loaded for the texts that are none of the above

    match = from_bytes(data).best()
    return encoding if match is None else match.encoding


def _judged(encoding: str, judge: Judge, data: bytes) -> float:
    """Mean over the characters beyond ASCII, -1 to 1; a byte that does not decode counts -2."""
    text = data.decode(encoding, "replace").removesuffix("\ufffd")
    total = 0.0
    count = 0
    for at, letter in enumerate(text):
        if letter < "\x80":
            continue
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        total += -2.0 if letter == "\ufffd" or "\x80" <= letter < "\xa0" else judge(letter, before, after)
        count += 1
    return total / count if count else 0.0


def _alphabet(letters: str) -> Judge:
    common = frozenset(letters)

    def judge(letter: str, before: str, after: str) -> float:
        inside = before.isalpha() and after.isalpha()
        if not letter.isalpha():
            return -1.0 if inside and letter != "’" else 0.6 if letter in _SIGNS or letter == "\xa0" else -0.2
        if letter.isupper() and before.islower():
            return -0.8
        if (
            not before.isalpha() and not after.isalpha()
        ):  # a sign in another encoding, or a word of one letter
            return 0.1
        return 0.9 if letter.lower() in common else 0.0

    return judge


def _script(first: str, last: str, letters: str) -> Judge:
    frequent = frozenset(letters)

    def judge(letter: str, before: str, after: str) -> float:
        if not first <= letter <= last:
            return 0.5 if letter in _SIGNS or letter == "\xa0" else -0.6
        if any(side.isascii() and side.isalpha() for side in (before, after)):
            return -1.0
        if letter.isupper() and before.islower():
            return -0.8
        if not any(first <= side <= last for side in (before, after)):
            return 0.3
        return 0.95 if letter.lower() in frequent else 0.65

    return judge


def _japanese(letter: str, before: str, after: str) -> float:
    if "\u3040" <= letter <= "\u30ff" or letter in "、。「」・ー（）":
        return 1.0
    if "\uff61" <= letter <= "\uff9f":  # half-width kana: what Latin text looks like in Shift-JIS
        return -0.4
    return _ideograph(letter, before, after, "cp932", 0x88, 0x97)


def _korean(letter: str, _before: str, _after: str) -> float:
    if "가" <= letter <= "힣":
        lead, trail = letter.encode("cp949")
        return 1.0 if lead >= 0xB0 and trail >= 0xA1 else -0.5  # syllables outside of KS X 1001 are rare
    return 0.2 if "\u4e00" <= letter <= "\u9fff" else _sign(letter)


def _simplified(letter: str, before: str, after: str) -> float:
    return _ideograph(letter, before, after, "gb18030", 0xB0, 0xD7)


def _traditional(letter: str, before: str, after: str) -> float:
    return _ideograph(letter, before, after, "big5", 0xA4, 0xC6)


def _ideograph(letter: str, before: str, after: str, encoding: str, first: int, last: int) -> float:
    """Ideographs of the standard's first level are the common ones; one alone in a Latin word is a misreading."""
    if not "\u4e00" <= letter <= "\u9fff":
        return _sign(letter)
    if before.isascii() and before.isalpha() and after.isascii() and after.isalpha():
        return -1.0
    code = letter.encode(encoding, "replace")
    if len(code) != 2:
        return -0.5
    if encoding == "gb18030" and code[1] < 0xA1:  # GBK's extension of GB 2312
        return -0.5
    return 0.9 if first <= code[0] <= last else 0.1


def _sign(letter: str) -> float:
    return (
        0.7 if "\u3000" <= letter <= "\u303f" or "\uff01" <= letter <= "\uff5e" or letter in _SIGNS else -0.6
    )


_CANDIDATES: tuple[tuple[str, Judge], ...] = (
    *((encoding, _alphabet(letters)) for encoding, letters in _ALPHABETS),
    ("cp932", _japanese),
    ("cp949", _korean),
    ("gb18030", _simplified),
    ("big5", _traditional),
    ("euc_jp", _japanese),
    *((encoding, _script(first, last, letters)) for encoding, first, last, letters in _RANGES),
)
