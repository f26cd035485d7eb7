r"""Rules of a schema: what a right record adds up to, beyond what JSON Schema can say. Pure.

A rule is a JSON object; ``rule`` names its kind, pointers name places of the record (``/lines/*/amount`` is the amount
of each line):

    {"rule": "sum", "of": "/lines/*/amount", "equals": "/subtotal", "tolerance": "0.01"}
    {"rule": "product", "of": ["/lines/*/quantity", "/lines/*/unit_price"], "equals": "/lines/*/amount"}
    {"rule": "percentage", "percent": "/rate", "of": "/subtotal", "equals": "/tax"}
    {"rule": "total", "plus": ["/subtotal", "/tax"], "minus": ["/discount"], "equals": "/total", "missing": "zero"}
    {"rule": "running", "start": "/opening", "of": "/rows/*/amount", "equals": "/rows/*/balance"}
    {"rule": "count", "of": "/lines/*", "equals": "/number_of_lines"}
    {"rule": "equal", "left": "/total", "right": "/payment/amount"}
    {"rule": "order", "of": ["/issued", "/due"]}
    {"rule": "requires", "when": {"field": "/tax", "at_least": 0.01}, "then": {"field": "/tax_id", "present": true}}
    {"rule": "checksum", "of": "/iban", "kind": "iban"}
    {"rule": "pattern", "of": "/number", "pattern": "^RE-\d{4}-\d+$"}
    {"rule": "unique", "of": "/lines/*/position"}

Every rule may have ``severity`` (``error``; a ``warning`` asks for no repair), ``message`` and ``when``, a condition
without which it does not apply. Stars of one rule that stand behind the same steps mean the same item.

A rule that needs a value which the record does not have (null, or left out) does not apply; with ``missing: zero`` a
``sum`` or ``total`` reckons with zero, unless nothing at all is there. The extraction evaluates rules
(``service.extraction.rules``); here they are read and held against the schema, so that a published version has none
that could never apply.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

import jsonschema_rs

from service.foundation.errors import Fault, Unprocessable
from service.registry.kinds import (
    Checksum,
    ChecksumKind,
    Condition,
    Count,
    Direction,
    Equal,
    Every,
    Missing,
    Not,
    Operand,
    Order,
    Pattern,
    Percentage,
    Product,
    Requires,
    Rule,
    Running,
    Severity,
    Some,
    Sum,
    Test,
    Tolerance,
    Total,
    Unique,
    places_in,
    places_of,
)
from service.registry.places import Place, declared, types
from service.registry.places import parse as parse_place

__all__ = ["KINDS", "MAX_RULES", "InvalidRules", "Rule", "parse_rules"]

MAX_RULES = 200
_MAX_FAULTS = 50
_MAX_OPERANDS = 32
_MAX_CONDITION_DEPTH = 8
_MAX_MESSAGE = 500
_MAX_PATTERN = 2000
_PLAIN_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?\Z")


class InvalidRules(Unprocessable):
    """The rules of a schema are not of the form that is documented, or do not fit the schema."""

    code = "rules_invalid"
    title = "The rules do not fit the schema"
    hint = "Correct the places named in `errors`."


def parse_rules(value: Any, schema: Any, *, pointer: str = "") -> tuple[Rule, ...]:
    """The rules that a JSON value says, held against the schema whose records they are about.

    ``pointer`` is where the value stands in the request. Raises ``InvalidRules`` with a fault for each place.
    """
    if not isinstance(value, list):
        raise InvalidRules("`rules` is not a list.", errors=[Fault(pointer, "Send a list of rules.")])
    if len(value) > MAX_RULES:
        raise InvalidRules(
            f"There are {len(value)} rules; at most {MAX_RULES} are served.",
            errors=[Fault(pointer, "Leave some out.")],
        )
    reader = _Reader(schema)
    rules = [reader.rule(item, f"{pointer}/{index}") for index, item in enumerate(value)]
    if reader.faults:
        raise InvalidRules(
            f"{len(reader.faults)} place(s) of the rules are not as documented, or do not fit the schema.",
            errors=reader.faults[:_MAX_FAULTS],
        )
    return tuple(rule for rule in rules if rule is not None)


class _Bad(ValueError):
    """One member is wrong; the message says how it should be."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer


