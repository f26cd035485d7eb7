import pytest

from service.access import Gate, Settings, is_loopback
from service.foundation.errors import Unauthorized


def test_without_a_key_anybody_may_call() -> None:
    """On loopback no key is needed."""
    assert Gate(Settings()).admit(None).name == "anybody"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer s3cre\udcff"]
)
def test_refuses(header: str | None) -> None:
    """Anything but the key is refused, without a word about the key."""
    with pytest.raises(Unauthorized) as caught:
        Gate(Settings.model_validate({"api_key": "s3cret"})).admit(header)
    assert "s3cret" not in caught.value.detail


@pytest.mark.parametrize("header", ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret"])
def test_admits(header: str) -> None:
    """The scheme's case does not matter (RFC 9110)."""
    assert Gate(Settings.model_validate({"api_key": "s3cret"})).admit(header).name == "default"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.3.4.5", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.1", False), ("winnow.example", False), ("", False)],
)  # fmt: skip
def test_loopback(host: str, expected: bool) -> None:
    """Only addresses that no other machine can reach count."""
    assert is_loopback(host) is expected
