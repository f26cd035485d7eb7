"""What a version costs with every call before there is any document, in tokens. Counts, so not on the event loop."""

from dataclasses import dataclass

from service.catalogue import text_tokens
from service.foundation import jsontext
from service.registry.schemas import SchemaVersion


@dataclass(frozen=True, slots=True)
class Tokens:
    """Input tokens of one call; the provider caches them where calls follow each other closely."""

    schema: int
    instructions: int
    examples: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.schema + self.instructions + self.examples


def tokens_of(version: SchemaVersion) -> Tokens:
    """A millisecond for each few thousand tokens; the first call loads the vocabulary (0.1 s)."""
    return Tokens(
        text_tokens(jsontext.render(version.compiled.strict).decode()),
        text_tokens(version.instructions),
        sum(
            text_tokens(example.document) + text_tokens(jsontext.render(example.record).decode())
            for example in version.examples
        ),
    )
