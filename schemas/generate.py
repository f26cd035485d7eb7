"""Makes the sample PDFs of the starter schemas: ``python schemas/generate.py`` writes them, ``--check`` compares.

The files are a pure function of this script and the pinned fpdf2: built-in fonts, a fixed creation date and producer,
and uncompressed streams (zlib builds differ in their output, and plain streams give readable diffs). fpdf2 2.8.5 to
2.8.9 make the same bytes; older ones leave out a comment line at the top. All companies, people and numbers are
invented; mail and web addresses use example.com, and account, tax and telephone numbers were chosen to belong to
nobody, as far as we know.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

HERE = Path(__file__).resolve().parent
CREATED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

Colour = tuple[int, int, int]
INK: Colour = (33, 37, 41)
GREY: Colour = (110, 116, 122)
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: heading, width in mm, alignment (``L``, ``R`` or ``C``)."""

    heading: str
    width: float
    align: str = "L"


class Paper(FPDF):
    """A page with the few drawing moves that letters and forms need. Lengths are in mm, font sizes in points."""

    def __init__(self, *, title: str, author: str, accent: Colour, size: str = "A4", font: str = "helvetica"):
        super().__init__(format=size)
        self.accent = accent
        self.face = font
        self.foot: Callable[[Paper], None] | None = None
        self.core_fonts_encoding = "windows-1252"  # Latin-1 with the euro sign and real dashes
        self.set_compression(False)
        self.set_creation_date(CREATED)
        self.set_producer("Winnow sample documents")
        self.set_title(title)
        self.set_author(author)
        self.set_margins(20, 18, 20)
        self.set_auto_page_break(True, margin=32)

    def footer(self) -> None:  # type: ignore[explicit-override]  # typing.override needs Python 3.12
        if self.foot:
            self.foot(self)

    def pen(self, size: float = 9.5, style: str = "", colour: Colour = INK) -> None:
        """Choose size, style (``B``, ``I``) and colour of the text that follows."""
        self.set_font(self.face, style, size)
        self.set_text_color(*colour)

    def put(self, x: float, y: float, text: str, *, width: float = 0, align: str = "L") -> None:
        """One line of text with its top left corner at (x, y)."""
        self.set_xy(x, y)
        self.cell(width or self.get_string_width(text) + 2, self.font_size * 1.3, text, align=align)

    def block(self, x: float, y: float, lines: Sequence[str], *, leading: float = 4.8) -> float:
        """Lines below each other, the first one bold if it starts with ``*``; returns the y below the last one."""
        for line in lines:
            bold = line.startswith("*")
            self.set_font(style="B" if bold else "")
            self.put(x, y, line.removeprefix("*"))
            y += leading
        self.set_font(style="")
        return y

    def label(self, x: float, y: float, text: str) -> None:
        """A small heading above a block."""
        self.pen(7.5, "B", self.accent)
        self.put(x, y, text)
        self.pen()

    def facts(
        self, x: float, y: float, rows: Sequence[tuple[str, str]], *, gap: float, leading: float = 5.2
    ) -> float:
        """Labels in grey and their values ``gap`` mm to the right; returns the y below."""
        for name, value in rows:
            self.pen(9.5, "", GREY)
            self.put(x, y, name)
            self.pen(9.5)
            self.put(x + gap, y, value)
            y += leading
        return y

    def rule(self, y: float, *, left: float = 20, right: float | None = None, weight: float = 0.2) -> None:
        """A horizontal line in the accent colour."""
        self.set_draw_color(*self.accent)
        self.set_line_width(weight)
        self.line(left, y, right if right is not None else self.w - 20, y)

    def grid(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, height: float = 7, size: float = 9
    ) -> float:
        """A table from the current y: a coloured heading row, thin lines, every second row tinted.

        A row with a single cell is a heading inside the table. Returns the y below the table.
        """
        self.set_fill_color(*self.accent)
        self.pen(size - 0.5, "B", WHITE)
        self.set_x(20)
        for column in columns:
            self.cell(column.width, height, column.heading, align=column.align, fill=True)
        self.ln(height)
        self.set_draw_color(205, 210, 214)
        self.set_line_width(0.15)
        width = sum(column.width for column in columns)
        for number, row in enumerate(rows):
            self.set_x(20)
            if len(row) == 1:
                self.pen(size, "B", self.accent)
                self.cell(width, height, row[0], border="B")
            else:
                self.pen(size)
                self.set_fill_color(246, 248, 249)
                for column, text in zip(columns, row, strict=True):
                    self.cell(
                        column.width, height, text, align=column.align, border="B", fill=bool(number % 2)
                    )
            self.ln(height)
        self.pen()
        return self.get_y()

    def sums(
        self, y: float, rows: Sequence[tuple[str, str]], *, left: float, bold: int = -1, leading: float = 6
    ) -> float:
        """Label and amount pairs that end at the right margin; row number ``bold`` (from the end) stands out."""
        strong = len(rows) + bold if bold < 0 else bold
        for number, (name, amount) in enumerate(rows):
            if number == strong:
                self.rule(y + 0.2, left=left, weight=0.4)
                y += 1.2
            self.pen(10.5 if number == strong else 9.5, "B" if number == strong else "")
            self.put(left, y, name)
            self.put(left, y, amount, width=self.w - 20 - left, align="R")
            y += leading
        self.pen()
        return y

    def paragraph(
        self, text: str, *, x: float = 20, width: float = 0, leading: float = 4.8, align: str = "L"
    ) -> None:
        """Wrapped text from the current y."""
        self.set_x(x)
        self.multi_cell(
            width or self.w - 20 - x, leading, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )


