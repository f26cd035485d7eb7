"""Pydantic models of a schema's records, as the text of a Python module. Pure.

The models say what types can say and hold every valid record: what was read is written back equal by
``model_dump(by_alias=True, exclude_unset=True, mode="json")``, members that the schema does not name included.
"""

import keyword
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from pydantic import BaseModel
from typing_extensions import override

from service.registry.modern import Modern
from service.registry.types.names import fresh, snake
from service.registry.types.shapes import Kind, Scalar, Shape
from service.registry.types.writer import Member, Named, Writer

_HELPERS = {
    "Moment": '''class _Moment(datetime):
    """A date and time that knows how it was written."""

    text: str


def _read_moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    moment = _Moment.fromisoformat(value.upper().replace(":60", ":59"))
    moment.text = value
    return moment


def _write_moment(value: datetime) -> str:
    return getattr(value, "text", value.isoformat())


Moment = Annotated[
    datetime, BeforeValidator(_read_moment), PlainSerializer(_write_moment, return_type=str, when_used="json")
]
"""A date and time, written back as it was read."""
''',
    "Uuid": '''class _Uuid(UUID):
    """A UUID that knows how it was written."""

    text: str


def _read_uuid(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    uuid = _Uuid(value)
    object.__setattr__(uuid, "text", value)
    return uuid


def _write_uuid(value: UUID) -> str:
    return getattr(value, "text", str(value))


Uuid = Annotated[
    UUID, BeforeValidator(_read_uuid), PlainSerializer(_write_uuid, return_type=str, when_used="json")
]
"""A UUID, written back as it was read."""
''',
}
_FORMATS = {"date": "Date", "date-time": "Moment", "uuid": "Uuid"}
_SCALARS = {"null": "None", "boolean": "bool", "integer": "int", "string": "str"}
_BUILTINS = ("bool", "dict", "float", "int", "list", "str", "tuple", "object", "type")
_NOT_MEMBERS = frozenset(
    (*dir(BaseModel), *dir(type(BaseModel)), *keyword.kwlist, *keyword.softkwlist, *_BUILTINS)
)
_NOT_TYPES = frozenset(
    (
        *(
            "Annotated",
            "Any",
            "BaseModel",
            "BeforeValidator",
            "ConfigDict",
            "Date",
            "Field",
            "Literal",
            "Moment",
        ),
        *("PlainSerializer", "RootModel", "TypeAliasType", "UUID", "Uuid", "True", "False", "None"),
    )
)


def python_types(name: str, about: str, modern: Modern) -> str:
    """The module for the schema ``name``; ``about`` says in a line which version it is."""
    return _Python(modern).module(name, about, modern)


