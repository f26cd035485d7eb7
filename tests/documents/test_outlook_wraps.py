"""What Outlook wraps: `winmail.dat`, bodies in compressed RTF, messages inside messages; all made by code."""

import struct
from collections.abc import Callable
from dataclasses import replace

from service.documents.packed_rtf import unpacked
from service.documents.parsed import Parsed
from service.documents.tnef import unwrapped
from tests.documents import make
from tests.documents.messages import letter, msg

Read = Callable[..., Parsed]
EML, MSG = "message/rfc822", "application/vnd.ms-outlook"
RTF = rb"{\rtf1\ansi\ansicpg1252 Order number: A-4711\par Gr\'fc\'dfe}"


def plain_rtf(rtf: bytes) -> bytes:
    """RTF in its envelope, not compressed."""
    return struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf


def packed_rtf(rtf: bytes) -> bytes:
    """RTF compressed by its seed only: its beginning is a reference into that, the rest are letters."""
    head = b"{\\rtf1\\ansi"
    assert rtf.startswith(head)
    out = bytes((0x01,)) + struct.pack(">H", 0 << 4 | len(head) - 2)
    tokens = rtf[len(head) :]
    out += tokens[:7]
    for at in range(7, len(tokens), 8):
        out += b"\0" + tokens[at : at + 8]
    return struct.pack("<II4sI", len(out) + 12, len(rtf), b"LZFu", 0) + out


def attribute(level: int, id: int, content: bytes) -> bytes:
    return struct.pack("<BII", level, id, len(content)) + content + struct.pack("<H", sum(content) & 0xFFFF)


def properties(*given: tuple[int, int, bytes]) -> bytes:
    """A list of properties: kind, tag, content; one with a name and some of fixed size before them."""
    fixed = struct.pack("<HHi", 3, 0x0E07, 1) + struct.pack("<HHq", 0x40, 0x39, 0)
    name = "Keywords".encode("utf-16-le") + b"\0\0"
    named = struct.pack("<HH16xII", 0x1003, 0x8001, 1, len(name)) + name + bytes(-len(name) % 4)
    named += struct.pack("<Iii", 2, 7, 8)
    made = b"".join(
        struct.pack("<HHII", kind, tag, 1, len(content)) + content + bytes(-len(content) % 4)
        for kind, tag, content in given
    )
    return struct.pack("<I", len(given) + 3) + fixed + named + made


def tnef(*attributes: bytes) -> bytes:
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(attributes)


def attached(name: str, content: bytes, long: str) -> bytes:
    wide = (long + "\0").encode("utf-16-le")
    return (
        attribute(2, 0x69002, bytes(14))
        + attribute(2, 0x18010, name.encode() + b"\0")
        + attribute(2, 0x6800F, content)
        + attribute(2, 0x69005, properties((0x1F, 0x3707, wide)))
    )


def winmail(data: bytes, text: str | None = None, subtype: str = "ms-tnef") -> bytes:
    message = make.mail(text=text)
    if text is None:
        message.set_content(" ")
    message.add_attachment(data, maintype="application", subtype=subtype, filename="winmail.dat")
    return message.as_bytes()


def test_attachments_of_winmail(read: Read) -> None:
    """What is wrapped up is attached to the message as if it had come by itself, under its long name."""
    data = tnef(
        attribute(1, 0x69007, struct.pack("<II", 1252, 0)),
        attached("ORDER~1.PDF", make.pdf([(60, 60, "Total 42.00")]), "Order of March.pdf"),
        attached("B.CSV", b"k,v\n1,2\n", "b.csv"),
    )
    for subtype in ("ms-tnef", "octet-stream"):
        parsed = read(winmail(data, "Please see below.", subtype), EML)
        assert [page.label for page in parsed.pages] == [None, "Order of March.pdf", "b.csv"]
        assert "Attachments: Order of March.pdf, b.csv" in parsed.pages[0].text
        assert "Total 42.00" in parsed.pages[1].text
        assert parsed.notices == ()


def test_body_of_winmail(read: Read) -> None:
    """A message that was wrapped up with everything else is read: as text, as HTML, or as compressed RTF."""
    html = "<html><meta charset=utf-8><p>Order number: A-4711<p>Grüße</html>".encode()
    for wrapped in (
        attribute(1, 0x2800C, "Order number: A-4711\nGrüße\0".encode("cp1252")),
        attribute(1, 0x69003, properties((0x1E, 0x1000, "Order number: A-4711\nGrüße\0".encode("cp1252")))),
        attribute(1, 0x69003, properties((0x102, 0x1013, html))),
        attribute(1, 0x69003, properties((0x102, 0x1009, packed_rtf(RTF)))),
    ):
        text = read(winmail(tnef(wrapped)), EML).pages[0].text
        assert "Order number: A-4711" in text
        assert text.endswith("Grüße")


