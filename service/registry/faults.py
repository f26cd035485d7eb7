"""What is wrong with what stands beside a schema: its rules and its examples. Pure."""

import jsonschema_rs

from service.foundation.errors import Fault, WinnowError
from service.registry.compatibility.judge import Judge
from service.registry.contents import Content
from service.registry.rules import parse_rules

_MOST_EXAMPLE_FAULTS = 20


def faults_beside(content: Content, draft: str) -> list[Fault]:
    """Every fault of the rules and the examples, by pointers into the version; ``draft`` is that of its schema."""
    return [*_rule_faults(content), *_example_faults(content, draft)]


def _rule_faults(content: Content) -> list[Fault]:
    if not content.rules:
        return []
    try:
        parse_rules(list(content.rules), content.complete, pointer="/rules")
    except WinnowError as error:
        return list(error.errors)
    return []


def _example_faults(content: Content, draft: str) -> list[Fault]:
    if not content.examples:
        return []
    try:
        judge = Judge(content.complete, draft, formats=True)
    except (ValueError, jsonschema_rs.ValidationError):
        return [Fault("/examples", "The schema cannot be validated with, so examples cannot be checked.")]
    return [
        Fault(f"/examples/{index}/record{pointer}", detail)
        for index, example in enumerate(content.examples)
        for pointer, detail in judge.faults(example.record, whose="schema")
    ][:_MOST_EXAMPLE_FAULTS]