_NUMBERS = frozenset({"number", "integer", "string"})
_TEXTS = frozenset({"string"})
_CODES = frozenset({"string", "integer"})
_ANY: frozenset[str] | None = None
_Read = Callable[["_Reader", Any], Any]


class _Reader:
    """Reads rules; gathers what is wrong with them."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self.faults: list[Fault] = []

    def rule(self, value: Any, pointer: str) -> Rule | None:
        if not isinstance(value, dict):
            self.faults.append(Fault(pointer, "A rule is a JSON object with a member `rule`."))
            return None
        kind = value.get("rule")
        members = _KINDS.get(kind) if isinstance(kind, str) else None
        if members is None:
            self.faults.append(Fault(f"{pointer}/rule", f"One of: {', '.join(_KINDS)}."))
            return None
        before = len(self.faults)
        found: dict[str, Any] = {}
        for name, read in {**members.reads, **_COMMON}.items():
            if name in value:
                try:
                    found[members.names.get(name, name)] = read(self, value[name])
                except _Bad as bad:
                    self.faults.append(Fault(f"{pointer}/{name}{bad.pointer}", f"{bad}."))
            elif name in members.required:
                self.faults.append(Fault(f"{pointer}/{name}", f"A `{kind}` rule needs it."))
        for name in value:
            if name != "rule" and name not in members.reads and name not in _COMMON:
                known = ", ".join(members.reads)
                step = str(name)[:100].replace("~", "~0").replace("/", "~1")
                self.faults.append(Fault(f"{pointer}/{step}", f"Unknown; a `{kind}` rule has: {known}."))
        if len(self.faults) > before:
            return None
        rule: Rule = members.rule(**found, source=value)
        return self._scoped(rule, found, value, pointer)

    def _scoped(
        self, rule: Rule, found: dict[str, Any], source: Mapping[str, Any], pointer: str
    ) -> Rule | None:
        """The rule with its scope; a fault where its stars do not belong together."""
        scope: tuple[str | None, ...] = ()
        for name, place in places_of(rule):
            if name in rule.aggregated or _is_sequence(rule):
                continue
            for star in place.stars:
                shorter, longer = sorted((scope, star), key=len)
                if longer[: len(shorter)] != shorter:
                    self.faults.append(
                        Fault(
                            pointer,
                            f"The `*` of {_shown(str(place))} means another list than those of the rule's other places.",
                        )
                    )
                    return None
                scope = longer
        problem = _misplaced(rule, scope)
        if problem is not None:
            self.faults.append(Fault(f"{pointer}/{problem[0]}", problem[1]))
            return None
        return type(rule)(**found, source=source, scope=_outer(rule) if _gathers_last(rule) else scope)

    def place(self, value: Any, wanted: frozenset[str] | None) -> Place:
        if not isinstance(value, str):
            raise _Bad("A JSON Pointer into the record, such as `/lines/*/amount`")
        try:
            place = parse_place(value)
        except ValueError as error:
            raise _Bad(f"{_shown(value)} {error}") from None
        nodes = declared(self._schema, place)
        if isinstance(nodes, int):
            step = place.steps[nodes]
            raise _Bad(
                f"The schema declares no {'items or members' if step is None else f'`{_shown(step)}`'} there"
            )
        found = types(nodes)
        if wanted is not None and found is not None and not found & wanted:
            have = " or ".join(sorted(found)) or "null only"
            raise _Bad(f"The schema says {have} there; the rule needs {' or '.join(sorted(wanted))}")
        return place

    def condition(self, value: Any, depth: int = 0) -> Condition:
        if not isinstance(value, dict) or depth > _MAX_CONDITION_DEPTH:
            raise _Bad(
                'A condition such as {"field": "/country", "equals": "DE"}, nested at most eight levels'
            )
        if "field" in value:
            return self._test(value)
        if len(value) != 1:
            raise _Bad("A condition has `field`, or exactly one of `all`, `any`, `not`")
        ((name, inner),) = value.items()
        if name == "not":
            return Not(self._inner(inner, "/not", depth))
        if name not in ("all", "any") or not isinstance(inner, list) or not 1 <= len(inner) <= _MAX_OPERANDS:
            raise _Bad(
                f"A condition has `field`, or exactly one of `all`, `any` (lists of 1 to {_MAX_OPERANDS}), `not`"
            )
        parts = tuple(self._inner(one, f"/{name}/{index}", depth) for index, one in enumerate(inner))
        return Every(parts) if name == "all" else Some(parts)

    def _inner(self, value: Any, pointer: str, depth: int) -> Condition:
        try:
            return self.condition(value, depth + 1)
        except _Bad as bad:
            raise _Bad(str(bad), pointer + bad.pointer) from None

    def _test(self, value: dict[str, Any]) -> Test:
        unknown = set(value) - {"field", "present", "equals", "one_of", "at_least", "at_most"}
        if unknown or len(value) == 1:
            raise _Bad(
                "Beside `field` a condition has `present`, `equals`, `one_of`, `at_least`, `at_most`, at least one"
            )
        bounds = {name: _number(value[name]) for name in ("at_least", "at_most") if name in value}
        one_of = value.get("one_of", [value["equals"]] if "equals" in value else None)
        if one_of is not None and (not isinstance(one_of, list) or not 1 <= len(one_of) <= 1000):
            raise _Bad("A list of 1 to 1000 values", "/one_of")
        if "present" in value and not isinstance(value["present"], bool):
            raise _Bad("true or false", "/present")
        try:
            place = self.place(value["field"], _NUMBERS if bounds else _ANY)
        except _Bad as bad:
            raise _Bad(str(bad), "/field") from None
        return Test(place, value.get("present"), None if one_of is None else tuple(one_of), **bounds)


def _is_sequence(rule: Rule) -> bool:
    """An ``order`` over the items of one list."""
    return isinstance(rule, Order) and len(rule.of) == 1


def _gathers_last(rule: Rule) -> bool:
    return _is_sequence(rule) or isinstance(rule, Running)


def _outer(rule: Rule) -> tuple[str | None, ...]:
    """The scope of a rule that goes along a list: the list's own surroundings."""
    place = rule.of[0] if isinstance(rule, Order) else rule.of if isinstance(rule, Running) else Place(())
    return place.stars[-2] if len(place.stars) > 1 else ()


