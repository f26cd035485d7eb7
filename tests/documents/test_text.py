from collections.abc import Callable

import pytest

from service.documents import parse_pages
from service.documents.encodings import clean, decode
from service.documents.errors import (
    DocumentEmpty,
    DocumentTooComplex,
    DocumentTooLong,
    DocumentTooManyPages,
    PagesOutOfRange,
    UndecodableText,
)
from service.documents.parsed import Parsed

Read = Callable[..., Parsed]

SAMPLES = [
    ("utf-8", "Zażółć € 日本語"),
    ("utf-8-sig", "Rechnung für Müller"),
    ("utf-16", "Rechnung für Müller"),
    ("utf-16-le", "Invoice total 12.00 EUR"),
    ("utf-16-be", "Invoice total 12.00 EUR"),
    ("utf-32", "Invoice total 12.00 EUR"),
    ("utf-32-le", "Invoice total 12.00 EUR"),
    ("cp932", "請求書 第12号 合計金額 12,345円 株式会社山田商店"),
    ("euc_jp", "請求書の番号は十二です。合計金額をご確認ください。"),
    ("cp949", "견적서 번호 12 주식회사 한국 합계 금액"),
    ("cp1252", "Invoice total £ 12.00"),
    ("cp1252", "Rechnung Nr. 12 für Müller & Söhne – Betrag 1.234,50 €"),
    ("cp1251", "Счёт на оплату номер 12 от третьего марта"),
    ("cp1253", "Τιμολόγιο αριθμός 12 για την εταιρεία"),
    ("cp1252", "für Müller"),
    ("cp1252", "Facture n° 12: été à Paris – 3 €"),
    ("cp1252", "Fußgängerübergänge größer"),
    ("cp1252", "La señora Muñoz pagó 3 €"),
    ("cp1250", "Zażółć gęślą jaźń, faktura nr 12"),
    ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy"),
    ("cp1254", "Fatura numarası 12, İstanbul Şişli Müdürlüğü"),
    ("cp1255", "חשבונית מספר 12"),
    ("cp1255", "חשבונית 4711 סכום 12.50"),
    ("cp1255", 'סה"כ לתשלום 1,250.00'),
    ("cp1253", "ΣΥΝΟΛΟ"),
    ("cp1253", "Σύνολο"),
    ("cp1256", "فاتورة رقم 12"),
    ("gb18030", "发票号码 12 北京公司"),
    ("big5", "發票號碼 12 台北公司"),
    ("cp932", "御見積書"),
    ("euc_jp", "請求書 番号12 株式会社ヤマダ"),
    ("euc_jp", "請求書番号 4711 合計 12,500円"),
    ("euc_jp", "見積書 納品書 数量 単価 金額"),
    ("cp949", "세금계산서"),
    ("cp949", "홍길동 귀하"),
    ("iso2022_jp", "請求書 番号12"),
    ("koi8-r", "Счёт на оплату номер 12 от третьего марта"),
    ("cp874", "ใบแจ้งหนี้ เลขที่ 12"),
]


@pytest.mark.parametrize(("encoding", "text"), SAMPLES)
def test_encodings_are_found(encoding: str, text: str) -> None:
    """Text in any common encoding is read without being told which."""
    assert decode(text.encode(encoding))[0] == text


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("iso-8859-1", "cp1252"), ("shift_jis", "cp932"), ("euc-kr", "cp949"), ("koi8-r", "koi8-r")],
)
def test_declared_charset(charset: str, encoding: str) -> None:
    """A declared charset is used as browsers understand it, when the bytes agree."""
    text = {"cp932": "①請求書", "cp949": "똠방각하", "cp1252": "“12 €”"}.get(encoding, "Счёт")
    assert decode(text.encode(encoding), charset) == (text, [])


@pytest.mark.parametrize("charset", ["rot13", "no-such-charset", "utf-8"])
def test_unusable_charset_is_ignored(charset: str) -> None:
    """A charset that is none falls back to detection."""
    assert decode("für Müller".encode("cp1252"), charset)[0] == "für Müller"


def test_invalid_bytes_are_replaced() -> None:
    """A few bytes that are wrong do not cost the rest."""
    text, notices = decode(b"\xef\xbb\xbfOrder 5 \xc3\x28 total 7.00")
    assert "total 7.00" in text
    assert [notice.rule for notice in notices] == ["encoding"]


def test_binary_is_not_text() -> None:
    """Bytes full of control characters are text in no encoding."""
    with pytest.raises(UndecodableText):
        decode(bytes([1, 2, 3, 0xFF]) * 50)


@pytest.mark.parametrize(
    ("raw", "cleaned", "noticed"),
    [
        ("a\r\nb\rc", "a\nb\nc", False),
        ("a\x00b\x1b", "ab", True),
        ("12\u202e34", "1234", True),
        ("x\U000e0041y", "xy", True),
        ("soft\u00adhyphen\u200b", "softhyphen", False),
        ("e\u0301", "é", False),
        ("a\u2028b\x85c", "a\nb\nc", False),
        ("tab\tstays", "tab\tstays", False),
        ("می\u200cخواهم", "می\u200cخواهم", False),
    ],
)
def test_cleaning(raw: str, cleaned: str, noticed: bool) -> None:
    """Control, direction and tag characters go; joiners that scripts need stay."""
    text, notices = clean(raw)
    assert text == cleaned
    assert bool(notices) is noticed


