"""Which URLs and which addresses are asked: pure rules."""

import ipaddress
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from service.files import UrlRefused
from service.files.addresses import is_allowed
from service.files.links import joined, parse

REFUSED = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:a00:1::", "2001:10::1", "2001:db8::1",
    "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "2606:4700::1111%eth0",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.3.1", "223.255.255.255", "2606:4700::1111",
          "2001:4860:4860::8888", "2a00:1450:4001::1"]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_addresses_that_are_not_public(text: str) -> None:
    """Loopback, private, link-local, metadata, carrier-grade NAT, multicast, reserved and IPv4 in disguise."""
    assert not is_allowed(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str) -> None:
    """Public addresses, also those just beside what is refused."""
    assert is_allowed(ipaddress.ip_address(text))


def test_networks_that_the_operator_allows() -> None:
    """An allowed network opens itself and nothing beside it, in no disguise."""
    allowed = (ipaddress.ip_network("10.20.0.0/16"),)
    assert is_allowed(ipaddress.ip_address("10.20.3.4"), allowed)
    assert not is_allowed(ipaddress.ip_address("10.21.0.1"), allowed)
    assert not is_allowed(ipaddress.ip_address("::ffff:10.20.3.4"), allowed)


BAD = [
    "", "example.com", "/etc/passwd", "//example.com/", "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/",
    "data:text/plain,x", "http://example.com/", "https:/example.com", "https:example.com", "https://", "https:///x",
    "https://user@example.com/", "https://user:pass@example.com/", "https://example.com@10.0.0.1/", "https://@example.com/",
    "https://example.com:8080/", "https://example.com:22/", "https://example.com:0/", "https://example.com:99999/",
    "https://example.com:443:443/", "https://example.com:/", "https://example.com:44a/",
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.1/", "https://0/",
    "https://0x/", "https://1.2.3.4.5/", "https://127.0.0.0x1/", "https://256.1.1.1/", "https://08.8.8.8/",
    "https://example.com\\@10.0.0.1/", "https://example.com\\.evil.com/", "https://exa mple.com/", "https://example.com/\n",
    " https://example.com/", "https://example.com/a b", "https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::1/",
    "https://[12345::]/", "https://[::ffff:127.0.0.1]x/", "https://exa%6dple.com/", "https://-example.com/", "https://a..b/",
    "https://" + "a" * 64 + ".com/", "https://" + "a." * 130 + "com/", "https://example.com/" + "a" * 2048,
    "https://\N{FULLWIDTH SOLIDUS}example.com/", "https://example.com\N{FULLWIDTH COMMERCIAL AT}evil.com/",
    "https://\ud800.com/",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_urls_that_are_refused(text: str) -> None:
    """Everything that two readers might read differently is refused before anybody is asked."""
    with pytest.raises(UrlRefused) as caught:
        parse(text, http=False, ports={443})
    assert "pass" not in caught.value.detail.replace("password", "")


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("HTTPS://EXAMPLE.com.:443/a/b.pdf?x=%2F&y=1#part", "example.com", 443, "/a/b.pdf?x=%2F&y=1"),
        ("https://example.com?q", "example.com", 443, "/?q"),
        ("https://example.com/a@b:c", "example.com", 443, "/a@b:c"),
        ("https://example.com/größe.pdf", "example.com", 443, "/gr%C3%B6%C3%9Fe.pdf"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://8.8.8.8/x", "8.8.8.8", 443, "/x"),
        ("https://[2606:4700:0::1111]/x", "2606:4700::1111", 443, "/x"),
        ("https://\N{FULLWIDTH DIGIT ONE}27.0.0\N{IDEOGRAPHIC FULL STOP}1/", "127.0.0.1", 443, "/"),
        ("https://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", 443, "/"),
        ("http://example.com/", "example.com", 80, "/"),
        ("http://example.com:443/", "example.com", 443, "/"),
    ],
)
def test_urls_that_are_read(text: str, host: str, port: int, path: str) -> None:
    """What is read is what will be asked: host in its plain form, path and query untouched."""
    link = parse(text, http=True, ports={443, 80})
    assert (ipaddress.ip_address(link.host) if ":" in host else link.host) == (
        ipaddress.ip_address(host) if ":" in host else host
    )
    assert (link.port, link.path) == (port, path)


def test_where_redirects_lead() -> None:
    """A redirect is joined with where it came from; nothing is allowed to it that was not before."""
    base = parse("https://example.com/a/b", http=False, ports={443})
    assert joined(base, "../c") == "https://example.com:443/c"
    for location in (
        "http://example.com/",
        "//u@evil/",
        "//127.1/",
        "https://[::1",
        "javascript:x",
        "//[v1.x]/",
    ):
        with pytest.raises(UrlRefused):
            parse(joined(base, location), http=False, ports={443})


def test_names_of_files() -> None:
    """The last step of the path names the file."""
    assert parse("https://e.com/a/in%20voice.pdf?x=/y", http=False, ports={443}).name == "in voice.pdf"
    assert parse("https://e.com/", http=False, ports={443}).name is None


LETTERS = st.text(st.sampled_from("aZ09.-_~:/?#[]@!$&'()*+,;=%\\ \t\n\0xü。１\ud800"), max_size=40)
"""What URLs are made of, and what breaks them."""


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        LETTERS.map("https://{}".format), LETTERS, st.text(max_size=40).map("https://a.example/{}".format)
    )
)
def test_nobody_reads_a_url_otherwise(text: str) -> None:
    """Any text is refused or read; what is read means the same host and port to the client that asks."""
    try:
        link = parse(text, http=True, ports={443, 80})
    except UrlRefused:
        return
    seen = URL(link.text, encoded=True)
    assert (seen.scheme, seen.raw_host, seen.port) == (link.scheme, link.host, link.port)
    assert (seen.user, seen.password, seen.raw_path_qs) == (None, None, link.path)
    assert urlsplit(link.text).hostname == link.host
    assert link.text.isascii()
    assert link.address is None or link.host == str(link.address)
    if link.address is None:
        with pytest.raises(ValueError):  # noqa: PT011 - a name is no address, in no reading
            ipaddress.ip_address(link.host)
        with pytest.raises(OSError):  # noqa: PT011
            socket.inet_aton(link.host)
