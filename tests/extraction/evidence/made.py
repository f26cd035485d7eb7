"""Invoices and statements in many scripts with known places, made by rule: equal amounts in several rows, several pages.

A sheet is a list of pieces (page, left, baseline, text, pointer). It becomes a ``Document`` of words with boxes, a plain
text, or, for Latin script, a real PDF. Positions are in points on A4.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fpdf import FPDF

from service.documents import Box, Document, Page, Word

WIDTH, HEIGHT, SIZE = 595.0, 842.0, 10.0


@dataclass(frozen=True)
class Script:
    """How one language writes: labels, names, numbers and dates."""

    labels: dict[str, str]
    names: list[str]
    streets: list[str]
    cities: list[str]
    items: list[str]
    amount: Callable[[float], str]
    day: Callable[[date], str]
    wide: bool = False
    backwards: bool = False
    digits: str | None = None
    latin: bool = False


@dataclass
class Sheet:
    """A document under construction, and the record that is in it."""

    script: Script
    pieces: list[tuple[int, float, float, str, str | None]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)

    def put(self, page: int, left: float, base: float, text: str, pointer: str | None = None) -> None:
        if self.script.digits:
            text = text.translate(str.maketrans("0123456789", self.script.digits))
        if self.script.backwards:
            left = WIDTH - left - width(text)
        self.pieces.append((page, left, base, text, pointer))


def width(text: str) -> float:
    return sum(SIZE if ord(letter) > 0x2E80 else 0.5 * SIZE for letter in text)


def _comma(value: float) -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def _spaced(value: float) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",")


_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "ru": [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ],
    "ar": [
        "يناير",
        "فبراير",
        "مارس",
        "أبريل",
        "مايو",
        "يونيو",
        "يوليو",
        "أغسطس",
        "سبتمبر",
        "أكتوبر",
        "نوفمبر",
        "ديسمبر",
    ],
    "hi": ["जनवरी", "फरवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"],
    "th": [
        "มกราคม",
        "กุมภาพันธ์",
        "มีนาคม",
        "เมษายน",
        "พฤษภาคม",
        "มิถุนายน",
        "กรกฎาคม",
        "สิงหาคม",
        "กันยายน",
        "ตุลาคม",
        "พฤศจิกายน",
        "ธันวาคม",
    ],
}


def _named(language: str) -> Callable[[date], str]:
    return lambda day: f"{day.day} {_MONTHS[language][day.month - 1]} {day.year}"


def _labels(words: str) -> dict[str, str]:
    names = [
        "number",
        "date",
        "due",
        "seller",
        "buyer",
        "item",
        "quantity",
        "price",
        "amount",
        "net",
        "tax",
        "total",
        "description",
        "balance",
    ]
    return dict(zip(names, words.split("|"), strict=True))


SCRIPTS = {
    "en": Script(
        _labels("Invoice no.|Invoice date|Due date|From|Bill to|Item|Qty|Unit price|Amount|Subtotal|Sales tax|Total|Description|Balance"),
        ["Harper & Sons Ltd", "Blue Whale Logistics", "Ivy Lane Books", "O'Neill Roofing"],
        ["12 Market Street", "8 Kings Road", "45 Elm Avenue", "12 Market Street"],
        ["Leeds", "Bristol", "York", "Leeds"],
        ["Oak desk", "Desk lamp", "Filing cabinet", "Whiteboard marker set", "Swivel chair", "Cable"],
        lambda value: f"{value:,.2f}", lambda day: f"{_MONTHS['en'][day.month - 1]} {day.day}, {day.year}", latin=True,
    ),
    "de": Script(
        _labels("Rechnungsnummer|Rechnungsdatum|Fällig am|Verkäufer|Käufer|Artikel|Menge|Einzelpreis|Betrag|Nettobetrag|MwSt.|Gesamtbetrag|Buchungstext|Saldo"),
        ["Müller & Söhne GmbH", "Bäckerei Groß", "Kunden AG", "Lindner Elektro e.K."],
        ["Hauptstraße 5", "Gartenweg 12", "Am Markt 3", "Hauptstraße 5"],
        ["München", "Köln", "Berlin", "München"],
        ["Bürostuhl", "Tischlampe", "Kabel 2m", "Ordner breit", "Druckerpapier A4"],
        _comma, lambda day: f"{day:%d.%m.%Y}", latin=True,
    ),
    "fr": Script(
        _labels("Facture n°|Date de facture|Échéance|Vendeur|Client|Désignation|Qté|Prix unitaire|Montant|Total HT|TVA|Total TTC|Libellé|Solde"),
        ["Au Bon Moulin SARL", "Ma Jolie Boutique", "Établissements Lefèvre", "Garage du Nord"],
        ["35 rue de la République", "8 avenue Foch", "2 place d'Armes", "8 avenue Foch"],
        ["Lyon", "Nantes", "Lille", "Lyon"],
        ["Nougat 250g", "Huile d'olive", "Pain d'épices", "Confiture de figues"],
        _spaced, _named("fr"), latin=True,
    ),
    "ru": Script(
        _labels("Счет №|Дата счета|Срок оплаты|Продавец|Покупатель|Наименование|Кол-во|Цена|Сумма|Нетто|НДС|Итого|Описание|Остаток"),
        ["ООО Ромашка", "ЗАО Северный Ветер", "ИП Кузнецов", "АО Заря"],
        ["ул. Ленина 5", "пр. Мира 12", "ул. Садовая 3", "ул. Ленина 5"],
        ["Москва", "Казань", "Тверь", "Москва"],
        ["Стол письменный", "Лампа", "Кабель", "Бумага офисная"],
        _spaced, _named("ru"),
    ),
    "el": Script(
        _labels("Αριθμός|Ημερομηνία|Λήξη|Πωλητής|Πελάτης|Περιγραφή|Ποσότητα|Τιμή|Ποσό|Καθαρό|ΦΠΑ|Σύνολο|Περιγραφή|Υπόλοιπο"),
        ["Ελιά ΑΕ", "Γιάννης Παπαδόπουλος", "Αθηνά ΕΠΕ", "Θάλασσα ΟΕ"],
        ["Ερμού 5", "Σταδίου 12", "Ακαδημίας 3", "Ερμού 5"],
        ["Αθήνα", "Πάτρα", "Βόλος", "Αθήνα"],
        ["Γραφείο", "Λάμπα", "Καλώδιο", "Χαρτί"],
        _comma, lambda day: f"{day.day}/{day.month}/{day.year}",
    ),
    "ja": Script(
        _labels("請求書番号|発行日|支払期限|販売者|請求先|品名|数量|単価|金額|小計|消費税|合計|摘要|残高"),
        ["株式会社青空商事", "東京電機株式会社", "山田太郎", "有限会社みどり"],
        ["丸の内1-2-3", "本町4-5", "中央町6-7-8", "丸の内1-2-3"],
        ["東京都千代田区", "大阪市北区", "札幌市", "東京都千代田区"],
        ["事務机", "電気スタンド", "延長コード", "コピー用紙A4"],
        lambda value: f"¥{value:,.0f}", lambda day: f"{day.year}年{day.month}月{day.day}日", wide=True,
    ),
    "ja-era": Script(
        _labels("番号|日付|期限|販売者|お客様|品目|数量|単価|金額|小計|税額|合計|摘要|残高"),
        ["株式会社花田", "北海食品", "鈴木一郎", "合同会社ひかり"],
        ["栄3-4-5", "天神1-1", "紙屋町2-2-2", "栄3-4-5"],
        ["名古屋市中区", "福岡市", "広島市", "名古屋市中区"],
        ["緑茶", "急須", "湯呑み", "和菓子詰合せ"],
        lambda value: f"{value:,.0f}円", lambda day: f"令和{day.year - 2018}年{day.month}月{day.day}日", wide=True,
    ),
    "zh": Script(
        _labels("发票号码|开票日期|到期|销售方|购买方|品名|数量|单价|金额|小计|税额|总计|摘要|余额"),
        ["飞海科技有限公司", "和泰传媒有限公司", "北方贸易公司", "张伟"],
        ["人民路88号", "中山路12号", "解放大道5号", "人民路88号"],
        ["上海市", "广州市", "武汉市", "上海市"],
        ["办公桌", "台灯", "数据线", "打印纸"],
        lambda value: f"{value:,.2f}", lambda day: f"{day.year}年{day.month:02}月{day.day:02}日", wide=True,
    ),
    "ko": Script(
        _labels("송장 번호|발행일|납기|공급자|고객|품목|수량|단가|금액|소계|부가세|총액|적요|잔액"),
        ["한빛전자 주식회사", "서울상사", "김민준", "대한무역"],
        ["세종대로 12", "테헤란로 34", "중앙로 5", "세종대로 12"],
        ["서울특별시", "부산광역시", "대전광역시", "서울특별시"],
        ["사무용 책상", "스탠드 조명", "케이블", "복사용지"],
        lambda value: f"{value:,.0f}원", lambda day: f"{day.year}. {day.month}. {day.day}.", wide=True,
    ),
    "ar": Script(
        _labels("رقم الفاتورة|تاريخ الإصدار|تاريخ الاستحقاق|البائع|المشتري|الوصف|الكمية|السعر|المبلغ|الصافي|ضريبة|الإجمالي|الوصف|الرصيد"),
        ["شركة النور للتجارة", "مؤسسة الأمل", "أحمد علي", "مكتبة المعرفة"],
        ["شارع الملك فهد 12", "شارع التحرير 5", "شارع البحر 8", "شارع الملك فهد 12"],
        ["الرياض", "القاهرة", "عمان", "الرياض"],
        ["مكتب خشبي", "مصباح", "كابل", "ورق طباعة"],
        lambda value: f"{value:,.2f}".replace(",", "٬").replace(".", "٫"), _named("ar"), backwards=True, digits="٠١٢٣٤٥٦٧٨٩",
    ),
    "he": Script(
        _labels("מספר חשבונית|תאריך|תשלום עד|מוכר|לקוח|תיאור|כמות|מחיר|סכום|נטו|מעמ|סהכ|תיאור|יתרה"),
        ["אור תעשיות", "דוד לוי", "ספרי הגליל", "ים סחר"],
        ["הרצל 5", "ויצמן 12", "בן יהודה 3", "הרצל 5"],
        ["תל אביב", "חיפה", "ירושלים", "תל אביב"],
        ["שולחן", "מנורה", "כבל", "נייר"],
        lambda value: f"{value:,.2f}", lambda day: f"{day:%d/%m/%Y}", backwards=True,
    ),
    "hi": Script(
        _labels("संख्या|दिनांक|देय|विक्रेता|ग्राहक|विवरण|मात्रा|मूल्य|राशि|शुद्ध|कर|कुल|विवरण|शेष"),
        ["शर्मा ट्रेडर्स", "गंगा उद्योग", "राम कुमार", "भारत भंडार"],
        ["गांधी मार्ग 5", "नेहरू नगर 12", "स्टेशन रोड 3", "गांधी मार्ग 5"],
        ["दिल्ली", "जयपुर", "पटना", "दिल्ली"],
        ["मेज", "दीपक", "तार", "कागज"],
        lambda value: f"{value:,.2f}", _named("hi"), digits="०१२३४५६७८९",
    ),
    "th": Script(
        _labels("เลขที่|วันที่|ครบกำหนด|ผู้ขาย|ผู้ซื้อ|รายการ|จำนวน|ราคา|จำนวนเงิน|ยอดสุทธิ|ภาษี|รวม|รายการ|คงเหลือ"),
        ["บริษัท สยามการค้า จำกัด", "ร้านดอกไม้", "สมชาย ใจดี", "บริษัท ทองคำ จำกัด"],
        ["ถนนสุขุมวิท 12", "ถนนสีลม 5", "ถนนพระราม 9", "ถนนสุขุมวิท 12"],
        ["กรุงเทพ", "เชียงใหม่", "ภูเก็ต", "กรุงเทพ"],
        ["โต๊ะ", "โคมไฟ", "สายไฟ", "กระดาษ"],
        lambda value: f"{value:,.2f}", lambda day: f"{day.day} {_MONTHS['th'][day.month - 1]} {day.year + 543}",
    ),
}  # fmt: skip


def invoice(script: Script, seed: int) -> Sheet:
    """Two parties, dates that may be equal, lines over one or several pages with few different amounts, totals."""
    dice = random.Random(seed)
    sheet = Sheet(script)
    label = script.labels
    issued = date(2019 + dice.randrange(6), 1 + dice.randrange(12), 1 + dice.randrange(28))
    due = issued + timedelta(days=dice.choice([0, 14, 30]))
    number = f"{dice.randrange(1000, 99999)}"
    record: dict[str, Any] = {
        "invoice_number": number,
        "issue_date": issued.isoformat(),
        "due_date": due.isoformat(),
    }
    for row, (name, text) in enumerate(
        (("number", number), ("date", script.day(issued)), ("due", script.day(due)))
    ):
        pointer = {"number": "/invoice_number", "date": "/issue_date", "due": "/due_date"}[name]
        sheet.put(1, 330, 60 + 14 * row, label[name])
        sheet.put(1, 430, 60 + 14 * row, text, pointer)
    picks = dice.sample(range(4), 2)
    for party, pick, left in (("seller", picks[0], 50), ("buyer", picks[1], 330)):
        base = 130 if dice.random() < 0.5 else 150
        sheet.put(1, left, base - 16, label[party])
        record[party] = {
            "name": script.names[pick],
            "street": script.streets[pick],
            "city": script.cities[pick],
        }
        for row, (member, text) in enumerate(record[party].items()):
            sheet.put(1, left, base + 13 * row, text, f"/{party}/{member}")
    count = dice.choice([3, 6, 12, 70])
    prices = [dice.choice([5, 12, 25, 40, 100, 1250]) * (1 if script.wide else 1.1) for _ in range(3)]
    lines: list[dict[str, Any]] = []
    page, base = 1, 240.0
    columns = (50.0, 85.0, 300.0, 370.0, 470.0)

    def header() -> None:
        for name, left in zip(("item", "quantity", "price", "amount"), columns[1:], strict=True):
            sheet.put(page, left, base - 16, label[name])

    header()
    for at in range(count):
        if base > 760:
            page, base = page + 1, 80.0
            header()
        price, quantity = round(dice.choice(prices), 2), dice.randrange(1, 4)
        line = {"position": at + 1, "description": dice.choice(script.items), "quantity": quantity, "unit_price": price,
                "amount": round(price * quantity, 2)}  # fmt: skip
        lines.append(line)
        texts = (
            str(at + 1),
            line["description"],
            str(quantity),
            script.amount(price),
            script.amount(line["amount"]),
        )
        for name, left, text in zip(line, columns, texts, strict=True):
            if name in ("quantity", "unit_price", "amount"):
                left += 60 - width(text)
            sheet.put(page, left, base, text, f"/lines/{at}/{name}")
        base += 15
    record["lines"] = lines
    net = round(sum(line["amount"] for line in lines), 2)
    tax = round(net * 0.2, 0 if script.wide else 2)
    base += 20
    for name, value in (("net", net), ("tax", tax), ("total", round(net + tax, 2))):
        pointer = {"net": "/net_total", "tax": "/tax_total", "total": "/gross_total"}[name]
        text = script.amount(value)
        sheet.put(page, 330, base, label[name])
        sheet.put(page, 530 - width(text), base, text, pointer)
        record[pointer[1:]] = value
        base += 15
    sheet.record = record
    return sheet


def statement(script: Script, seed: int) -> Sheet:
    """Bookings over pages: few dates, few amounts, a running balance."""
    dice = random.Random(seed)
    sheet = Sheet(script)
    day = date(2023, 1 + dice.randrange(12), 1)
    page, base = 1, 90.0
    balance = float(dice.randrange(1000, 5000))
    booked: list[dict[str, Any]] = []
    columns = (50.0, 160.0, 340.0, 460.0)
    for name, left in zip(("date", "description", "amount", "balance"), columns, strict=True):
        sheet.put(page, left, 70, script.labels[name])
    for at in range(dice.choice([8, 30, 90])):
        if base > 770:
            page, base = page + 1, 60.0
        day += timedelta(days=dice.choice([0, 0, 1]))
        amount = float(dice.choice([10, 25, 25, 100, -25, -60]))
        balance += amount
        row = {
            "date": day.isoformat(),
            "description": dice.choice(script.items),
            "amount": amount,
            "balance": balance,
        }
        booked.append(row)
        texts = (script.day(day), row["description"], script.amount(amount), script.amount(balance))
        for name, left, text in zip(row, columns, texts, strict=True):
            if name in ("amount", "balance"):
                left += 80 - width(text)
            sheet.put(page, left, base, text, f"/transactions/{at}/{name}")
        base += 15
    sheet.record = {"transactions": booked}
    return sheet


def words_of(sheet: Sheet) -> tuple[Document, dict[str, tuple[int, Box]]]:
    """A document of words with boxes, and where each value stands."""
    pages: dict[int, list[Word]] = {}
    places: dict[str, tuple[int, Box]] = {}
    for number, left, base, text, pointer in sheet.pieces:
        at = left + (width(text) if sheet.script.backwards else 0)
        for word in text.split():
            wide = width(word)
            if sheet.script.backwards:
                at -= wide
            box = _share(at, base, at + wide)
            pages.setdefault(number, []).append(Word(word, box))
            at += -SIZE / 4 if sheet.script.backwards else wide + SIZE / 4
        if pointer is not None:
            places[pointer] = number, _share(left, base, left + width(text))
    made = tuple(
        Page(number, "", words=tuple(words), width=WIDTH, height=HEIGHT)
        for number, words in sorted(pages.items())
    )
    return Document("sha256:0", "application/pdf", None, 1, made), places


def text_of(sheet: Sheet) -> tuple[Document, dict[str, tuple[int, int]]]:
    """A document of plain text with the layout kept, and page and line of each value."""
    lines: dict[tuple[int, float], list[tuple[float, str, str | None]]] = {}
    for number, left, base, text, pointer in sheet.pieces:
        lines.setdefault((number, base), []).append((left, text, pointer))
    texts: dict[int, list[str]] = {}
    places: dict[str, tuple[int, int]] = {}
    for (number, _), pieces in sorted(lines.items()):
        line = ""
        for left, text, pointer in sorted(pieces):
            line = line.ljust(max(int(left / 5), len(line) + 2 if line else 0)) + text
            if pointer is not None:
                places[pointer] = number, len(texts.get(number, []))
        texts.setdefault(number, []).append(line)
    made = tuple(Page(number, "\n".join(shown)) for number, shown in sorted(texts.items()))
    return Document("sha256:0", "text/plain", None, 1, made), places


def pdf_of(sheet: Sheet) -> tuple[bytes, dict[str, tuple[int, Box]]]:
    """A PDF of Latin script, and where each value stands."""
    made = FPDF(unit="pt", format="A4")
    made.set_auto_page_break(auto=False)
    places: dict[str, tuple[int, Box]] = {}
    page = 0
    for number, left, base, text, pointer in sorted(
        sheet.pieces, key=lambda piece: (piece[0], piece[2], piece[1])
    ):
        while page < number:
            made.add_page()
            made.set_font("Helvetica", size=SIZE)
            page += 1
        made.text(left, base, text)
        if pointer is not None:
            places[pointer] = number, _share(left, base, left + made.get_string_width(text))
    return bytes(made.output()), places


def _share(left: float, base: float, right: float) -> Box:
    return left / WIDTH, (base - 0.75 * SIZE) / HEIGHT, right / WIDTH, (base + 0.25 * SIZE) / HEIGHT
