"""TypeScript types of a schema's records, as the text of a module. Pure; `tsc --strict` takes it."""

import json
import re
from collections.abc import Iterable, Sequence

from typing_extensions import override

from service.registry.modern import Modern
from service.registry.types.shapes import Scalar
from service.registry.types.writer import Member, Named, Writer

_SCALARS = {"null": "null", "boolean": "boolean", "integer": "number", "number": "number", "string": "string"}
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
_SAFE_INTEGER = 2**53
_NOT_TYPES = frozenset(("Array", "Object", "Record", "String", "Number", "Boolean", "Symbol", "Function"))


def typescript_types(name: str, about: str, modern: Modern) -> str:
    """The module for the schema ``name``; ``about`` says in a line which version it is."""
    writer = _TypeScript(modern, _NOT_TYPES)
    types = writer.run(name, modern)
    opening = f"{about}\n\nRecords may have members that are not named here; readers ignore them."
    return "\n\n".join([_comment(opening, ""), *(writer.type(named) for named in reversed(types))]) + "\n"


class _TypeScript(Writer):
    def type(self, named: Named) -> str:
        """An interface, or another name for a type."""
        words = named.description or named.title
        head = [_comment(words, "")] if words else []
        if named.alias is not None or not named.members:
            return "\n".join([*head, f"export type {named.name} = {named.alias or self.anything};"])
        lines = [*head, f"export interface {named.name} {{"]
        for member in named.members:
            if member.description:
                lines.append(_comment(member.description, "  "))
            lines.append(f"  {_member(member)}")
        return "\n".join([*lines, "}"])

    @property
    @override
    def anything(self) -> str:
        return "unknown"

    @override
    def scalar(self, scalar: Scalar) -> Iterable[str]:
        if scalar.values is None or not all(map(_exact, scalar.values)):
            return [_SCALARS[scalar.kind]]
        return [_literal(value) for value in scalar.values]

    @override
    def list_of(self, item: str) -> str:
        return f"{item}[]" if _IDENTIFIER.match(item) else f"({item})[]"

    @override
    def tuple_of(self, items: Sequence[str]) -> str:
        return f"[{', '.join(items)}]"

    @override
    def map_of(self, value: str) -> str:
        return f"{{ [member: string]: {value or self.anything} }}"

    @override
    def union_of(self, texts: Sequence[str]) -> str:
        return " | ".join(sorted(texts, key=lambda text: text == "null"))


def _exact(value: object) -> bool:
    """Whether a number is the same in JavaScript."""
    return not isinstance(value, int | float) or isinstance(value, bool) or abs(value) < _SAFE_INTEGER


def _member(member: Member) -> str:
    name = member.name if _IDENTIFIER.match(member.name) else _literal(member.name)
    return f"{name}{'' if member.required else '?'}: {member.type};"


def _literal(value: object) -> str:
    """A value as TypeScript text, in ASCII where a character is not printable."""
    if not isinstance(value, str):
        return json.dumps(value)
    return "".join(
        char if char.isprintable() else json.dumps(char)[1:-1]
        for char in json.dumps(value, ensure_ascii=False)
    )


def _comment(text: str, indent: str) -> str:
    """Customers' words as a JSDoc comment: nothing in them can end it, give the compiler orders, or stay unseen."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").strip()
    text = text.replace("*/", "*\\/").replace("@", "\\@")
    text = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)
    lines = text.split("\n")
    if len(lines) == 1:
        return f"{indent}/** {text} */"
    return "\n".join([f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"])


def _escaped(char: str) -> str:
    return f"\\u{{{ord(char):x}}}"
