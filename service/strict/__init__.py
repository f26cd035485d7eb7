"""Any JSON Schema ⇄ OpenAI's strict subset: compile, encode, decode, check. Pure: no I/O, no framework.

A map in words, in the order in which a schema passes through:

- ``drafts``, ``references``, ``shapes``: what the drafts mean, where references lead, what is no schema at all
- ``goals``, ``choices``, ``negation``, ``exclusivity``, ``merge``, ``evaluated``: subschemas become goals, conjunctions with
  one set of ``rules`` per kind of value, whatever the draft said it with
- ``analysis``: which goals can be met; ``layout``: how values are laid out and told apart
- ``emit``, ``scalars``, ``patterns``, ``share``, ``limits``: the strict text, short and within the provider's limits
- ``decode``, ``encode``, ``matching``: strict values to instances and back; ``compiler``: all of it, in order
- ``check``: what the provider would refuse

``Documents``, ``Site``, ``children``, ``negation``, ``searcher`` and ``shape_faults`` are for those who compare and walk schemas: they read
every draft as the compiler does.
"""

from service.strict.check import Violation, check
from service.strict.compiler import Compiled, Loss, Undeclared, compile
from service.strict.drafts import DRAFTS, children, declared_draft, dialect_of, guess_draft
from service.strict.limits import Stats
from service.strict.negation import EXCLUDED, negation
from service.strict.patterns import searcher
from service.strict.references import Documents, Site
from service.strict.refused import SchemaRefused
from service.strict.scalars import Profile
from service.strict.shapes import faults as shape_faults

__all__ = [
    "DRAFTS",
    "EXCLUDED",
    "Compiled",
    "Documents",
    "Loss",
    "Profile",
    "SchemaRefused",
    "Site",
    "Stats",
    "Undeclared",
    "Violation",
    "check",
    "children",
    "compile",
    "declared_draft",
    "dialect_of",
    "guess_draft",
    "negation",
    "searcher",
    "shape_faults",
]