def _misplaced(rule: Rule, scope: tuple[str | None, ...]) -> tuple[str, str] | None:
    """What is wrong with a rule's stars, and at which member."""
    match rule:
        case Sum(of=place) | Count(of=place) | Unique(of=place):
            if not place.stars or (scope and place.stars[-1] == scope[: len(place.stars[-1])]):
                return "of", "Needs a `*` of its own: it goes over the items of a list."
        case Running(of=place, equals=balance):
            if not place.stars or not balance.stars or place.stars[-1] != balance.stars[-1]:
                return "equals", "`of` and `equals` go along the same list, and share its `*`."
            if (scope and scope != place.stars[-1][: len(scope)]) or scope == place.stars[-1]:
                return "start", "Stands outside of the list that `of` goes along."
        case Order(of=(place,)):
            if not place.stars:
                return "of", "One place needs a `*`; without it, name at least two."
            if rule.when is not None and any(inner.stars for inner in places_in(rule.when)):
                return "when", "The condition of an order along a list stands outside of it."
        case _:
            return None
    return None


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Bad("A number")
    text = value if isinstance(value, str) else repr(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(text) > 60 or abs(number.adjusted()) > 60:
        raise _Bad('A number, such as 0.01 or "0.01"')
    return number


def _operand(reader: _Reader, value: Any) -> Operand:
    if isinstance(value, str) and (value.startswith("/") or not _PLAIN_NUMBER.match(value)):
        return reader.place(value, _NUMBERS)
    return _number(value)


def _operands(reader: _Reader, value: Any) -> tuple[Operand, ...]:
    return tuple(_listed(value, lambda item: _operand(reader, item), least=1))


def _ordered(reader: _Reader, value: Any) -> tuple[Place, ...]:
    values = [value] if isinstance(value, str) else value
    return tuple(_listed(values, lambda item: reader.place(item, _NUMBERS), least=1))


def _listed(value: Any, read: Callable[[Any], Any], *, least: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= _MAX_OPERANDS:
        raise _Bad(f"A list of {least} to {_MAX_OPERANDS}")
    found = []
    for index, item in enumerate(value):
        try:
            found.append(read(item))
        except _Bad as bad:
            raise _Bad(str(bad), f"/{index}{bad.pointer}") from None
    return found


def _tolerance(_: _Reader, value: Any) -> Tolerance:
    share = isinstance(value, str) and value.endswith("%")
    number = _number(value[:-1] if share else value)
    if number < 0:
        raise _Bad("At least 0")
    return Tolerance(Decimal(0), number / 100) if share else Tolerance(number)


def _choice(options: tuple[str, ...]) -> _Read:
    def read(_: _Reader, value: Any) -> str:
        if value not in options or not isinstance(value, str):
            raise _Bad(f"One of: {', '.join(options)}")
        return value

    return read


def _flag(_: _Reader, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Bad("true or false")
    return value


def _message(_: _Reader, value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_MESSAGE:
        raise _Bad(f"A text of 1 to {_MAX_MESSAGE} characters")
    return value


def _pattern(_: _Reader, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_PATTERN:
        raise _Bad(f"A regular expression of at most {_MAX_PATTERN} characters")
    try:
        jsonschema_rs.Draft202012Validator({"pattern": value})
    except ValueError:
        raise _Bad("Not a regular expression of ECMA 262") from None
    return value


def _of_type(wanted: frozenset[str] | None) -> _Read:
    return lambda reader, value: reader.place(value, wanted)


def _shown(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of rule is read: its members, those it needs, and those that our classes call otherwise."""

    rule: Callable[..., Rule]
    reads: Mapping[str, _Read]
    required: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)


_MISSING = _choice(get_args(Missing))
_COMMON: Mapping[str, _Read] = {
    "severity": _choice(get_args(Severity)),
    "message": _message,
    "when": lambda reader, value: reader.condition(value),
}
_KINDS: Mapping[str, _Kind] = {
    "sum": _Kind(
        Sum,
        {"of": _of_type(_NUMBERS), "equals": _operand, "tolerance": _tolerance, "missing": _MISSING},
        ("of", "equals"),
    ),
    "product": _Kind(
        Product, {"of": _operands, "equals": _operand, "tolerance": _tolerance}, ("of", "equals")
    ),
    "percentage": _Kind(
        Percentage,
        {"percent": _operand, "of": _operand, "equals": _operand, "tolerance": _tolerance},
        ("percent", "of", "equals"),
    ),
    "total": _Kind(
        Total,
        {
            "plus": _operands,
            "minus": _operands,
            "equals": _operand,
            "tolerance": _tolerance,
            "missing": _MISSING,
        },
        ("plus", "equals"),
    ),
    "running": _Kind(
        Running,
        {"start": _operand, "of": _of_type(_NUMBERS), "equals": _of_type(_NUMBERS), "tolerance": _tolerance},
        ("of", "equals"),
    ),
    "count": _Kind(Count, {"of": _of_type(_ANY), "equals": _operand}, ("of", "equals")),
    "equal": _Kind(
        Equal,
        {"left": _of_type(_ANY), "right": _of_type(_ANY), "tolerance": _tolerance},
        ("left", "right"),
    ),
    "order": _Kind(
        Order, {"of": _ordered, "direction": _choice(get_args(Direction)), "strict": _flag}, ("of",)
    ),
    "requires": _Kind(Requires, {"then": lambda reader, value: reader.condition(value)}, ("when", "then")),
    "checksum": _Kind(
        Checksum,
        {"of": _of_type(_CODES), "kind": _choice(get_args(ChecksumKind))},
        ("of", "kind"),
        {"kind": "of_kind"},
    ),
    "pattern": _Kind(Pattern, {"of": _of_type(_TEXTS), "pattern": _pattern}, ("of", "pattern")),
    "unique": _Kind(Unique, {"of": _of_type(_ANY)}, ("of",)),
}
KINDS = tuple(_KINDS)
"""Every kind of rule, by the name it has in JSON."""
