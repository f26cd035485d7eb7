from pathlib import Path

from service.documents import SUPPORTED, Settings, errors
from service.documents.media import kind_of
from service.foundation.errors import Unprocessable, WinnowError, leaves

CODES = {
    "document_empty",
    "document_unreadable",
    "document_encrypted",
    "wrong_password",
    "undecodable_text",
    "document_too_complex",
    "document_too_many_pages",
    "document_too_many_pixels",
    "document_too_long",
    "document_too_slow",
    "document_too_much_memory",
    "pages_out_of_range",
    "parser_unavailable",
}


def own() -> list[type[WinnowError]]:
    return [leaf for leaf in leaves() if leaf.__module__ == errors.__name__]


def test_codes_are_pinned() -> None:
    """The codes of this feature are exactly these; clients rely on them."""
    assert {leaf.code for leaf in own()} == CODES


def test_every_error_says_what_to_do() -> None:
    """Every error has a title and a hint, and stands in the tree that opens the module."""
    assert errors.__doc__ is not None
    for leaf in own():
        assert leaf.title
        assert leaf.hint
        assert leaf.code in errors.__doc__


def test_codes_of_workers() -> None:
    """A worker's code becomes its error; an unknown one is a broken document and no fault of ours."""
    made = errors.by_code("document_too_long", "much", {"limit": "x"})
    assert type(made) is errors.DocumentTooLong
    assert (made.detail, made.members) == ("much", {"limit": "x"})
    assert type(errors.by_code("internal_error", "x", {})) is errors.DocumentUnreadable
    assert type(errors.by_code("no_such_code", "x", {})) is errors.DocumentUnreadable
    assert issubclass(errors.DocumentTooSlow, Unprocessable)


def test_every_error_has_its_test() -> None:
    """Every code is produced by a test of this folder."""
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [leaf.__name__ for leaf in own() if sources.count(leaf.__name__) < 2] == []


def test_supported_types_are_described() -> None:
    """Every supported type has a reader and a few words."""
    assert all(kind_of(media_type) and words for media_type, words in SUPPORTED.items())


def test_settings_are_described() -> None:
    """Every setting has a description and a default that works."""
    assert all(field.description for field in Settings.model_fields.values())
    assert Settings().limits().max_pages == Settings().max_pages
