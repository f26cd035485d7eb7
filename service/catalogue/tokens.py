"""How many tokens a text is: a bound that costs nothing, and the exact count."""

import re
from functools import cache

from service.catalogue.model import Tokenizer

_LONGEST = 500_000
"""Characters given to the encoder at once; it refuses a million."""

_SEAM = re.compile(r"(?<=\n)(?=[^\W_])|(?<=[^\W\d_])(?= [^\W\d_])")
"""No token of either vocabulary crosses from a line break to a letter or digit, or from a letter to a space and a letter."""


def text_tokens_at_most(text: str) -> int:
    """An upper bound without an encoder: no token is shorter than one byte of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def text_tokens(text: str, tokenizer: Tokenizer = "o200k_base") -> int:
    """The number of tokens of a text. The first call loads the vocabulary (some 0.1 s and 30 MB)."""
    encoder = _encoder(tokenizer)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # the encoder takes no lone surrogates
    total = 0
    start = 0
    while len(text) - start > _LONGEST:
        end = _seam_before(text, start, start + _LONGEST)
        total += len(encoder.encode_ordinary(text[start:end]))
        start = end
    return total + len(encoder.encode_ordinary(text[start:]))


def _seam_before(text: str, start: int, end: int) -> int:
    """The last place at or before ``end`` where cutting changes no token; ``end`` where the text offers none."""
    for window in (4_096, end - start):
        seams = [match.end() for match in _SEAM.finditer(text, end - window, end)]
        if seams:
            return seams[-1]
    return end


@cache
def _encoder(tokenizer: Tokenizer):  # type: ignore[no-untyped-def]  # the library's class is not typed
    import bpe_openai  # 30 MB that a service which never counts need not hold

    return bpe_openai.get_encoding(tokenizer)
