"""Strict values back to instances. One function per place, built once; what needs no change is returned as it is.

Decoding is total: a value of another shape passes through untouched, and validation finds it. It never repairs.
"""

from collections.abc import Callable, Generator
from typing import Any

from service.strict.layout import ENTRIES, KEY, VALUE, Layout, ObjectReading, Place, Reading

Decoder = Callable[[Any], Any]
_Special = tuple[str, bool, Place | None]
"""A property that is more than passed on: its name, whether a marker may stand for it, and the place of its value."""

_Step = Generator[tuple[Place, Any], Any, Any]


def decoder(layout: Layout) -> Decoder:
    """The function from strict values (of the root place, unwrapped) to instances."""
    changing = changing_places(layout)
    if layout.root not in changing:
        return _same
    table: dict[Place, Decoder] = {}
    for place in changing:
        table[place] = _closure(layout, place, changing, table)
    quick = table[layout.root]
    slow = _Patient(layout, changing)

    def decode(value: Any) -> Any:
        try:
            return quick(value)
        except RecursionError:  # hundreds of levels: walk them without the interpreter's stack
            return slow.decode(value)

    return decode


def _same(value: Any) -> Any:
    return value


def changing_places(layout: Layout) -> dict[Place, Reading]:
    """The places where decoding changes anything, themselves or below."""
    above: dict[Place, list[Place]] = {}
    pending: list[Place] = []
    for place, reading in layout.readings.items():
        below = [reading.items] if reading.items is not None else []
        changed = reading.entries is not None
        for form in reading.objects:
            below += [reader.place for reader in form.fields.values()]
            changed = changed or form.form != "object" or form.others is not None or bool(form.tags)
            changed = changed or any(reader.absence != "never" for reader in form.fields.values())
        for child in below:
            above.setdefault(child, []).append(place)
        if changed:
            pending.append(place)
    found = dict.fromkeys(pending)
    while pending:
        for parent in above.get(pending.pop(), ()):
            if parent not in found:
                found[parent] = None
                pending.append(parent)
    return {place: layout.readings[place] for place in found}


# -- quick: closures


def _closure(
    layout: Layout, place: Place, changing: dict[Place, Reading], table: dict[Place, Decoder]
) -> Decoder:
    reading = changing[place]
    arrays = _array(reading, changing, table)
    forms = [(form, _object(layout, form, changing, table)) for form in reading.objects]
    if not forms and arrays is not None:
        return arrays
    if arrays is None and len(forms) == 1:
        return forms[0][1]
    objects: Decoder = _same if not forms else forms[0][1] if len(forms) == 1 else _by_keys(forms)
    lists: Decoder = _same if arrays is None else arrays

    def either(value: Any) -> Any:
        if type(value) is dict:
            return objects(value)
        return lists(value) if type(value) is list else value

    return either


def _by_keys(forms: list[tuple[ObjectReading, Decoder]]) -> Decoder:
    by_keys = {keys: function for form, function in forms for keys in form.keys}

    def choose(value: Any) -> Any:
        if type(value) is not dict:
            return value
        function = by_keys.get(frozenset(value))
        return value if function is None else function(value)

    return choose


def _array(reading: Reading, changing: dict[Place, Reading], table: dict[Place, Decoder]) -> Decoder | None:
    if reading.entries is not None:
        return _entries(reading.entries if reading.entries in changing else None, table)
    place = reading.items
    if place is None or place not in changing:
        return None

    def items(value: Any) -> Any:
        if type(value) is not list:
            return value
        function = table[place]
        return [function(item) for item in value]

    return items


def _entries(place: Place | None, table: dict[Place, Decoder]) -> Decoder:
    def entries(value: Any) -> Any:
        if type(value) is not list or not all(map(_is_entry, value)):
            return value
        if place is None:
            return {entry[KEY]: entry[VALUE] for entry in value}
        function = table[place]
        return {entry[KEY]: function(entry[VALUE]) for entry in value}

    return entries


def _is_entry(entry: Any) -> bool:
    return type(entry) is dict and len(entry) == 2 and type(entry.get(KEY)) is str and VALUE in entry


def _object(
    layout: Layout, form: ObjectReading, changing: dict[Place, Reading], table: dict[Place, Decoder]
) -> Decoder:
    if form.form == "map":
        return _wrapped_map(form, changing, table)
    if form.form == "tuple":
        return _tuple(layout, form, changing, table)
    nulls = frozenset(name for name, reader in form.fields.items() if reader.absence == "null")
    special: list[_Special] = []
    for name, reader in form.fields.items():
        place = reader.place if reader.place in changing else None
        if place is not None or reader.absence == "marker":
            special.append((name, reader.absence == "marker", place))
    if not special and not form.tags and form.others is None:
        return _without_nulls(nulls)
    revise = _revision(special, {layout.marker: True}, table)
    tags = tuple(form.tags)
    name = form.others[0] if form.others is not None else ""
    unpack: Decoder = _same
    if form.others is not None:
        unpack = _entries(form.others[1] if form.others[1] in changing else None, table)

    def members(value: Any) -> Any:
        if type(value) is not dict:
            return value
        found = {key: member for key, member in value.items() if member is not None or key not in nulls}
        revise(found)
        for tag in tags:
            found.pop(tag, None)
        if name and name in found:
            extra = found.pop(name)
            if extra != []:
                _spill(found, name, unpack(extra))
        return found

    return members