def invoice() -> Paper:
    """A German supplier's bilingual invoice, numbers and dates in German notation."""
    paper = Paper(title="Rechnung RE-2026-1184", author="Nordwind Messtechnik GmbH", accent=(24, 78, 119))

    def foot(page: Paper) -> None:
        page.rule(268)
        page.pen(7.5, "", GREY)
        page.block(
            20,
            270,
            ["Nordwind Messtechnik GmbH", "Werftstraße 18, 20457 Hamburg", "Deutschland"],
            leading=3.6,
        )
        page.block(
            78,
            270,
            [
                "USt-IdNr. DE998841909",
                "Amtsgericht Hamburg, HRB 990417",
                "Geschäftsführung: Dr. Silke Brandt",
            ],
            leading=3.6,
        )
        page.block(
            140,
            270,
            ["Bank: Elbhafenbank eG", "IBAN: DE84 9987 0010 0428 8150 03", "BIC: ELBHDEHHXXX"],
            leading=3.6,
        )

    paper.foot = foot
    paper.add_page()
    paper.set_fill_color(*paper.accent)
    paper.rect(0, 0, 210, 6, "F")
    paper.pen(19, "B", paper.accent)
    paper.put(20, 14, "NORDWIND")
    paper.pen(9.5, "", GREY)
    paper.put(20, 22, "Messtechnik GmbH")
    paper.pen(8.5, "", GREY)
    paper.block(
        132,
        14,
        ["Telefon: +49 40 66969 160", "E-Mail: rechnung@nordwind.example.com", "www.nordwind.example.com"],
        leading=4.2,
    )
    paper.pen(6.5, "", GREY)
    paper.put(20, 45, "Nordwind Messtechnik GmbH - Werftstraße 18 - 20457 Hamburg")
    paper.pen(10)
    paper.block(
        20,
        50,
        ["Halden Robotics GmbH", "Frau Miriam Kessler", "Gleisdreieck 7", "10963 Berlin", "Deutschland"],
    )
    paper.facts(
        118,
        50,
        [
            ("Rechnungsnr. / Invoice no.", "RE-2026-1184"),
            ("Rechnungsdatum / Date", "03.11.2026"),
            ("Lieferdatum / Delivery date", "30.10.2026"),
            ("Kundennr. / Customer no.", "20417"),
            ("Ihre Bestellung / Your PO", "HR-4500921"),
        ],
        gap=46,
    )
    paper.pen(16, "B")
    paper.put(20, 88, "Rechnung / Invoice")
    paper.pen()
    paper.put(20, 98, "Wir berechnen Ihnen für unsere Lieferung und Leistung:")
    paper.set_y(106)
    y = paper.grid(
        [
            Column("Pos.", 11),
            Column("Art.-Nr. / Item", 26),
            Column("Bezeichnung / Description", 58),
            Column("Menge / Qty", 20, "R"),
            Column("Einh.", 13, "C"),
            Column("Preis / Price", 21, "R"),
            Column("Betrag EUR", 21, "R"),
        ],
        [
            ("1", "DS-200-10", "Drucksensor DS-200, 0 bis 10 bar", "4", "Stk", "148,50", "594,00"),
            ("2", "KB-M12-5", "Anschlusskabel M12, 5 m", "10", "Stk", "12,90", "129,00"),
            ("3", "SV-KAL", "Kalibrierung vor Ort", "3,5", "Std", "92,00", "322,00"),
            ("4", "VERSAND", "Versand und Verpackung", "1", "Psch", "31,05", "31,05"),
        ],
        height=8,
    )
    y = paper.sums(
        y + 4,
        [
            ("Nettobetrag / Subtotal", "1.076,05 EUR"),
            ("19 % USt. / VAT", "204,45 EUR"),
            ("Gesamtbetrag / Total", "1.280,50 EUR"),
        ],
        left=112,
    )
    paper.facts(
        20,
        y + 10,
        [
            ("Zahlungsbedingungen / Terms", "30 Tage netto"),
            ("Fällig am / Due date", "03.12.2026"),
        ],
        gap=50,
    )
    paper.set_y(y + 26)
    paper.paragraph(
        "Bitte geben Sie bei der Zahlung die Rechnungsnummer an. Die Ware bleibt bis zur vollständigen Bezahlung unser Eigentum."
    )
    return paper


