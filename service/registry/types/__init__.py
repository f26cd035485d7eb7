"""A schema's records as types of programming languages: `python` (pydantic) and `typescript` over `shapes`. Pure."""

from service.registry.types.python import python_types
from service.registry.types.typescript import typescript_types

__all__ = ["python_types", "typescript_types"]
