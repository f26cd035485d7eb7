import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.foundation.jsontext import MAX_DEPTH, MalformedJson, canonical, parse, render

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_round_trip(value: object) -> None:
    """What is rendered is parsed back unchanged, big integers included."""
    assert parse(render(value)) == value


def test_integers_beyond_64_bits_stay_exact() -> None:
    """A long account number is not turned into a float."""
    assert parse(b'{"iban": 12345678901234567890123}') == {"iban": 12345678901234567890123}


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"NaN", b"[Infinity]", b"-Infinity", b"[1e999]", b"[12345678901234567890, 1e999]", b'"\\ud800"', b"\xff",
        b'["1234567890123456789", NaN]', b"{'a': 1}", b"[1,]", b"[" * 20_000 + b"]" * 20_000, b"[" * 100_000,
        b"1" * 5000,
    ],
    ids=lambda text: text[:24].decode("latin-1"),
)  # fmt: skip
def test_refuses(text: bytes) -> None:
    """Everything that is not JSON within our limits is one error, whatever the parser beneath says."""
    with pytest.raises(MalformedJson) as caught:
        parse(text)
    assert "1234567" not in str(caught.value)


def test_depth_is_counted() -> None:
    """The limit is exact and the message names it."""
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(MalformedJson, match=f"more than {MAX_DEPTH} levels"):
        parse(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    with pytest.raises(MalformedJson, match="levels"):
        parse(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1))


def test_canonical_ignores_member_order() -> None:
    """Equal values have equal canonical bytes."""
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})
    assert json.loads(canonical({"é": 1})) == {"é": 1}