def purchase_order() -> Paper:
    """A Canadian clinic's order on letter paper: three addresses, ISO dates, HST."""
    paper = Paper(
        title="Purchase Order 4500-2291",
        author="Lakeshore Veterinary Clinic Inc.",
        accent=(47, 93, 80),
        size="letter",
    )

    def foot(page: Paper) -> None:
        page.pen(8, "", GREY)
        page.put(20, 264, "Please quote the PO number on all packing slips and invoices.")
        page.put(20, 264, f"Page {page.page_no()} of 1", width=page.w - 40, align="R")

    paper.foot = foot
    paper.add_page()
    paper.set_fill_color(*paper.accent)
    paper.rect(20, 16, 12, 12, "F")
    paper.pen(15, "B", WHITE)
    paper.put(20, 18.5, "LV", width=12, align="C")
    paper.pen(13, "B")
    paper.put(35, 16, "Lakeshore Veterinary Clinic Inc.")
    paper.pen(9, "", GREY)
    paper.put(35, 23, "Purchasing Department")
    paper.pen(20, "B", paper.accent)
    paper.put(20, 17, "PURCHASE ORDER", width=paper.w - 40, align="R")
    paper.rule(32, weight=0.6)
    paper.facts(
        20,
        37,
        [("PO Number:", "4500-2291"), ("Order Date:", "2026-10-21"), ("Delivery Date:", "2026-11-27")],
        gap=28,
    )
    paper.facts(
        112,
        37,
        [("Quote Ref.:", "Q-26-0873"), ("Payment Terms:", "Net 30"), ("Ship Via:", "Northfield own truck")],
        gap=30,
    )
    for x, name, lines in (
        (
            20,
            "SUPPLIER",
            [
                "*Northfield Furniture Works Ltd.",
                "Attn: Étienne Roy",
                "85 Chemin Industriel",
                "Gatineau, QC J8R 3Z9",
                "Canada",
                "orders@northfield.example.com",
            ],
        ),
        (
            82,
            "BILL TO",
            [
                "*Lakeshore Veterinary Clinic Inc.",
                "Accounts Payable",
                "2210 Lakeshore Rd W",
                "Mississauga, ON L5J 1K3",
                "Canada",
                "ap@lakeshore-vet.example.com",
            ],
        ),
        (
            144,
            "SHIP TO",
            [
                "*Lakeshore Vet Clinic Oakville",
                "Attn: Priya Nair",
                "1147 Speers Rd",
                "Oakville, ON L6L 2X5",
                "Canada",
                "Tel. 905-555-0172",
            ],
        ),
    ):
        paper.label(x, 57, name)
        paper.pen(9)
        paper.block(x, 62, lines, leading=4.5)
    paper.set_y(94)
    y = paper.grid(
        [
            Column("Line", 11, "C"),
            Column("SKU", 21),
            Column("Description", 72),
            Column("Qty", 14, "R"),
            Column("Unit", 13, "C"),
            Column("Unit Price", 22, "R"),
            Column("Amount", 22.9, "R"),
        ],
        [
            ("1", "NF-2140", "Height-adjustable desk, 160 x 80 cm, maple", "6", "EA", "489.00", "2,934.00"),
            ("2", "NF-0312", "Task chair, mesh back, black", "10", "EA", "214.50", "2,145.00"),
            ("3", "NF-5507", "Mobile pedestal, 3 drawers, white", "6", "EA", "139.95", "839.70"),
            ("4", "NF-9001", "Cable tray, 120 cm (pack of 4)", "2", "PK", "58.40", "116.80"),
            ("5", "SV-INST", "On-site assembly", "8", "HR", "65.00", "520.00"),
        ],
        height=7.5,
    )
    paper.label(20, y + 6, "INSTRUCTIONS")
    paper.pen(9)
    paper.set_y(y + 11)
    paper.paragraph(
        "Deliver between 8:00 and 11:00, loading dock at the rear. Call the ship-to contact one day ahead.",
        width=85,
        leading=4.4,
    )
    y = paper.sums(
        y + 4,
        [
            ("Subtotal", "6,555.50"),
            ("Freight", "185.50"),
            ("HST 13%", "876.33"),
            ("Total (CAD)", "$7,617.33"),
        ],
        left=136,
    )
    y += 18
    paper.pen(13, "I", (40, 60, 120))
    paper.put(22, y - 7, "Grace Odell")
    paper.rule(y, right=90)
    paper.facts(20, y + 1.5, [("Authorized by:", "Grace Odell, Office Manager")], gap=28)
    return paper


