"""The HTTP client under the SDK."""

import httpx2
import pytest

from service.upstream.transport import DirectClient, proxy_for


@pytest.mark.parametrize(
    ("origin", "proxy"),
    [
        ("https://api.openai.com/v1", "http://proxy.invalid:8080"),
        ("http://models.example/v1", None),
        ("http://127.0.0.1:4010/v1", None),
        ("http://[::1]:4010/v1", None),
        ("http://localhost:4010/v1", None),
        ("https://inside.example/v1", None),
    ],
)
def test_the_environments_proxy(monkeypatch: pytest.MonkeyPatch, origin: str, proxy: str | None) -> None:
    """By scheme, with its exceptions; a server on this machine is never asked through one."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:8080")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for(origin) == proxy
    monkeypatch.setenv("all_proxy", "http://all.invalid:1")
    assert proxy_for("http://models.example/v1") == "http://all.invalid:1"


async def test_requests_of_other_shapes_are_built_as_httpx_builds_them() -> None:
    """Parameters and multipart bodies take the SDK's usual way; a closed client says so."""
    client = DirectClient(
        origin="http://127.0.0.1:9", max_connections=1, connect_timeout=1, max_response_bytes=1_000
    )
    request = client.build_request("GET", "http://127.0.0.1:9/v1/models", params={"limit": 1})
    assert str(request.url) == "http://127.0.0.1:9/v1/models?limit=1"
    upload = client.build_request("POST", "http://127.0.0.1:9/v1/files", files={"file": ("a", b"x")})
    assert upload.headers["content-type"].startswith("multipart/form-data")
    with pytest.raises(RuntimeError, match="not open"):
        await client.send(request)
    await client.open()
    for built in (request, upload):
        with pytest.raises(httpx2.ConnectError):
            await client.send(built)
    await client.aclose()
