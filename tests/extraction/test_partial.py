import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.extraction.partial import completed

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", None),
        ("{", {}),
        ('{"na', {}),
        ('{"name"', {}),
        ('{"name":', {}),
        ('{"name":"Ac', {"name": "Ac"}),
        ('{"name":"Ac\\', {"name": "Ac"}),
        ('{"name":"Ac\\u00', {"name": "Ac"}),
        ('{"name":"Ac\\ud83d', {"name": "Ac"}),
        ('{"name":"Ac\\\\', {"name": "Ac\\"}),
        ('{"name":"Acme","total":12', {"name": "Acme"}),
        ('{"name":"Acme","total":12.5,', {"name": "Acme", "total": 12.5}),
        ('{"paid":tru', {}),
        ('{"paid":true', {"paid": True}),
        ('{"lines":[{"a":1},{"a":', {"lines": [{"a": 1}, {}]}),
        ('{"lines":[1,2', {"lines": [1]}),
        ('[[["x', [[["x"]]]),
    ],
)
def test_completed(prefix: str, expected: object) -> None:
    """What has arrived is kept, what cannot be known yet is left out."""
    text = completed(prefix)
    assert (None if text is None else json.loads(text)) == expected


@given(values, st.booleans(), st.data())
def test_every_prefix_parses(value: object, ascii: bool, data: st.DataObject) -> None:
    """Whatever the cut, the result parses; the whole text says the whole."""
    text = json.dumps({"value": value}, ensure_ascii=ascii)
    cut = data.draw(st.integers(0, len(text)))
    found = completed(text[:cut])
    if found is not None:
        json.loads(found).keys()
    whole = completed(text)
    assert whole is not None
    assert json.loads(whole) == {"value": value}
