"""The schema that most tests of the registry publish, in two versions, each of which may follow the other."""

from typing import Any

TEXT = {"type": "string", "description": "As printed."}
NOTE = {"type": ["string", "null"], "description": "As printed; null if there is none."}


def record(**properties: Any) -> dict[str, Any]:
    """A closed object with a description, every property required."""
    return {
        "type": "object",
        "description": "An order.",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


V1, V2 = record(order=TEXT), record(order=TEXT, note=NOTE)
