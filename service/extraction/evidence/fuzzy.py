"""Texts that a document prints with words between or letters misread. Strict on purpose: a near miss is an invention.

``scattered`` follows a text word by word, over columns that were read across. ``approximate`` forgives what readers of
pictures do (0 for O, 1 for l, a letter lost), and only on pages that were read from pictures, or in long passages.
"""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections import Counter

from service.extraction.evidence.folding import confused, key
from service.extraction.evidence.index import Index

Found = tuple[int, int, float]
"""Start, end and quality."""

_WORDS_MOST = 600
_ANCHORS = 4
_PLACES = 40
_GAP = 14
"""Words of other columns that may stand between two words of a text."""

_COVERED = 0.88
"""Share of a passage's letters that has to be there."""

_LONG = 40
"""Letters of a key, from which a born-digital text may differ a little."""

_PASSAGE = 8
"""Words, from which a text is a passage rather than a name."""

_GAP_AFTER = re.compile(r"[^\w\s]{0,3}(?:\s{2}|\n|\s?\|)")
_GAP_BEFORE = re.compile(r"(?:\s{2}|\n|\|\s?)[^\w\s]{0,3}$")
"""What stands between columns: two spaces, a line break, the bar between cells."""

_DIGITS = re.compile(r"\d+")


def scattered(index: Index, value: str) -> list[Found]:
    """Where the words of a text stand in order, with others between them or a few missing."""
    wanted = index.tokens_of(value)[:_WORDS_MOST]
    if sum(not word.isdecimal() for word in wanted) < 2:
        return []  # figures are found as numbers or not at all
    weight = sum(map(len, wanted))
    hay = index.folded
    if sum(len(word) for word in wanted if word in hay) < _COVERED * weight:
        return []  # what is in no word either: seen without knowing the words
    words = index.vocabulary
    rare = sorted(
        (at for at, word in enumerate(wanted) if word in words),
        key=lambda at: (len(words[wanted[at]]), -len(wanted[at])),
    )
    if sum(len(wanted[at]) for at in rare) < _COVERED * weight:
        return []
    best: list[Found] = []
    for anchor in rare[:_ANCHORS]:
        for place in words[wanted[anchor]][:_PLACES]:
            found = _followed(index, wanted, anchor, place, weight)
            if found is not None:
                best.append(found)
        if best:
            break
    best = best or _together(index, wanted, rare)
    top = max((quality for _, _, quality in best), default=0.0)
    return sorted({found for found in best if found[2] >= top - 0.02})


def _followed(index: Index, wanted: list[str], anchor: int, place: int, weight: int) -> Found | None:
    """The text around one of its words, walked to both sides."""
    ahead = _walk(index, wanted[anchor + 1 :], place, 1)
    behind = _walk(index, wanted[:anchor][::-1], place, -1)
    places = [*behind[0], place, *ahead[0]]
    covered = (ahead[1] + behind[1] + len(wanted[anchor])) / weight
    missing = len(wanted) - len(places)
    if covered < _COVERED or (len(wanted) < _PASSAGE and missing):
        return None
    first, last = min(places), max(places)
    between = last - first + 1 - len(places)
    if len(wanted) < _PASSAGE and between and not _broken(index, sorted(places)):
        return None
    if any(word.isdecimal() for word in wanted) and missing and not _digits_there(index, wanted, places):
        return None
    quality = 0.9 * covered - min(0.2, 0.2 * between / (len(places) + between))
    return index.token_starts[first], index.token_ends[last], max(quality, 0.5)


