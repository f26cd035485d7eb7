"""The part of a JSON text that has arrived, as a text that parses. Pure.

An answer is heard as it grows; at any moment its prefix is an unfinished object. ``completed`` closes what is open and
leaves out what cannot be known yet: a half-written key, number or literal, and a key without its value. A string that
is still being written is closed where it stands.
"""

_LITERALS = frozenset({"true", "false", "null"})
_OPENERS = {"{": "}", "[": "]"}


def completed(prefix: str) -> str | None:
    """A parseable JSON text that holds what ``prefix`` says so far; None while it says nothing."""
    closers: list[str] = []
    keys: list[bool] = []  # for each open object: whether a key comes next
    safe: tuple[int, int] | None = (
        None  # a place where cutting leaves whole values, and how many levels are open there
    )
    at = 0
    while at < len(prefix):
        sign = prefix[at]
        if sign == '"':
            end = _string_end(prefix, at)
            is_key = bool(closers) and closers[-1] == "}" and keys[-1]
            if end is None:
                if is_key:
                    break
                return _close(prefix[:at] + _closed_string(prefix[at:]), closers)
            at = end
            if not is_key:
                safe = (at, len(closers))
            continue
        if sign in _OPENERS:
            closers.append(_OPENERS[sign])
            keys.append(sign == "{")
            safe = (at + 1, len(closers))
        elif sign in "}]":
            closers.pop()
            keys.pop()
            safe = (at + 1, len(closers))
        elif sign == ":":
            keys[-1] = False
        elif sign == ",":
            if closers[-1] == "}":
                keys[-1] = True
        elif not sign.isspace():
            end = _scalar_end(prefix, at)
            if end == len(prefix) and prefix[at:] not in _LITERALS:
                break  # a number may go on
            at = end
            safe = (at, len(closers))
            continue
        at += 1
    if safe is None:
        return None
    end, depth = safe
    return _close(prefix[:end], closers[:depth] if len(closers) >= depth else closers)


def _close(text: str, closers: list[str]) -> str:
    return text + "".join(reversed(closers))


def _string_end(text: str, start: int) -> int | None:
    """The position after the string that opens at ``start``; None while it is not closed."""
    at = start + 1
    while True:
        at = text.find('"', at)
        if at < 0:
            return None
        slashes = len(text[:at]) - len(text[:at].rstrip("\\"))
        at += 1
        if slashes % 2 == 0:
            return at


def _closed_string(text: str) -> str:
    """An unfinished string, closed before a half-written escape or surrogate pair."""
    tail = text.rfind("\\")
    if tail >= 0 and (len(text) - len(text.rstrip("\\"))) % 2 == 1:
        text = text[:-1]
    elif tail >= 0 and text[tail + 1 : tail + 2] == "u" and _escapes(text, tail) and len(text) < tail + 6:
        text = text[:tail]
    code = text[-4:].lower()
    if text[-6:-4] == "\\u" and "d800" <= code <= "dbff" and _escapes(text, len(text) - 6):
        text = text[:-6]  # the first half of a pair
    return text + '"'


def _escapes(text: str, at: int) -> bool:
    """Whether the backslash at ``at`` begins an escape, and is not itself escaped."""
    before = text[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 0


def _scalar_end(text: str, start: int) -> int:
    at = start
    while at < len(text) and text[at] not in ',]} \n\r\t:"{[':
        at += 1
    return at
