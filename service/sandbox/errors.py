"""The provider's errors: one exception that carries an HTTP answer, and the faults named often."""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "ProviderError",
    "above_maximum",
    "bad_type",
    "bad_value",
    "below_minimum",
    "listed",
    "missing",
    "too_long",
    "unknown_parameter",
]


class ProviderError(Exception):
    """An answer in the provider's error envelope; `status` is the HTTP status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str | None = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON body: contract section 5."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def listed(values: tuple[str, ...]) -> str:
    """Values quoted and joined as the provider does: two without a comma, three or more with an Oxford one."""
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 2:
        return "".join(quoted)
    if len(quoted) == 2:
        return f"{quoted[0]} and {quoted[1]}"
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def missing(path: str) -> ProviderError:
    """400 `missing_required_parameter` at `path`."""
    return ProviderError(
        400, f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter"
    )


def bad_type(path: str, expected: str, value: object, *, got: str | None = None) -> ProviderError:
    """400 `invalid_type`; `expected` carries its article (`a boolean`)."""
    return ProviderError(
        400,
        f"Invalid type for '{path}': expected {expected}, but got {got or _json_type(value)} instead.",
        param=path,
        code="invalid_type",
    )


def bad_value(path: str, value: object, supported: tuple[str, ...]) -> ProviderError:
    """400 `invalid_value` for a member of a closed list."""
    return ProviderError(
        400,
        f"Invalid value: '{str(value)[:200]}'. Supported values are: {listed(supported)}.",
        param=path,
        code="invalid_value",
    )


def unknown_parameter(path: str, suggestion: str | None = None) -> ProviderError:
    """400 `unknown_parameter`, with a near name when there is one."""
    hint = f" Did you mean '{suggestion}'?" if suggestion else ""
    return ProviderError(400, f"Unknown parameter: '{path}'.{hint}", param=path, code="unknown_parameter")


def below_minimum(path: str, value: float, minimum: float, *, decimal: bool = False) -> ProviderError:
    """400 `integer_below_min_value` or its decimal form."""
    kind = "decimal" if decimal else "integer"
    return ProviderError(
        400,
        f"Invalid '{path}': {kind} below minimum value. Expected a value >= {minimum}, but got {value} instead.",
        param=path,
        code=f"{kind}_below_min_value",
    )


def above_maximum(path: str, value: float, maximum: float, *, decimal: bool = False) -> ProviderError:
    """400 `integer_above_max_value` or its decimal form."""
    kind = "decimal" if decimal else "integer"
    return ProviderError(
        400,
        f"Invalid '{path}': {kind} above maximum value. Expected a value <= {maximum}, but got {value} instead.",
        param=path,
        code=f"{kind}_above_max_value",
    )


def too_long(path: str, length: int, maximum: int) -> ProviderError:
    """400 `string_above_max_length`."""
    return ProviderError(
        400,
        f"Invalid '{path}': string too long. Expected a string with maximum length {maximum}, "
        f"but got a string with length {length} instead.",
        param=path,
        code="string_above_max_length",
    )