def test_form_feeds_end_pages(read: Read) -> None:
    """Plain text has as many pages as form feeds make, and ranges choose among them."""
    assert [page.text for page in read(b"one\ntwo\n\fthree\n\f", "text/plain").pages] == ["one\ntwo", "three"]
    chosen = read(b"one\fthree", "text/plain", pages=parse_pages("2")).pages
    assert [(page.number, page.text) for page in chosen] == [(2, "three")]
    with pytest.raises(PagesOutOfRange):
        read(b"one", "text/plain", pages=parse_pages("2"))


def test_caps_on_text(read: Read) -> None:
    """Too much text and too many pages are refused with the cap in the problem's members."""
    with pytest.raises(DocumentTooLong) as long:
        read(b"x" * 101, "text/plain", limits={"max_text_characters": 100})
    assert long.value.members == {"limit": "max_text_characters", "allowed": 100}
    with pytest.raises(DocumentTooManyPages) as many:
        read(b"a\fb\fc", "text/plain", limits={"max_pages": 2})
    assert many.value.members == {"limit": "max_pages", "allowed": 2, "found": 3}


@pytest.mark.parametrize("media_type", ["text/plain", "text/csv", "text/html", "application/json"])
def test_white_space_is_empty(read: Read, media_type: str) -> None:
    """White space alone is an empty document in every text format."""
    with pytest.raises(DocumentEmpty):
        read(b" \n\t \r\n", media_type)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", (("a", "b"), ("1", "2"))),
        ("a;b\n1,5;2\n", (("a", "b"), ("1,5", "2"))),
        ("a|b\n1|2\n", (("a", "b"), ("1", "2"))),
        ('name,note\nx,"two\nlines, here"\n', (("name", "note"), ("x", "two\nlines, here"))),
        ("\ufeffa,b\r\n1,2\r\n", (("a", "b"), ("1", "2"))),
        ("only\none\ncolumn\n", (("only",), ("one",), ("column",))),
        ('=HYPERLINK("http://x"),5\n', (('=HYPERLINK("http://x")', "5"),)),
    ],
)
def test_csv_dialects(read: Read, text: str, rows: tuple[tuple[str, ...], ...]) -> None:
    """The delimiter is found, quotes are honoured, cells stay text."""
    assert read(text.encode(), "text/csv").pages[0].tables == (rows,)


def test_csv_text_is_readable(read: Read) -> None:
    """Rows are rendered one a line."""
    assert read(b'a,b\n1,"x\ny"\n', "text/csv").pages[0].text == "a | b\n1 | x y"


def test_csv_with_open_quote(read: Read) -> None:
    """A quote that is never closed costs no row."""
    parsed = read(b'a,b\n"open,1\n2,3\n', "text/csv")
    assert parsed.pages[0].tables[0][2] == ("2", "3")
    assert [notice.rule for notice in parsed.notices] == ["table"]


def test_csv_blocks_and_cells(read: Read) -> None:
    """Long tables are cut into blocks of rows; too many cells are refused."""
    parsed = read(b"1,2\n" * 1100, "text/csv")
    assert [len(page.tables[0]) for page in parsed.pages] == [500, 500, 100]
    with pytest.raises(DocumentTooComplex) as caught:
        read(b"1,2\n" * 60, "text/csv", limits={"max_cells": 100})
    assert caught.value.members["limit"] == "max_cells"


def test_tsv(read: Read) -> None:
    """Tabs separate, whatever else a line holds."""
    assert read(b"a,b\tc\n1\t2\n", "text/tab-separated-values").pages[0].tables[0][0] == ("a,b", "c")


def test_a_first_line_that_names_the_delimiter(read: Read) -> None:
    """Excel is told the delimiter by a first line that it does not show; nor is it a row here."""
    told = read("sep=|\r\na;x|b\r\n1|2\r\n".encode("utf-16"), "text/csv").pages[0].tables[0]
    assert told == (("a;x", "b"), ("1", "2"))
    assert read(b"sep=;\n", "text/csv").pages[0].text != ""


@pytest.mark.parametrize("text", ["plain ä", "Total: 5 µ", "a b ß c", "½ cup"])
def test_a_letter_or_two_are_of_no_far_script(text: str) -> None:
    """Of a text with hardly a byte beyond ASCII nobody concludes that it is in Urdu."""
    decoded, notices = decode(text.encode("cp1252"), None)
    assert decoded == text
    assert notices[0].message.endswith("read as cp1252")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r'{"a": "Gr\u00f6\u00dfe 12\/05\/2026"}', '{"a": "Größe 12/05/2026"}'),
        (r'["\ud83d\ude00", "\ud83d", "\\u00f6"]', r'["😀", "", "\\u00f6"]'),
        (r'["\u0022\u000a\n\t\" \u0041"]', r'["\u0022\u000a\n\t\" \u0041"]'),
        ('["a"]', '["a"]'),
    ],
)
def test_escapes_of_json(read: Callable[..., Parsed], source: str, shown: str) -> None:
    """Escaped letters are read as letters; what is escaped for the sake of JSON stays so."""
    assert read(source.encode(), "application/json").pages[0].text.replace("\ufffd", "") == shown


def test_escapes_and_encoding_of_xml(read: Callable[..., Parsed]) -> None:
    """References to letters are read as letters, brackets stay escaped, and the declared encoding is believed."""
    source = '<?xml version="1.0" encoding="koi8-r"?><a>Ё &amp; &#246;&#xDF; &lt;b&gt; &#60; &#xD800; &#99999999;</a>'
    parsed = read(source.encode("koi8-r"), "application/xml")
    assert parsed.pages[0].text.partition("?>")[2] == "<a>Ё & öß &lt;b&gt; &#60; &#xD800; &#99999999;</a>"
    assert parsed.notices == ()
