"""Regular expressions: which ones the provider takes, how to write them portably, and what they match.

The provider's grammar engine (llguidance) has no look-around and no back-references. jsonschema-rs stands for it here:
its linear engine knows neither, searches without anchoring as JSON Schema demands, and cannot be made to hang.
"""

import re
import warnings
from collections.abc import Callable
from functools import lru_cache

import jsonschema_rs

MAX_LENGTH = 1_000
"""The longest counted repetition that we write; regex engines unroll them."""

_MAX_PATTERN = 5_000
_SETS = frozenset("dDwWsS")
_QUANTIFIER = re.compile(r"\{\d+(,\d*)?\}")
_ONLY_RUST = re.compile(r"\\[pP]\{|\(\?<\w")


@lru_cache(maxsize=4096)
def portable(pattern: str) -> str | None:
    """The same pattern in the words that all engines share, or ``None`` where the provider would refuse it."""
    written = _escaped(pattern)
    if len(written) > _MAX_PATTERN or _linear(written) is None:
        return None
    if _ONLY_RUST.search(written):
        return written
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(written)
    except (re.error, RecursionError, OverflowError, MemoryError):
        return None
    return written


def _escaped(pattern: str) -> str:
    """Escape what some engines take for syntax: braces that count nothing, brackets and dashes inside classes."""
    out: list[str] = []
    index, inside, start = 0, False, 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\":
            pair = pattern[index : index + 2]
            out.append("/" if pair == "\\/" else pair)
            index += 2
            if (
                inside
                and pair[1:] in _SETS
                and pattern[index : index + 1] == "-" != pattern[index + 1 : index + 2]
            ):
                out.append("\\-")
                index += 1
            continue
        if inside:
            if char == "]" and index > start:
                inside = False
            elif char == "[" or (char in "&|~-" and pattern[index + 1 : index + 2] == char):
                char = "\\" + char
        elif char == "[":
            inside, start = True, index + 1
            if pattern[index + 1 : index + 2] == "^":
                out.append("[^")
                index += 2
                start = index
                continue
        elif char == "{":
            match = _QUANTIFIER.match(pattern, index)
            if match and index:
                out.append(match.group())
                index = match.end()
                continue
            char = "\\{"
        elif char == "}":
            char = "\\}"
        out.append(char)
        index += 1
    return "".join(out)


def _linear(pattern: str) -> jsonschema_rs.Draft202012Validator | None:
    try:
        return jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions(size_limit=4_000_000)
        )
    except (ValueError, jsonschema_rs.ValidationError):
        return None


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Callable[[str], bool] | None:
    """A test for whether the pattern occurs in a text; ``None`` for a pattern that no engine here can read.

    Look-around needs the backtracking engine; it gives up, with "no", before it takes long.
    """
    for written in (pattern, _escaped(pattern)):
        test = _linear(written)
        if test is not None:
            return test.is_valid
        try:
            return jsonschema_rs.Draft202012Validator(
                {"pattern": written}, pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)
            ).is_valid
        except (ValueError, jsonschema_rs.ValidationError):
            continue
    return None


_EVERYTHING = frozenset(
    (
        "",
        "^",
        "$",
        ".*",
        "^.*",
        ".*$",
        "^.*$",
        ".+",
        "^.+",
        ".+$",
        "^.+$",
        ".",
        "^.",
        r"^[\s\S]*$",
        r"^(.*)$",
        r"^(.+)$",
        ".*?",
        "^.*?$",
    )
)


def matches_everything(pattern: str) -> bool:
    """Whether a pattern for keys is one of the usual ways to say "any key". Empty keys and line breaks do not count."""
    return pattern in _EVERYTHING


def of_length(least: int, most: int | None) -> str:
    """A pattern for any text of so many characters."""
    if most is None:
        return r"^[\s\S]+$" if least == 1 else rf"^[\s\S]{{{least},}}$"
    return rf"^[\s\S]{{{least}}}$" if least == most else rf"^[\s\S]{{{least},{most}}}$"


_REPEATED = re.compile(
    r"(?P<open>\^)(?P<unit>\[\^?(?:\\.|[^\]\\])+\]|\\[dDwWsS]|\.)(?P<count>[*+]|\{\d+(?:,\d*)?\})(?P<close>\$)"
)


def with_length(pattern: str, least: int, most: int | None) -> str | None:
    """The pattern with a length built in, where its form allows that; ``None`` where it does not."""
    bounds = widths(pattern)
    if (
        bounds is not None
        and bounds[0] >= least
        and (most is None or (bounds[1] is not None and bounds[1] <= most))
    ):
        return pattern
    match = _REPEATED.fullmatch(pattern)
    if match is None:
        return None
    low, high = _counts(match["count"])
    low = max(low, least)
    high = most if high is None else high if most is None else min(high, most)
    if (high is not None and (high < low or high > MAX_LENGTH)) or low > MAX_LENGTH:
        return None
    count = f"{{{low},{'' if high is None else high}}}" if low != high else f"{{{low}}}"
    return f"^{match['unit']}{count}$"


def _counts(text: str) -> tuple[int, int | None]:
    if text in {"*", "+"}:
        return (0 if text == "*" else 1), None
    low, comma, high = text[1:-1].partition(",")
    return int(low), (int(high) if high else None) if comma else int(low)


@lru_cache(maxsize=4096)
def widths(pattern: str) -> tuple[int, int | None] | None:
    """The fewest and most characters that an anchored pattern matches; ``None`` where that is not plain to see."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from re import _parser  # type: ignore[attr-defined]

            parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError, MemoryError):
        return None
    low, high = parsed.getwidth()
    ends = [str(parsed[i][1]) for i in (0, -1) if len(parsed) and str(parsed[i][0]) == "AT"]
    anchored = len(parsed) >= 2 and ends == ["AT_BEGINNING", "AT_END"]
    return low, (high if anchored and high < 1 << 30 else None)
