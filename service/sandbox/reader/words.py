"""From spellings to canonical words: folding, splitting of names and compounds, and how well two sets agree."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from service.sandbox.reader.lexicon import PHRASES, STEMS
from service.sandbox.reader.synonyms import ALTERNATIVES, WEAK

__all__ = [
    "agreement",
    "alternatives",
    "canonical",
    "fold",
    "name_words",
    "plain_words",
    "split_name",
    "weight",
]

_WORD = re.compile(r"[#№°]|[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FOLDED = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "æ": "ae", "đ": "d", "ı": "i", "œ": "oe"}
)
# What says little without its first half.
_VAGUE = frozenset({"number", "date", "amount", "name", "total", "price"})
_CANONICAL = frozenset(STEMS.values())
_LONGEST_PHRASE = max(len(phrase) for phrase in PHRASES)
# Linking letters between the parts of German and Dutch compounds.
_LINKS = ("", "s", "es", "n", "en", "e", "-")


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """Lower case without accents; letters of other scripts stay."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_FOLDED))
    return "".join(character for character in plain if not unicodedata.combining(character))


def plain_words(text: str) -> list[str]:
    """Folded words and number signs of a text."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=16_384)
def canonical(text: str) -> tuple[str, ...]:
    """Canonical words of a label or heading, in order, unknown words folded."""
    return _canonical(plain_words(text[:200]))


@lru_cache(maxsize=8_192)
def name_words(name: str) -> tuple[str, ...]:
    """Canonical words of a property name: `dueDate`, `due_date` and `due-date` are the same."""
    return _canonical(plain_words(split_name(name)))


def split_name(name: str) -> str:
    """A property name as words with spaces between."""
    return _CAMEL.sub(" ", name[:200]).replace("_", " ")


def _canonical(words: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    index = 0
    while index < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - index), 1, -1):
            phrase = PHRASES.get(tuple(words[index : index + length]))
            if phrase is not None:
                found.append(phrase)
                index += length
                break
        else:
            found.extend(_word(words[index]))
            index += 1
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=16_384)
def _word(word: str) -> tuple[str, ...]:
    known = STEMS.get(word)
    if known is not None:
        return (known,)
    if len(word) >= 7:
        parts = _compound(word)
        if parts:
            return parts
    if word.endswith("s") and (known := STEMS.get(word[:-1])) is not None:
        return (known,)
    return (word,)


def _compound(word: str) -> tuple[str, ...]:
    """Both halves of a compound, when both are known: `rechnungsnummer` is invoice and number."""
    for cut in range(len(word) - 2, 2, -1):
        head, tail = word[:cut], word[cut:]
        last = STEMS.get(tail)
        if last is None or (len(tail) < 3 and tail != "nr"):
            continue
        for link in _LINKS:
            if link and not head.endswith(link):
                continue
            first = STEMS.get(head[: len(head) - len(link)] if link else head)
            if first is not None and len(head) > 2:
                return (first, last) if first != last else (first,)
    # an unknown first half leaves what the word is: `handelsrechnung` is an invoice
    for cut in range(3, len(word) - 5):
        last = STEMS.get(word[cut:])
        if last is not None:
            return (word[:cut], last) if last in _VAGUE else (last,)
    return ()


def weight(word: str) -> float:
    """How much a word decides: general words little, particular ones one."""
    return WEAK.get(word, 1.0)


@lru_cache(maxsize=8_192)
def alternatives(words: frozenset[str]) -> tuple[frozenset[str], ...]:
    """Other sets of words that documents print for the same thing, best first."""
    return _ALTERNATIVES.get(words, ())


def _spelled(text: str) -> frozenset[str]:
    """Words of the tables as labels come out: `from` is a spelling of `start`."""
    return frozenset(part for word in text.split() for part in _word(word))


_ALTERNATIVES: dict[frozenset[str], tuple[frozenset[str], ...]] = {}
for _words, _others in ALTERNATIVES.items():
    # spellings of one word, such as amount and value, share their alternatives
    _key = _spelled(" ".join(sorted(_words)))
    _known = _ALTERNATIVES.get(_key, ())
    _ALTERNATIVES[_key] = tuple(dict.fromkeys((*_known, *(_spelled(_other) for _other in _others))))


def agreement(wanted: frozenset[str], label: Iterable[str], neutral: frozenset[str] = frozenset()) -> float:
    """0 to 1: how much of `wanted` a label says, less what it says besides; `neutral` words cost nothing."""
    label = frozenset(label)
    common = wanted & label
    if not common:
        return 0.0
    hit = sum(map(weight, common))
    total = sum(map(weight, wanted))
    extra = sum(weight(word) * (1.0 if word in _CANONICAL else 0.45) for word in label - wanted - neutral)
    if total <= 0:
        return 0.0
    # without its most particular word a label means something else: `order date` is no due date
    if max(map(weight, wanted)) > max(map(weight, common)) + 0.05:
        hit *= 0.65
    return hit / (total + 0.6 * extra)
