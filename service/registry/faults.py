"""What is wrong with what stands beside a schema: rules, examples, model policy. Pure."""

from typing import Any

import jsonschema_rs

from service.foundation.errors import Fault, WinnowError
from service.registry.compatibility.judge import Judge
from service.registry.contents import Content
from service.registry.rules import parse_rules

_MOST_EXAMPLE_FAULTS = 20


def faults_beside(content: Content, draft: str | None) -> list[Fault]:
    """Every fault of rules, examples and policy, by pointers into the version.

    ``draft`` is that of its schema, None for one that cannot be used: then rules are only held against their grammar, and
    examples against nothing.
    """
    schema = True if draft is None else content.complete
    examples = [] if draft is None else _example_faults(content, draft)
    return [*_rule_faults(content, schema), *examples, *_policy_faults(content)]


def _policy_faults(content: Content) -> list[Fault]:
    """Pages that no document can have: every request would be refused for what it did not say."""
    for span in (content.policy.pages or "").split(","):
        first, dash, last = span.strip().partition("-")
        if first and (int(first) < 1 or (dash and last and int(last) < int(first))):
            return [
                Fault(
                    "/policy/pages", "Pages count from 1, and a range goes from its first page to its last."
                )
            ]
    return []


def _rule_faults(content: Content, schema: Any) -> list[Fault]:
    if not content.rules:
        return []
    try:
        parse_rules(list(content.rules), schema, pointer="/rules")
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
