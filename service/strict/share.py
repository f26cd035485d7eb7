"""Parts of the strict form that are written more than once: said once, in a definition."""

import json
import re
from collections import Counter
from typing import Any

from service.strict.limits import fresh_name, is_container, parts

_WORTH = 100
"""Characters of JSON from which a definition and its references are shorter than the repetition."""

_MAX_ROUNDS = 100
"""Steps that it may take to tell definitions apart; a chain of references made to hurt would take one per definition."""

Fragment = dict[str, Any]


def share(strict: Fragment) -> None:
    """Hoist repeated objects, arrays and long enumerations into definitions, in place."""
    definitions: dict[str, Fragment] = strict.get("$defs", {})
    roots = [strict, *definitions.values()]
    digests = _Digests()
    for root in roots:
        digests.enter(root)
    named: dict[int, str] = {}
    for name, fragment in definitions.items():
        named.setdefault(digests.of[id(fragment)], name)
    pending = list(roots)
    while pending:
        stack = [pending.pop()]
        while stack:
            for holder, key, part in list(parts(stack.pop())):
                digest = digests.of[id(part)]
                if digests.count[digest] < 2 or digests.size[digest] < _WORTH or not _worthy(part):
                    stack.append(part)
                    continue
                if digest not in named:
                    base = key if isinstance(key, str) else "part"
                    named[digest] = fresh_name(base, definitions)
                    definitions[named[digest]] = part
                    pending.append(part)
                holder[key] = {"$ref": f"#/$defs/{named[digest]}"}
    if definitions:
        strict["$defs"] = definitions


_REFERENCE = re.compile(r'"\$ref": "#/\$defs/([A-Za-z0-9_.-]+)"')


def unite(strict: Fragment) -> Fragment:
    """The same strict form with each set of equal definitions made one, recursive ones included.

    As automata are minimised: all definitions of one text are taken for equal until their references tell them apart.
    """
    definitions: dict[str, Fragment] = strict.get("$defs", {})
    if len(definitions) < 2:
        return strict
    texts = {name: json.dumps(fragment) for name, fragment in definitions.items()}
    targets = {name: _REFERENCE.findall(text) for name, text in texts.items()}
    skeletons = {name: _REFERENCE.sub("", text) for name, text in texts.items()}
    classes = _numbered(skeletons)
    for _ in range(_MAX_ROUNDS):
        refined = _numbered({n: (classes[n], *(classes[t] for t in targets[n])) for n in texts})
        if max(refined.values()) == max(classes.values()):
            break
        classes = refined
    else:
        return strict
    chosen: dict[int, str] = {}
    for name in texts:
        chosen.setdefault(classes[name], name)
    if len(chosen) == len(texts):
        return strict

    def rename(match: re.Match[str]) -> str:
        return f'"$ref": "#/$defs/{chosen[classes[match[1]]]}"'

    top = {word: value for word, value in strict.items() if word != "$defs"}
    united: Fragment = json.loads(_REFERENCE.sub(rename, json.dumps(top)))
    united["$defs"] = {name: json.loads(_REFERENCE.sub(rename, texts[name])) for name in chosen.values()}
    return united


def _numbered(keys: dict[str, Any]) -> dict[str, int]:
    numbers: dict[Any, int] = {}
    return {name: numbers.setdefault(key, len(numbers)) for name, key in keys.items()}


def _worthy(fragment: Fragment) -> bool:
    return "$ref" not in fragment and (is_container(fragment) or "enum" in fragment or "anyOf" in fragment)


class _Digests:
    """A number per distinct text of a fragment, how often it occurs and how long it is."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}
        self.count: Counter[int] = Counter()
        self.size: dict[int, int] = {}
        self._numbers: dict[tuple[Any, ...], int] = {}

    def enter(self, root: Fragment) -> None:
        """Digest a fragment and everything in it, children first."""
        self._enter(root)
        self.count[self.of[id(root)]] += 1

    def _enter(self, root: Fragment) -> None:
        stack = [(root, False)]
        while stack:
            fragment, ready = stack.pop()
            below = list(parts(fragment))
            if not ready:
                stack.append((fragment, True))
                stack.extend((part, False) for _, _, part in below)
                continue
            own = {
                word: value
                for word, value in fragment.items()
                if word not in {"properties", "anyOf", "items", "$defs"}
            }
            text = repr(own)
            key = (text, *((str(name), self.of[id(part)]) for _, name, part in below))
            number = self._numbers.setdefault(key, len(self._numbers))
            self.of[id(fragment)] = number
            if number in self.size:
                continue  # what lies in a repetition is not repeated for that
            self.count.update(self.of[id(part)] for _, _, part in below)
            self.size[number] = len(text) + sum(
                len(str(name)) + self.size[self.of[id(part)]] for _, name, part in below
            )
