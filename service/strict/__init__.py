"""Any JSON Schema ⇄ OpenAI's strict subset: compile, encode, decode, check. Pure: no I/O, no framework.

A map in words, in the order in which a schema passes through:

- ``drafts``, ``references``, ``shapes``: what the drafts mean, where references lead, what is no schema at all
- ``goals``, ``choices``, ``negation``, ``exclusivity``, ``merge``, ``evaluated``: subschemas become goals, conjunctions with
  one set of ``rules`` per kind of value, whatever the draft said it with
- ``analysis``: which goals can be met; ``layout``: how values are laid out and told apart
- ``emit``, ``scalars``, ``patterns``, ``share``, ``limits``: the strict text, short and within the provider's limits
- ``decode``, ``encode``, ``matching``: strict values to instances and back; ``compiler``: all of it, in order
- ``check``: what the provider would refuse
"""

from service.strict.check import Violation, check
from service.strict.compiler import Compiled, Loss, Undeclared, compile
from service.strict.drafts import guess_draft
from service.strict.limits import Stats
from service.strict.refused import SchemaRefused
from service.strict.scalars import Profile

__all__ = [
    "Compiled",
    "Loss",
    "Profile",
    "SchemaRefused",
    "Stats",
    "Undeclared",
    "Violation",
    "check",
    "compile",
    "guess_draft",
]