def _revision(
    special: list[_Special], marker: dict[str, bool], table: dict[Place, Decoder]
) -> Callable[[dict[str, Any]], None]:
    def revise(found: dict[str, Any]) -> None:
        for key, marked, place in special:
            member = found.get(key)
            if member is not None:
                if marked and member == marker:
                    del found[key]
                elif place is not None:
                    found[key] = table[place](member)

    return revise


def _without_nulls(nulls: frozenset[str]) -> Decoder:
    def fields(value: Any) -> Any:
        if type(value) is not dict:
            return value
        return {name: member for name, member in value.items() if member is not None or name not in nulls}

    return fields


def _spill(found: dict[str, Any], name: str, extra: Any) -> None:
    """Put undeclared members beside the declared ones, which win."""
    if type(extra) is not dict:
        found[name] = extra
        return
    for key, member in extra.items():
        found.setdefault(key, member)


def _wrapped_map(form: ObjectReading, changing: dict[Place, Reading], table: dict[Place, Decoder]) -> Decoder:
    place = form.others[1] if form.others is not None else None
    unpack = _entries(place if place in changing else None, table)

    def wrapped(value: Any) -> Any:
        return unpack(value[ENTRIES]) if type(value) is dict and ENTRIES in value else value

    return wrapped


def _tuple(
    layout: Layout, form: ObjectReading, changing: dict[Place, Reading], table: dict[Place, Decoder]
) -> Decoder:
    marker = {layout.marker: True}
    readers = [
        (name, reader.absence, reader.place if reader.place in changing else None)
        for name, reader in form.fields.items()
    ]
    others = form.others
    rest = others[1] if others is not None and others[1] in changing else None

    def items(value: Any) -> Any:
        if type(value) is not dict:
            return value
        found = []
        for name, absence, place in readers:
            if name not in value:
                continue
            item = value[name]
            if (item is None and absence == "null") or (absence == "marker" and item == marker):
                continue
            found.append(item if place is None else table[place](item))
        tail = value.get(others[0]) if others is not None else None
        if type(tail) is list:
            found += tail if rest is None else [table[rest](item) for item in tail]
        return found

    return items


# -- patient: the same, with an explicit stack


class _Patient:
    """Decodes without recursion; slower, for values that nest by the hundred."""

    def __init__(self, layout: Layout, changing: dict[Place, Reading]) -> None:
        self._root = layout.root
        self._changing = changing
        self._marker = {layout.marker: True}

    def decode(self, value: Any) -> Any:
        """The instance that a strict value stands for."""
        stack: list[_Step] = [self._walk(self._root, value)]
        result: Any = None
        while stack:
            try:
                place, below = stack[-1].send(result)
            except StopIteration as done:
                result = done.value
                stack.pop()
                continue
            result = None
            stack.append(self._walk(place, below))
        return result

    def _walk(self, place: Place, value: Any) -> _Step:
        reading = self._changing.get(place)
        if reading is None:
            return value
        if type(value) is list:
            if reading.entries is not None:
                return (yield from self._entries(reading.entries, value))
            if reading.items is not None:
                found = []
                for item in value:
                    found.append((yield reading.items, item))
                return found
        if type(value) is dict:
            keys = frozenset(value)
            forms = reading.objects
            form = forms[0] if len(forms) == 1 else next((f for f in forms if keys in f.keys), None)
            if form is not None:
                return (yield from self._object(form, value))
        return value

    def _entries(self, place: Place, value: Any) -> _Step:
        if type(value) is not list or not all(map(_is_entry, value)):
            return value
        found = {}
        for entry in value:
            found[entry[KEY]] = yield place, entry[VALUE]
        return found

    def _object(self, form: ObjectReading, value: dict[str, Any]) -> _Step:
        if form.form == "map" and form.others is not None:
            if ENTRIES not in value:
                return value
            return (yield from self._entries(form.others[1], value[ENTRIES]))
        found: dict[str, Any] = {}
        for name, member in value.items():
            reader = form.fields.get(name)
            if reader is None:
                if name not in form.tags:
                    found[name] = member
            elif not (
                (member is None and reader.absence == "null")
                or (reader.absence == "marker" and member == self._marker)
            ):
                found[name] = yield reader.place, member
        if form.form == "tuple":
            items = [found[name] for name in form.fields if name in found]
            tail = value.get(form.others[0]) if form.others is not None else None
            if form.others is not None and type(tail) is list:
                for item in tail:
                    items.append((yield form.others[1], item))
            return items
        if form.others is not None and form.others[0] in found:
            extra = yield from self._entries(form.others[1], found.pop(form.others[0]))
            _spill(found, form.others[0], extra)
        return found
