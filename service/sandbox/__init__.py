"""A provider on this machine: OpenAI's wire protocol without a key, answered by rules.

It imports nothing else of ours, so that our mistakes cannot agree with themselves. Its records are readings by
rules, not by a model: they say nothing about how well a model would read.
"""

from service.sandbox.reader import Reader, RuleReader
from service.sandbox.server import Sandbox, create_app, serve
from service.sandbox.settings import Settings

__all__ = ["Reader", "RuleReader", "Sandbox", "Settings", "create_app", "serve"]