def delivery_note() -> Paper:
    """A British delivery note: day before month, quantities without prices, a signature."""
    paper = Paper(title="Delivery Note DN-60318", author="Pennine Brewing Supplies Ltd", accent=(122, 62, 29))

    def foot(page: Paper) -> None:
        page.rule(276)
        page.pen(7.5, "", GREY)
        page.put(
            20,
            278,
            "Pennine Brewing Supplies Ltd. Registered in England no. 99004170. VAT no. GB 999 4417 32",
            width=170,
            align="C",
        )
        page.put(
            20, 282, "Claims for damage or shortage within 3 working days of receipt.", width=170, align="C"
        )

    paper.foot = foot
    paper.add_page()
    paper.pen(17, "B", paper.accent)
    paper.put(20, 16, "Pennine Brewing Supplies Ltd")
    paper.pen(9, "", GREY)
    paper.put(
        20, 24, "Unit 7, Calder Mill, Burnley Road, Hebden Bridge, West Yorkshire HX7 8EX, United Kingdom"
    )
    paper.put(20, 28.5, "Tel: 01632 960 019     dispatch@pennine-brewing.example.com")
    paper.rule(35, weight=0.6)
    paper.pen(18, "B")
    paper.put(20, 39, "DELIVERY NOTE")
    paper.label(20, 52, "DELIVER TO")
    paper.pen(10)
    paper.block(
        20,
        57,
        [
            "*Harbour Lane Brewery",
            "FAO Tom Ashworth",
            "3 Harbour Lane",
            "Whitby",
            "North Yorkshire",
            "YO22 4PU",
            "United Kingdom",
        ],
        leading=4.7,
    )
    paper.facts(
        112,
        52,
        [
            ("Delivery note no.", "DN-60318"),
            ("Dispatch date", "12/11/2026"),
            ("Delivery date", "13/11/2026"),
            ("Your order no.", "HLB-0227"),
            ("Our sales order", "SO-118450"),
            ("Carrier", "Moorland Pallet Express"),
            ("Consignment no.", "MPE 7741 9026"),
        ],
        gap=36,
    )
    paper.set_y(96)
    y = paper.grid(
        [
            Column("Line", 11, "C"),
            Column("Item code", 24),
            Column("Description", 55),
            Column("Batch", 21),
            Column("Unit", 14, "C"),
            Column("Ordered", 14, "R"),
            Column("Delivered", 16, "R"),
            Column("To follow", 15, "R"),
        ],
        [
            ("1", "MLT-PA25", "Pale ale malt, crushed, 25 kg", "L2631-04", "sack", "20", "20", "0"),
            ("2", "HOP-EKG5", "East Kent Goldings pellets, 5 kg", "H26-118", "bag", "4", "3", "1"),
            ("3", "YST-ALE500", "Dried ale yeast, 500 g", "Y60917", "pack", "6", "6", "0"),
            ("4", "CLN-PAA20", "Peracetic acid cleaner, 20 l", "", "drum", "2", "2", "0"),
            ("5", "KEG-CAPY", "Keg caps, yellow, box of 500", "", "box", "3", "0", "3"),
        ],
        height=8,
        size=8.5,
    )
    paper.facts(20, y + 6, [("Number of pallets", "2"), ("Gross weight", "578 kg")], gap=36)
    paper.label(20, y + 22, "REMARKS")
    paper.pen()
    paper.set_y(y + 27)
    paper.paragraph("Keep yeast and hops below 5 °C. Item 5 follows from our Leeds depot next week.")
    y += 48
    paper.set_draw_color(*GREY)
    paper.set_line_width(0.2)
    paper.rect(20, y, 170, 30)
    paper.pen(8, "", GREY)
    paper.put(23, y + 2, "Goods received in good order:")
    paper.pen(15, "I", (40, 60, 120))
    paper.put(48, y + 11, "T. Ashworth")
    paper.put(142, y + 11, "13/11/2026")
    paper.set_draw_color(*GREY)
    paper.line(46, y + 19, 108, y + 19)
    paper.line(140, y + 19, 184, y + 19)
    paper.pen(8.5, "", GREY)
    paper.put(23, y + 14, "Received by")
    paper.put(128, y + 14, "Date")
    return paper


