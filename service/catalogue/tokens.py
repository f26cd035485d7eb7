"""How many tokens a text is: a bound and a guess that cost nothing, and the exact count."""

from collections.abc import Callable
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec

from service.catalogue.model import Tokenizer


def text_tokens_at_most(text: str) -> int:
    """An upper bound without an encoder: no token is shorter than one byte of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def text_tokens_about(text: str) -> float:
    """About how many tokens a text is, without an encoder; a microsecond for a page.

    For text as documents have it (figures, short words, gaps); of other scripts by their bytes.
    """
    return (len(text) if text.isascii() else 0.75 * len(text.encode("utf-8", "replace"))) / 3.6


def text_tokens(text: str, tokenizer: Tokenizer = "o200k_base") -> int:
    """The number of tokens of a text; special tokens written in it count as plain text.

    Linear, about 0.1 µs a token. The first call loads the vocabulary: 0.1 s and 70 MB, which stay.
    """
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # the encoder takes no lone surrogates
    return _counter(tokenizer)(text)


@cache
def _counter(tokenizer: Tokenizer) -> Callable[[str], int]:
    # `import bpe_openai` should do. Its Python layer (0.1.4) loads every vocabulary a second time into dictionaries,
    # 75 MB more, warns of a deprecation at that, and refuses a million characters. The compiled module inside it
    # needs none of that.
    package = find_spec("bpe_openai")
    found = PathFinder.find_spec("_bindings", package.submodule_search_locations) if package else None
    if found is None or found.loader is None:
        raise ImportError("bpe_openai, which counts tokens, is not installed")
    bindings = module_from_spec(found)
    found.loader.exec_module(bindings)
    count: Callable[[str], int] = bindings.tokenizer_for_encoding(tokenizer).count
    return count
