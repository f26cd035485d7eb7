"""Fills a submitted schema from what stands on the wire: labels, tables, blocks and values, by general rules."""

from service.sandbox.reader.protocol import Reader
from service.sandbox.reader.rules import RuleReader

__all__ = ["Reader", "RuleReader"]