def medical_lab_report() -> Paper:
    """A New Zealand laboratory's final report: panels, flags, one-sided intervals and textual results."""
    paper = Paper(
        title="Laboratory report 26-318804", author="Kauri Diagnostic Laboratory", accent=(20, 110, 120)
    )

    def foot(page: Paper) -> None:
        page.rule(276)
        page.pen(7.5, "", GREY)
        page.put(
            20,
            278,
            "Flags: H above, L below the reference interval, * abnormal. Results relate only to the specimens received.",
        )
        page.put(20, 278, f"Page {page.page_no()} of 1", width=170, align="R")

    paper.foot = foot
    paper.add_page()
    paper.set_fill_color(*paper.accent)
    paper.rect(0, 0, 210, 26, "F")
    paper.pen(17, "B", WHITE)
    paper.put(20, 5.5, "Kauri Diagnostic Laboratory")
    paper.pen(9, "", WHITE)
    paper.put(20, 15, "27 Rata Street, Nelson 7010, New Zealand")
    paper.put(20, 15, "Phone: +64 3 555 0136", width=170, align="R")
    paper.pen(14, "B")
    paper.put(20, 31, "LABORATORY REPORT")
    paper.pen(11, "B", paper.accent)
    paper.put(20, 31.5, "Final", width=170, align="R")
    paper.facts(
        20,
        42,
        [
            ("Patient", "Wiremu Tane Harrison"),
            ("Date of birth", "17/03/1968"),
            ("Sex", "Male"),
            ("NHI number", "ZKT4471"),
            ("Requested by", "Dr Helen Bracewell, Tasman Bay Medical Centre"),
        ],
        gap=27,
    )
    paper.facts(
        128,
        42,
        [
            ("Report no.", "26-318804"),
            ("Collected", "16/11/2026 08:25"),
            ("Received", "16/11/2026 10:40"),
            ("Reported", "17/11/2026"),
        ],
        gap=24,
    )
    paper.facts(
        20,
        68,
        [
            ("Specimens", "Whole blood (EDTA), serum, urine"),
            ("Clinical notes", "Fatigue for three weeks, recent chest infection."),
        ],
        gap=27,
    )
    paper.set_y(82)
    y = paper.grid(
        [
            Column("Test", 62),
            Column("Result", 26, "R"),
            Column("Flag", 16, "C"),
            Column("Unit", 28),
            Column("Reference interval", 38),
        ],
        [
            ("Full blood count",),
            ("Haemoglobin", "148", "", "g/L", "130 - 175"),
            ("White cell count", "11.8", "H", "x10^9/L", "4.0 - 11.0"),
            ("Platelets", "231", "", "x10^9/L", "150 - 400"),
            ("Biochemistry",),
            ("Creatinine", "92", "", "µmol/L", "60 - 105"),
            ("Ferritin", "24", "L", "µg/L", "30 - 400"),
            ("C-reactive protein", "14", "H", "mg/L", "<5"),
            ("Troponin T", "<5", "", "ng/L", "<15"),
            ("TSH", "2.4", "", "mIU/L", "0.4 - 4.0"),
            ("Lipids",),
            ("Total cholesterol", "6.1", "H", "mmol/L", "<5.0"),
            ("HDL cholesterol", "1.2", "", "mmol/L", ">1.0"),
            ("LDL cholesterol", "4.1", "H", "mmol/L", "<3.4"),
            ("Triglycerides", "1.8", "", "mmol/L", "<2.0"),
            ("Urinalysis",),
            ("Glucose", "Negative", "", "", "Negative"),
            ("Protein", "Trace", "*", "", "Negative"),
            ("Leucocyte esterase", "Negative", "", "", "Negative"),
        ],
        height=6.6,
        size=8.8,
    )
    paper.label(20, y + 5, "COMMENT")
    paper.pen()
    paper.set_y(y + 10)
    paper.paragraph(
        "Mild leucocytosis and raised CRP in keeping with recent infection. Low ferritin despite inflammation suggests iron deficiency. "
        "Suggest repeat full blood count and iron studies in six weeks."
    )
    paper.pen(9.5, "I")
    paper.put(20, paper.get_y() + 5, "Authorised by Dr Anneke Vos, Chemical Pathologist")
    return paper