class _Python(Writer):
    def __init__(self, modern: Modern) -> None:
        super().__init__(modern, _NOT_TYPES)
        self._used: set[str] = set()

    def module(self, name: str, about: str, modern: Modern) -> str:
        types = self.run(name, modern)
        root = types[-1]
        bodies = [self._root(one) if one is root and not one.members else self._named(one) for one in types]
        place = {one.name: index for index, one in enumerate(types)}
        if any(place[need] >= place[one.name] for one in types for need in one.needs):
            # Where types need each other, some stand before what they need.
            records = [one.name for one in types if one.members]
            bodies.append("\n".join(f"{record}.model_rebuild()" for record in records))
        opening = _docstring(
            f"{about}\n\nRead a record with `{root.name}.model_validate(record)`; "
            "`.model_dump(by_alias=True, exclude_unset=True, mode='json')` writes it back as it was.\nMembers that the "
            "schema does not name are kept. For Python 3.11 and newer, with pydantic 2.11 and newer.",
            "",
        )
        helpers = [_HELPERS[name].rstrip("\n") for name in sorted(_HELPERS) if name in self._used]
        return "\n\n\n".join([f"{opening}\n\n{self._imports()}", *helpers, *bodies]) + "\n"

    def _imports(self) -> str:
        used = self._used
        lines = ["from __future__ import annotations", ""]
        if "Date" in used:
            lines.append("from datetime import date as Date")
        if "Moment" in used:
            lines.append("from datetime import datetime")
        typing = [name for name in ("Annotated", "Any", "Literal") if name in used]
        if used & set(_HELPERS):
            typing = sorted({*typing, "Annotated", "Any"})
        if typing:
            lines.append(f"from typing import {', '.join(typing)}")
        if "Uuid" in used:
            lines.append("from uuid import UUID")
        names: set[str] = {name for name in ("BaseModel", "ConfigDict", "Field", "RootModel") if name in used}
        if used & set(_HELPERS):
            names |= {"BeforeValidator", "PlainSerializer"}
        lines += ["", f"from pydantic import {', '.join(sorted(names))}"]
        if "TypeAliasType" in used:
            lines.append("from typing_extensions import TypeAliasType")
        return "\n".join(lines).replace("\n\n\n", "\n\n")

    # ---------------------------------------------------------------------------------------------------- named types

    def _root(self, named: Named) -> str:
        self._used.add("RootModel")
        lines = [f"class {named.name}(RootModel[{named.alias or self.anything}]):"]
        lines.append(_docstring(named.description or named.title or f"A record: {named.name}.", "    "))
        return "\n".join(lines)

    def _named(self, named: Named) -> str:
        if named.alias is not None or not named.members:
            self._used.add("TypeAliasType")
            text = named.alias or self.anything
            return f"{named.name} = TypeAliasType({_literal(named.name)}, {_literal(text)})"
        self._used |= {"BaseModel", "ConfigDict"}
        lines = [
            f"class {named.name}(BaseModel):",
            _docstring(named.description or named.title or f"{named.name}.", "    "),
            "",
            '    model_config = ConfigDict(extra="allow", protected_namespaces=())',
            "",
        ]
        for member, name in zip(named.members, _member_names(named.members, self.taken), strict=True):
            lines.append(f"    {name}: {self._annotation(member, name)}")
            if member.description:
                lines.append(_docstring(member.description, "    "))
        return "\n".join(lines)

    def _annotation(self, member: Member, name: str) -> str:
        text = member.type
        if not member.required and text not in ("Any", "None") and not text.endswith(" | None"):
            text = f"{text} | None"
        if name == member.name:
            return text if member.required else f"{text} = None"
        self._used.add("Field")
        given = f"alias={_literal(member.name)}"
        return f"{text} = Field({given})" if member.required else f"{text} = Field(None, {given})"

    # ---------------------------------------------------------------------------------------------------------- types

    @property
    @override
    def anything(self) -> str:
        self._used.add("Any")
        return "Any"

    @override
    def prepared(self, shapes: Sequence[Shape]) -> Sequence[Shape]:
        """Pydantic takes `False` for `Literal[0]` and 0 for `Literal[False]`, but tells `bool` from `int`."""
        kinds = {shape.kind for shape in shapes if isinstance(shape, Scalar)}
        if "boolean" not in kinds or not kinds & {"integer", "number"}:
            return shapes
        confused = ("boolean", "integer", "number")
        return [
            replace(shape, values=None, kind=_kind(shape))
            if isinstance(shape, Scalar) and shape.kind in confused
            else shape
            for shape in shapes
        ]

    @override
    def scalar(self, scalar: Scalar) -> Iterable[str]:
        if scalar.values is not None:
            if any(isinstance(value, float) for value in scalar.values):
                return ["int", "float"]
            self._used.add("Literal")
            return [f"Literal[{', '.join(_literal(value) for value in scalar.values)}]"]
        if scalar.kind == "number":
            return ["int", "float"]
        if scalar.kind == "string" and scalar.format in _FORMATS:
            self._used.add(_FORMATS[scalar.format])
            return [_FORMATS[scalar.format]]
        return [_SCALARS[scalar.kind]]

    @override
    def list_of(self, item: str) -> str:
        return f"list[{item}]"

    @override
    def tuple_of(self, items: Sequence[str]) -> str:
        return f"tuple[{', '.join(items)}]"

    @override
    def map_of(self, value: str) -> str:
        return f"dict[str, {value or self.anything}]"

    @override
    def union_of(self, texts: Sequence[str]) -> str:
        return " | ".join(sorted(texts, key=lambda text: text == "None"))


def _kind(scalar: Scalar) -> Kind:
    """The kind of a scalar whose values are left out: integers where all of them are."""
    if scalar.kind == "number" and scalar.values and all(isinstance(value, int) for value in scalar.values):
        return "integer"
    return scalar.kind


def _member_names(members: Sequence[Member], types: Container[str]) -> list[str]:
    """Names of attributes: the members' own where Python and pydantic let them, else made ones that end in `_`.

    Pydantic writes an undeclared member under the alias of the attribute that is called like it: made names must not be
    what a document may have.
    """
    taken = {member.name for member in members}
    names: list[str] = []
    for member in members:
        own = member.name
        if not (
            own.isascii()
            and own.isidentifier()
            and own[0] != "_"
            and own not in _NOT_MEMBERS
            and own not in types
        ):
            own = fresh(f"{snake(own)}_", taken)
            taken.add(own)
        names.append(own)
    return names


def _literal(value: object) -> str:
    """A value as Python text; `repr` escapes whatever is not printable."""
    return repr(value)


def _docstring(text: str, indent: str) -> str:
    """Customers' words as a docstring: nothing in them can end it, and nothing invisible is left in it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").replace("\\", "\\\\").strip()
    if '"""' in text or text.endswith('"'):
        text = text.replace('"', '\\"')
    text = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)
    lines = [f"{indent}{line.rstrip()}".rstrip() for line in text.split("\n")]
    return "\n".join([f'{indent}"""{lines[0].strip()}', *lines[1:]]) + (
        f'\n{indent}"""' if lines[1:] else '"""'
    )


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
