"""The one error of this feature."""

from service.foundation.errors import Fault, Unprocessable


class SchemaRefused(Unprocessable):
    """The schema cannot become a strict form: it is invalid, incomplete, unsatisfiable or too large."""

    code = "schema_refused"
    title = "The schema cannot be used for extraction"
    hint = "Correct the schema at the pointer in `errors`; `winnow schemas compile` shows what becomes of it."

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{reason} (at {pointer or 'the root'})", errors=(Fault(pointer, reason),))
        self.pointer = pointer
        self.reason = reason