_CLAUSES = (
    (
        "1. Services",
        (
            "The Service Provider shall maintain the Client's workstations, servers and practice software at the Client's six surgeries, "
            "as described in Schedule A."
        ),
    ),
    (
        "2. Commencement and term",
        (
            "This Agreement takes effect on 1 January 2027 and continues for an initial term of thirty-six (36) months. Thereafter it renews "
            "automatically for successive periods of twelve (12) months, unless either party gives at least ninety (90) days' written notice before "
            "the end of the current term."
        ),
    ),
    (
        "3. Fees",
        (
            "The Client shall pay (a) a one-time onboarding fee of EUR 3,800.00, (b) a monthly maintenance fee of EUR 2,450.00, and (c) EUR 95.00 "
            "per hour for work outside Schedule A that the Client has approved in writing. All amounts are exclusive of VAT."
        ),
    ),
    (
        "4. Payment",
        "The Service Provider shall invoice monthly in arrears. Invoices are payable within thirty (30) days of the date of the invoice.",
    ),
    (
        "5. Confidentiality and data protection",
        (
            "Each party shall keep the other's confidential information secret during the term and for five (5) years after it. The parties shall sign "
            "the data processing agreement in Schedule B before any patient data is accessed."
        ),
    ),
    (
        "6. Termination for cause",
        "Either party may terminate with fourteen (14) days' notice if the other commits a material breach and fails to remedy it within that time.",
    ),
    (
        "7. Liability",
        (
            "Nothing in this Agreement limits liability for fraud or for death or personal injury. Subject to that, the Service Provider's total "
            "liability under this Agreement shall not exceed EUR 250,000.00."
        ),
    ),
    (
        "8. Governing law and jurisdiction",
        (
            "This Agreement is governed by the laws of Ireland. The courts of Ireland shall have exclusive jurisdiction over any dispute "
            "arising from it."
        ),
    ),
    (
        "9. Entire agreement",
        "This Agreement and its Schedules contain the whole agreement between the parties and may be changed only in writing signed by both.",
    ),
)


