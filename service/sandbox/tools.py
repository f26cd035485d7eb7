"""Function tools: which one a request wants called, and its parameters."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["Function", "wanted"]

Function = tuple[str, Mapping[str, Any]]


def wanted(functions: Iterable[Function], choice: Any, *, answered: bool) -> Function | None:
    """The function to call: the one named by `choice`, or the first when a call is required.

    With `auto` the sandbox answers in words; so it does when the last turn brings the result of a call.
    """
    available = list(functions)
    if not available or answered:
        return None
    name = None
    if isinstance(choice, dict):
        inner = choice.get("function")
        name = inner.get("name") if isinstance(inner, dict) else choice.get("name")
    if name is not None:
        return next((function for function in available if function[0] == name), None)
    forced = choice == "required" or (isinstance(choice, dict) and choice.get("type") == "allowed_tools")
    return available[0] if forced else None
