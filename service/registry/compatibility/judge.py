"""Whether a record is valid, asked of a validator that is not ours: what is claimed with a witness is checked by it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs

_VALIDATORS: Mapping[str, Any] = {
    "4": jsonschema_rs.Draft4Validator,
    "6": jsonschema_rs.Draft6Validator,
    "7": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}
_MOST = 20


class Judge:
    """A validator of one schema, made once."""

    def __init__(self, schema: Any, draft: str, *, formats: bool) -> None:
        if isinstance(schema, Mapping):
            schema = {keyword: value for keyword, value in schema.items() if keyword != "$schema"}
        self._validator = _VALIDATORS[draft](schema, validate_formats=formats, retriever=_offline)

    def accepts(self, record: Any) -> bool:
        """Whether the record is valid."""
        return bool(self._validator.is_valid(record))

    def faults(self, record: Any, *, whose: str = "reader") -> list[tuple[str, str]]:
        """What is wrong, at most twenty places: a JSON Pointer into the record, and the keyword that is not met."""
        found: list[tuple[str, str]] = []
        for error in self._validator.iter_errors(record):
            pointer = "".join(
                "/" + str(step).replace("~", "~0").replace("/", "~1") for step in error.instance_path
            )
            keyword = next((step for step in reversed(error.schema_path) if isinstance(step, str)), "schema")
            found.append((pointer, f"The {whose}'s `{keyword}` is not met."))
            if len(found) == _MOST:
                break
        return found

    def broken(self, record: Any) -> list[str]:
        """The keywords of the schema that the record breaks, as paths of evaluation."""
        found = []
        for error in self._validator.iter_errors(record):
            found.append("".join(f"/{step}" for step in error.schema_path))
            if len(found) == _MOST:
                break
        return found


def has_format(draft: str, name: str, text: str) -> bool:
    """Whether a text has a format; one that is not known says nothing."""
    return bool(_format(draft, name).is_valid(text))


@lru_cache(256)
def _format(draft: str, name: str) -> Any:
    return _VALIDATORS[draft]({"format": name}, validate_formats=True)


def _offline(uri: str) -> Any:
    raise ValueError(f"{uri} is not supplied")