def _together(index: Index, wanted: list[str], rare: list[int]) -> list[Found]:
    """Where all words of a text stand side by side in another order (``Last, First``), or nearly all of a passage."""
    size = len(wanted)
    few = size < _PASSAGE
    if few and len(rare) < size:
        return []
    counts = Counter(wanted)
    span = size if few else size + size // 3
    best: list[Found] = []
    for place in index.vocabulary[wanted[rare[0]]][:_PLACES]:
        for first in range(max(place - span + 1, 0), place + 1, 1 if few else max(size // 6, 1)):
            last = min(first + span, len(index.token_starts)) - 1
            shown = Counter(index.token(at) for at in range(first, last + 1))
            covered = sum(len(word) * min(count, shown[word]) for word, count in counts.items())
            covered_share = covered / sum(len(word) * count for word, count in counts.items())
            if covered_share >= (1.0 if few else 0.93) and (not few or _level(index, first, last)):
                start, end = index.token_starts[first], index.token_ends[last]
                best.append((start, end, 0.84 if few else 0.7 * covered_share))
    return best[:1] if not few else best


def _level(index: Index, first: int, last: int) -> bool:
    """Whether words stand beside each other: in one line, without a gap."""
    between = index.text[index.token_ends[first] : index.token_starts[last]]
    return index.marked_up or not ("\n" in between or "  " in between)


def _walk(index: Index, wanted: list[str], place: int, step: int) -> tuple[list[int], int]:
    """The nearest following words one after another: their places, and how many letters they have."""
    found: list[int] = []
    letters = 0
    words = index.vocabulary
    for word in wanted:
        places = words.get(word)
        if places is None:
            continue
        if step > 0:
            at = bisect_right(places, place)
            near = places[at] if at < len(places) else None
        else:
            at = bisect_left(places, place) - 1
            near = places[at] if at >= 0 else None
        if near is not None and abs(near - place) <= _GAP:
            found.append(near)
            letters += len(word)
            place = near
    return found, letters


def _broken(index: Index, places: list[int]) -> bool:
    """Whether all words between belong to other columns: what is before them ends there, what follows begins there."""
    text = index.text
    for one, other in itertools.pairwise(places):
        if other - one > 1:
            end, start = index.token_ends[one], index.token_starts[other]
            if not _GAP_AFTER.match(text, end) or not _GAP_BEFORE.search(text, max(start - 8, 0), start):
                return False
    return True


def _digits_there(index: Index, wanted: list[str], places: list[int]) -> bool:
    shown = {index.token(place) for place in places}
    return all(word in shown for word in wanted if word.isdecimal())


def approximate(index: Index, value: str) -> list[Found]:
    """Where a text stands but for a few letters."""
    read = index.read_from_pictures
    if not read and len(value) < _LONG and value.isascii():
        return []
    folded = key(value)
    if len(folded) < (4 if read else _LONG):
        return []
    wanted = confused(folded)
    if read:
        found: list[Found] = []
        mixed, positions = index.confused, index.positions
        at = mixed.find(wanted)
        while at >= 0 and len(found) < _PLACES:
            start, end = positions[at], positions[at + len(wanted) - 1] + 1
            if index.is_read(start):
                found.append((start, end, 0.88))
            at = mixed.find(wanted, at + len(wanted))
        if found:
            return found
    errors = min(len(wanted) // (7 if read else 25), 12)
    if errors < 1 or len(wanted) > 4000:
        return []
    return _with_errors(index, wanted, errors)


def _with_errors(index: Index, wanted: str, errors: int) -> list[Found]:
    """Seeds that no error touches lead to places; a bounded edit distance decides."""
    mixed = index.confused
    piece = max(len(wanted) // (errors + 1), 3)
    places: dict[int, None] = {}
    for begin in range(0, len(wanted) - piece + 1, piece):
        at = mixed.find(wanted[begin : begin + piece])
        seen = 0
        while at >= 0 and seen < 12:
            places.setdefault(max(at - begin, 0))
            at = mixed.find(wanted[begin : begin + piece], at + 1)
            seen += 1
    best: list[Found] = []
    fewest = errors + 1
    starts = index.positions
    digits = "".join(_DIGITS.findall(wanted))
    for place in list(places)[:_PLACES]:
        low = max(place - errors, 0)
        window = mixed[low : place + len(wanted) + errors]
        distance, first, last = _distance(wanted, window, errors)
        if distance > errors or distance > fewest or last <= first:
            continue
        if digits and "".join(_DIGITS.findall(window[first:last])) != digits:
            continue
        begin, end = starts[low + first], starts[low + last - 1] + 1
        if not index.is_read(begin) and len(wanted) < _LONG:
            continue
        if distance < fewest:
            fewest, best = distance, []
        best.append((begin, end, 0.88 - 0.3 * distance / (errors + 1)))
    return best


def _distance(wanted: str, window: str, most: int) -> tuple[int, int, int]:
    """Edits that make a part of the window the wanted text; where that part begins and ends. Free ends, banded."""
    size = len(window)
    row: list[tuple[int, int]] = [(0, at) for at in range(size + 1)]
    big = most + 1
    for number, letter in enumerate(wanted, start=1):
        low, high = max(number - 2 * most - 1, 0), min(number + 2 * most + 1, size)
        fresh: list[tuple[int, int]] = [(big, 0)] * (size + 1)
        if low == 0:
            fresh[0] = (number, 0)
        for at in range(max(low, 1), high + 1):
            cost, begin = row[at - 1]
            if window[at - 1] != letter:
                cost += 1
            if row[at][0] + 1 < cost:
                cost, begin = row[at][0] + 1, row[at][1]
            if fresh[at - 1][0] + 1 < cost:
                cost, begin = fresh[at - 1][0] + 1, fresh[at - 1][1]
            fresh[at] = (cost, begin)
        row = fresh
        if min(cost for cost, _ in row) > most:
            return big, 0, 0
    end = min(range(size + 1), key=lambda at: row[at][0])
    return row[end][0], row[end][1], end
