"""Counting tokens as the provider bills them: o200k_base, prompt overhead, cached prefixes."""

import hashlib
import warnings
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

__all__ = ["PrefixCache", "count", "encode", "pieces"]

# bpe_openai refuses inputs of more than 200,000 tokens; a character is at most four, one for each byte.
_CHUNK = 50_000


@cache
def _encoding() -> Any:
    # The vocabulary costs 0.3 s and 60 MB: only a sandbox that counts pays for it.
    with warnings.catch_warnings():
        # The wheel opens its data with importlib.resources.open_binary, deprecated since Python 3.11.
        warnings.simplefilter("ignore", DeprecationWarning)
        import bpe_openai

        return bpe_openai.get_encoding("o200k_base")


def encode(text: str) -> list[int]:
    """Token ids of any text; special-token spellings count as ordinary text."""
    if len(text) <= _CHUNK:
        return list(_encoding().encode_ordinary(text))
    ids: list[int] = []
    for start in range(0, len(text), _CHUNK):
        ids.extend(_encoding().encode_ordinary(text[start : start + _CHUNK]))
    return ids


@lru_cache(maxsize=256)
def count(text: str) -> int:
    """How many tokens a text has; recent texts are remembered."""
    return len(encode(text))


def pieces(text: str) -> list[bytes]:
    """The bytes of each token of a text, in order; they join to the text."""
    encoding = _encoding()
    return [bytes(encoding.decode_single_token_bytes(token)) for token in encode(text)]


class PrefixCache:
    """The provider's prompt cache: exact prefixes of at least 1024 tokens, in steps of 128."""

    _STEP = 128
    _MINIMUM = 1_024
    _REMEMBERED = 50_000

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def read(self, scope: str, tokens: Sequence[int], now: float, *, idle_s: float = 600.0) -> int:
        """Cached tokens of this prompt, and remember it; `idle_s` is how long a prefix stays unused."""
        if len(tokens) < self._MINIMUM:
            return 0
        cached = 0
        digest = hashlib.blake2b(scope.encode(), digest_size=16).digest()
        fresh: list[bytes] = []
        for end in range(self._STEP, len(tokens) + 1, self._STEP):
            block = array("I", tokens[end - self._STEP : end]).tobytes()
            digest = hashlib.blake2b(digest + block, digest_size=16).digest()
            if end < self._MINIMUM:
                continue
            used = self._seen.get(digest)
            if used is not None and now - used <= idle_s and cached in (0, end - self._STEP):
                cached = end
            fresh.append(digest)
        for digest in fresh:
            self._seen.pop(digest, None)
            self._seen[digest] = now
        while len(self._seen) > self._REMEMBERED:
            self._seen.popitem(last=False)
        return cached
