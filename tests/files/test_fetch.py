"""Documents by URL over HTTP, through the guard: real sockets, real TLS, names resolved by the test."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

from service.files import Fetcher, UrlBadAnswer, UrlSettings, UrlTooLarge, UrlTooSlow, UrlUnreachable
from service.foundation import clock, problems
from service.foundation.errors import WinnowError
from service.foundation.spool import Spool

TEXT = b"INVOICE\n\nInvoice number: 2026-0417\nSeller: Acme GmbH\nCurrency: EUR\nTotal: 1280.50\n"
SECRET = b"this must not be quoted"
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def plain(body: bytes = TEXT, status: str = "200 OK", *headers: str) -> Answer:
    """A server that always gives the same answer."""

    async def answer(_: bytes, out: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: text/plain", *headers]
        out.write("\r\n".join([*lines, "", ""]).encode() + body)

    return answer


class Server:
    """An HTTP server of the test; it knows what it was asked, and which connections it saw."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head)
            await self.answer(head, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side has had enough, as it should
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Server"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


class Names:
    """A name server: answers in turn, the last one for ever; knows what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if not answer:
            raise OSError("no such name")
        return answer


@asynccontextmanager
async def guarded(
    sandbox: str, tmp_path: Path, names: Names, *ports: int, files: Any = None, **urls: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """The service, with loopback as the network that the operator allows, and the test's names."""
    options = {"allow_http": True, "ports": (443, *ports), "allow_networks": ("127.0.0.1/32",), **urls}
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", urls=options, files=files or {})
    async with running(settings) as client:
        client.app.state.parts.urls.resolve = names
        yield client


async def extract(client: httpx2.AsyncClient, url: str, **more: Any) -> httpx2.Response:
    answer = await client.post("/v1/extract/order", json={"input": {"url": url, **more}})
    assert SECRET.decode() not in answer.text
    return answer


def assert_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/input/url"]
    result: dict[str, Any] = answer.json()
    return result


async def test_a_document_by_url(sandbox: str, tmp_path: Path) -> None:
    """The document is fetched and read; of the request nothing but the URL goes along, and no proxy is asked."""
    names = Names(["127.0.0.1"])
    async with Server(plain()).open() as server, guarded(sandbox, tmp_path, names, server.port) as client:
        url = f"http://documents.example:{server.port}/a/invoice.txt?sig=%2Fx"
        answer = await client.post(
            "/v1/extract/order",
            json={"input": {"url": url}},
            headers={"authorization": "Bearer caller", "cookie": "a=b", "x-mine": "1"},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["invoice_number"] == "2026-0417"
        estimated = await client.post("/v1/estimate/order", json={"input": {"url": url}})
        assert estimated.status_code == 200
        two = await client.post("/v1/extract/order", json={"inputs": [{"text": "One."}, {"url": url}]})
        assert two.json()["document"]["pages"] == 2
        head = server.asked[0].decode().lower()
        assert head.startswith("get /a/invoice.txt?sig=%2fx http/1.1\r\n")
        sent = {line.partition(":")[0] for line in head.splitlines()[1:] if line}
        assert sent == {"host", "accept", "accept-encoding", "user-agent", "connection"}
        assert "accept-encoding: identity" in head
        assert f"host: documents.example:{server.port}" in head


async def test_no_proxy_of_the_environment(
    sandbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies that the environment names are not asked."""
    async with (
        Server(plain()).open() as server,
        Server(plain(SECRET)).open() as proxy,
        guarded(sandbox, tmp_path, Names(["127.0.0.1"]), server.port) as client,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await extract(client, f"http://d.example:{server.port}/x.txt")).status_code == 200
        assert proxy.connections == 0


async def test_rebinding(sandbox: str, tmp_path: Path) -> None:
    """A name that is private a moment later: it is resolved once, and only the address that was looked at is asked."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    async with Server(plain()).open() as server, guarded(sandbox, tmp_path, names, server.port) as client:
        answer = await extract(client, f"http://rebinding.example:{server.port}/x.txt")
        assert answer.status_code == 200, answer.text
        assert (names.asked, server.connections) == (["rebinding.example"], 1)
        assert_problem(await extract(client, f"http://rebinding.example:{server.port}/"), 422, "url_refused")
        assert server.connections == 1


async def test_rebinding_between_redirects(sandbox: str, tmp_path: Path) -> None:
    """The same name is looked at anew on every redirect."""
    names = Names(["127.0.0.1"], ["10.0.0.1", "fd00::1"])
    server = Server(plain(SECRET, "302 Found", "location: /again"))
    async with server.open(), guarded(sandbox, tmp_path, names, server.port) as client:
        problem = assert_problem(
            await extract(client, f"http://rebinding.example:{server.port}/"), 422, "url_refused"
        )
        assert "Redirect 1" in problem["detail"]
        assert "10.0.0.1" not in str(problem)
        assert (len(names.asked), server.connections) == (2, 1)


async def test_private_addresses_among_public_ones(sandbox: str, tmp_path: Path) -> None:
    """Of several addresses only those that may be asked are."""
    names = Names(["10.0.0.1", "::1", "169.254.169.254", "127.0.0.1"])
    async with Server(plain()).open() as server, guarded(sandbox, tmp_path, names, server.port) as client:
        assert (await extract(client, f"http://mixed.example:{server.port}/x.txt")).status_code == 200


NOWHERE = [
    "http://127.0.0.2:{port}/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://2130706434/",
    "http://0x7f000002/", "http://0177.0.0.2/", "http://127.2/", "http://user:pw@d.example:{port}/", "ftp://d.example/",
    "file:///etc/passwd", "http://d.example:22/", "//127.0.0.2:{port}/", "http://[bad", "gopher://d.example/",
]  # fmt: skip


async def test_redirects_and_urls_to_where_nothing_public_is(sandbox: str, tmp_path: Path) -> None:
    """Whatever is refused as a URL is refused as a redirect; nobody is asked."""
    server = Server(plain())
    async with server.open(), guarded(sandbox, tmp_path, Names(["127.0.0.1"]), server.port) as client:
        for target in [target.format(port=server.port) for target in NOWHERE]:
            server.connections = 0
            if not target.startswith("//"):
                assert_problem(await extract(client, target), 422, "url_refused")
                assert server.connections == 0
            server.answer = plain(SECRET, "301 Moved", f"location: {target}")
            answer = await extract(client, f"http://d.example:{server.port}/")
            assert target not in assert_problem(answer, 422, "url_refused")["detail"]
            assert server.connections == 1


async def test_redirects_are_followed_and_counted(sandbox: str, tmp_path: Path) -> None:
    """A few redirects are followed, also to other hosts; endless ones are not; cookies do not travel."""
    server = Server(plain())

    async def answer(head: bytes, out: asyncio.StreamWriter) -> None:
        step = int(head.split(b" ")[1].strip(b"/") or b"0")
        where = f"http://host{step + 1}.example:{server.port}/{step + 1}"
        if step == 3:
            await plain()(head, out)
        else:
            await plain(SECRET, "307 Temporary", f"location: {where}", "set-cookie: a=b; path=/")(head, out)

    server.answer = answer
    names = Names(["127.0.0.1"])
    async with server.open(), guarded(sandbox, tmp_path, names, server.port) as client:
        assert (await extract(client, f"http://host0.example:{server.port}/")).status_code == 200
        assert names.asked == [f"host{step}.example" for step in range(4)]
        assert not any(b"cookie" in head.lower() for head in server.asked)
        server.answer = plain(b"", "302 Found", "location: /")
        problem = assert_problem(
            await extract(client, f"http://d.example:{server.port}/"), 424, "url_bad_answer"
        )
        assert "redirects more than 5 times" in problem["detail"]
        assert server.connections == 4 + 6


async def endless(head: bytes, out: asyncio.StreamWriter) -> None:
    out.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        out.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await out.drain()


async def trickle(head: bytes, out: asyncio.StreamWriter) -> None:
    out.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        out.write(b"x")
        await out.drain()
        await asyncio.sleep(0.05)


async def silent(head: bytes, out: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3)


async def headers_without_end(head: bytes, out: asyncio.StreamWriter) -> None:
    out.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        out.write(b"x-more: " + b"x" * 4000 + b"\r\n")
        await out.drain()


async def broken_off(head: bytes, out: asyncio.StreamWriter) -> None:
    out.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + SECRET)


async def no_http(head: bytes, out: asyncio.StreamWriter) -> None:
    out.write(SECRET + b"\r\n\r\n")


TROUBLE: list[tuple[str, Answer, type[WinnowError]]] = [
    ("said too large", plain(b"x" * 200_001), UrlTooLarge),
    ("endless", endless, UrlTooLarge),
    ("trickle", trickle, UrlTooSlow),
    ("silent", silent, UrlTooSlow),
    ("headers without end", headers_without_end, UrlUnreachable),
    ("broken off", broken_off, UrlUnreachable),
    ("no HTTP", no_http, UrlUnreachable),
    ("not found", plain(SECRET, "404 Not Found"), UrlBadAnswer),
    ("a part", plain(SECRET, "206 Partial Content"), UrlBadAnswer),
    ("no place to go", plain(SECRET, "302 Found"), UrlBadAnswer),
    ("compressed", plain(SECRET, "200 OK", "content-encoding: gzip"), UrlBadAnswer),
]


@pytest.mark.parametrize(
    ("answer", "kind"), [case[1:] for case in TROUBLE], ids=[case[0] for case in TROUBLE]
)
async def test_trouble(tmp_path: Path, answer: Answer, kind: type[WinnowError]) -> None:
    """Size, time and form are bounded; every trouble has a code of its own and quotes nothing."""
    async with Server(answer).open() as server:
        settings = UrlSettings.model_validate(
            {
                "allow_http": True,
                "ports": [server.port],
                "allow_networks": ["127.0.0.1/32"],
                "max_bytes": 200_000,
            }
            | {"seconds": 0.5 if kind is UrlTooSlow else 10}
        )
        fetcher = Fetcher(settings, Spool(tmp_path, 100_000))
        fetcher.resolve = Names(["127.0.0.1"])
        await fetcher.open()
        try:
            with pytest.raises(kind) as caught:
                await fetcher.fetch(f"http://d.example:{server.port}/x", deadline=clock.monotonic() + 20)
        finally:
            await fetcher.close()
        assert SECRET.decode() not in caught.value.detail


async def test_who_cannot_be_asked(sandbox: str, tmp_path: Path) -> None:
    """A name without address, a closed port, the request's own deadline, and a service that fetches nothing."""
    async with Server(silent).open() as server:
        closed = server.port
        async with guarded(sandbox, tmp_path, Names(["127.0.0.1"]), closed) as client:
            body = {"input": {"url": f"http://d.example:{closed}/"}, "options": {"deadline_s": 0.3}}
            late = await client.post("/v1/extract/order", json=body)
            assert (late.status_code, late.json()["code"]) == (504, "deadline_exceeded")
    async with guarded(sandbox, tmp_path, Names([], ["127.0.0.1"]), closed) as client:
        for _ in range(2):
            assert_problem(await extract(client, f"http://d.example:{closed}/"), 424, "url_unreachable")
    async with guarded(sandbox, tmp_path, Names(["127.0.0.1"]), enabled=False) as client:
        assert_problem(await extract(client, "https://d.example/"), 422, "url_refused")


async def test_by_default(client: httpx2.AsyncClient) -> None:
    """As it is delivered: no http, no other ports, nothing on this machine."""
    client.app.state.parts.urls.resolve = Names(["127.0.0.1"])
    for url in ("http://d.example/", "https://d.example:8443/", "https://d.example/", "https://localhost/"):
        assert_problem(await extract(client, url), 422, "url_refused")


async def test_large_documents_go_to_the_spool(sandbox: str, tmp_path: Path) -> None:
    """A large document by URL does not stay in memory, and what its server calls it is only a hint."""
    async with (
        Server(plain(TEXT, "200 OK", "content-type: application/pdf")).open() as server,
        guarded(sandbox, tmp_path, Names(["127.0.0.1"]), server.port, files={"spool_bytes": 16}) as client,
    ):
        estimated = await client.post(
            "/v1/estimate/order", json={"input": {"url": f"http://d.example:{server.port}/x.txt"}}
        )
        assert (tmp_path / "w-files" / "incoming").is_dir()
        assert estimated.json()["document"]["media_type"] == "text/plain", estimated.text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for documents.example, and its key."""
    if which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=documents.example", "-addext", "subjectAltName=DNS:documents.example",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


async def test_tls(sandbox: str, tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """TLS goes to the pinned address and proves the host's name: another name, or no trust, is not spoken to."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)  # type: ignore[assignment]
    server = Server(plain())
    async with server.open(context):
        names = Names(["127.0.0.1"])
        async with guarded(
            sandbox, tmp_path, names, server.port, ca_file=certificate[0], allow_http=False
        ) as client:
            answer = await extract(client, f"https://documents.example:{server.port}/invoice.txt")
            assert answer.status_code == 200, answer.text
            assert asked == ["documents.example"]
            for other in ("other.example", "127.0.0.1"):
                problem = assert_problem(
                    await extract(client, f"https://{other}:{server.port}/"), 424, "url_unreachable"
                )
                assert "certificate" in problem["detail"]
        async with guarded(sandbox, tmp_path, names, server.port) as client:
            answer = await extract(client, f"https://documents.example:{server.port}/")
            assert "certificate" in assert_problem(answer, 424, "url_unreachable")["detail"]
        assert len(server.asked) == 1


async def test_a_host_without_tls(sandbox: str, tmp_path: Path) -> None:
    """Whoever answers a TLS greeting with something else is not spoken to further."""

    async def rude(_: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        out.write(b"HTTP/1.1 200 OK\r\n\r\n" + SECRET)
        out.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, guarded(sandbox, tmp_path, Names(["127.0.0.1"]), port) as client:
        problem = assert_problem(await extract(client, f"https://d.example:{port}/"), 424, "url_unreachable")
        assert "TLS" in problem["detail"]