def contract_summary() -> Paper:
    """An Irish services agreement of two pages, in prose."""
    paper = Paper(
        title="IT Maintenance Services Agreement",
        author="Fastnet Systems Limited",
        accent=(60, 60, 60),
        font="times",
    )

    def foot(page: Paper) -> None:
        page.pen(8.5, "", GREY)
        page.put(25, 282, "MSA-2026-0117", width=160)
        page.put(25, 282, f"Page {page.page_no()} of 2", width=160, align="R")

    paper.foot = foot
    paper.set_margins(25, 25, 25)
    paper.add_page()
    paper.pen(18, "B")
    paper.put(20, 28, "IT Maintenance Services Agreement", width=170, align="C")
    paper.pen(11, "", GREY)
    paper.put(20, 38, "Contract reference: MSA-2026-0117", width=170, align="C")
    paper.rule(47, left=25, right=185)
    paper.set_y(53)
    paper.pen(11)
    for text in (
        "This Agreement is made between",
        (
            "(1) Corrib Dental Group Limited, registered in Ireland under company number 990417, whose registered office is at 14 Merchants Quay, "
            'Galway, H91 X0P4, Ireland (the "Client"), and'
        ),
        (
            "(2) Fastnet Systems Limited, registered in Ireland under company number 991682, whose registered office is at 2 Albert Row, Cork, "
            'T12 Y0K9, Ireland (the "Service Provider").'
        ),
        "The parties agree as follows:",
    ):
        paper.paragraph(text, x=25, width=160, leading=5.4, align="J")
        paper.ln(2)
    for heading, text in _CLAUSES:
        paper.ln(2)
        paper.pen(11, "B")
        paper.paragraph(heading, x=25, width=160, leading=6)
        paper.pen(11)
        paper.paragraph(text, x=25, width=160, leading=5.4, align="J")
    paper.ln(8)
    paper.paragraph("Signed by the parties through their authorised representatives:", x=25, width=160)
    y = paper.get_y() + 8
    for x, party, name, title, date in (
        (25, "Corrib Dental Group Limited", "Niamh Costello", "Managing Director", "20 November 2026"),
        (110, "Fastnet Systems Limited", "Declan Moriarty", "Chief Executive", "23 November 2026"),
    ):
        paper.pen(10.5, "B")
        paper.put(x, y, f"For {party}")
        paper.pen(15, "I", (40, 60, 120))
        paper.put(x + 4, y + 9, name)
        paper.rule(y + 17, left=x, right=x + 70)
        paper.pen(10.5)
        paper.block(x, y + 19, [f"Name: {name}", f"Title: {title}", f"Date: {date}"], leading=5.4)
    return paper


SAMPLES: dict[str, Callable[[], Paper]] = {
    "contract_summary": contract_summary,
    "delivery_note": delivery_note,
    "invoice": invoice,
    "medical_lab_report": medical_lab_report,
    "purchase_order": purchase_order,
}


def render(name: str) -> bytes:
    """The bytes of one sample."""
    return bytes(SAMPLES[name]().output())


def differing() -> list[str]:
    """Names of the samples whose committed file is missing or not what this script makes."""
    return [name for name in SAMPLES if not path(name).is_file() or path(name).read_bytes() != render(name)]


def path(name: str) -> Path:
    """Where the sample of a schema lies."""
    return HERE / name / "sample.pdf"


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the sample PDFs of the starter schemas.")
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed files, write nothing"
    )
    if parser.parse_args().check:
        stale = differing()
        for name in stale:
            print(
                f"{name}/sample.pdf differs from what generate.py makes; run: python schemas/generate.py",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for name in SAMPLES:
        path(name).write_bytes(render(name))
        print(f"{name}/sample.pdf")
    return 0


if __name__ == "__main__":
    sys.exit(main())