def test_a_message_inside_of_winmail(read: Read) -> None:
    """A forwarded message is a page of its own, with what is attached to it behind it."""
    inner = tnef(
        attribute(1, 0x2800C, b"Forwarded order A-4711\0"), attached("c.csv", b"k,v\n1,2\n", "c.csv")
    )
    outer = tnef(
        attribute(2, 0x69002, bytes(14))
        + attribute(2, 0x69005, properties((0x1E, 0x3707, b"inner\0"), (0xD, 0x3701, bytes(16) + inner)))
    )
    parsed = read(winmail(outer, "See below."), EML)
    assert "Forwarded order A-4711" in parsed.pages[1].text
    assert parsed.pages[2].label == "c.csv"
    deep = inner
    for _ in range(9):
        deep = tnef(
            attribute(2, 0x69002, bytes(14))
            + attribute(2, 0x69005, properties((0xD, 0x3701, bytes(16) + deep)))
        )
    assert "nested more than" in read(winmail(deep, "x"), EML).notices[-1].message


def test_broken_winmail(read: Read) -> None:
    """Whatever is wrong with it, what is whole is read; what is no TNEF at all stays an attachment that is not read."""
    data = tnef(
        attached("b.csv", b"k,v\n1,2\n", "b.csv"), attribute(1, 0x69003, properties((0x1E, 0x1000, b"x\0")))
    )
    for cut in range(len(data)):
        unwrapped(data[:cut])
        flipped = bytearray(data)
        flipped[cut] ^= 0xFF
        unwrapped(bytes(flipped))
    assert read(winmail(data[: len(data) - 10], "y"), EML).pages[1].label == "b.csv"
    (notice,) = read(winmail(b"no TNEF, but a text of some kind"[:3] + bytes(40), "y"), EML).notices
    assert notice.rule == "attachment_skipped"


def test_compressed_rtf() -> None:
    """References into the window and into what was just written; cut off and wrong data end where they do."""
    assert unpacked(packed_rtf(RTF), 10_000) == RTF
    assert unpacked(plain_rtf(RTF), 10_000) == RTF
    assert unpacked(packed_rtf(RTF), 20)[:20] == RTF[:20]
    assert unpacked(b"x", 10) == unpacked(b"y" * 40, 10) == b""
    for cut in range(16, len(packed_rtf(RTF))):
        assert RTF.startswith(unpacked(packed_rtf(RTF)[:cut], 10_000))
    # [MS-OXRTFCP] §3.1.3, an example with a reference that overlaps what it writes
    overlap = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert unpacked(overlap, 100) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_msg_with_nothing_but_rtf(read: Read) -> None:
    """A body in compressed RTF is read where there is no other."""
    text = read(msg(letter(p1009=packed_rtf(RTF))), MSG).pages[0].text
    assert text.endswith("Order number: A-4711\nGrüße")
    both = read(msg(letter("plain", p1009=packed_rtf(RTF))), MSG).pages[0].text
    assert both.endswith("plain")


def test_msg_inside_a_msg(read: Read) -> None:
    """A forwarded message is read with its headers and what is attached to it; nesting has its bound."""
    inner = replace(letter("The inner order"), attached=[("c.csv", b"k,v\n1,2\n")])
    parsed = read(msg(replace(letter("See below"), attached=[("Fwd: order", inner)])), MSG)
    assert [page.label for page in parsed.pages] == [None, "Fwd: order", "c.csv"]
    assert 'From: "Bob" <bob@example.org>\nSubject: Your order' in parsed.pages[1].text
    assert "The inner order" in parsed.pages[1].text
    assert parsed.notices == ()
    for _ in range(6):
        inner = replace(letter("more"), attached=[("again", inner)])
    assert "nested more than 3 deep" in read(msg(inner), MSG).notices[-1].message


def test_recipients_of_a_msg(read: Read) -> None:
    """Who got a copy stands under Cc and Bcc, as the message has it."""
    people = [("Ann", "ann@x.org", 1), ("Cid", "cid@x.org", 2), ("Dee", "dee@x.org", 3), ("Eve", "", 1)]
    text = read(msg(replace(letter("x"), recipients=people)), MSG).pages[0].text
    assert "To: Ann <ann@x.org>, Eve\nCc: Cid <cid@x.org>\nBcc: Dee <dee@x.org>\n" in text


def test_a_msg_whose_html_is_of_no_encoding(read: Read) -> None:
    """A body that cannot be decoded does not take the other one with it."""
    data = msg(letter("The order", p1013=b"\xff\xfe\x81 not of the code page"))
    assert read(data, MSG).pages[0].text.endswith("The order")
