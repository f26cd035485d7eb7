"""A record and its document as one HTML page that needs nothing else: values linked to the places they come from.

The page is safe to open whatever the document says: everything that is not ours is escaped, the content security policy
allows our own style and script by their hashes and pictures from the page itself, and nothing else. Pure.
"""

import base64
import hashlib
import itertools
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from service.documents import Document, Page

Evidence = Mapping[str, Mapping[str, Any]]
"""JSON Pointer → evidence, as results have it."""

_SHORT = 24
"""Characters of a value that is not broken over lines."""

_BESIDE, _ABOVE = 0.0035, 0.0028
"""Room between a place and its edge, as shares of the page: no stroke lies on its letters."""

_CELL = re.compile(r"([A-Z]{1,4})([0-9]{1,7})(?::([A-Z]{1,4})[0-9]{1,7})?")
_MEANING = {
    "found": "stands in the document at the marked place",
    "ambiguous": "stands at several places",
    "not_found": "stands nowhere in the document",
    "derived": "follows from the document without being printed",
    "absent": "the document has none",
}

_STYLE = """
:root{--ink:#1d2430;--soft:#667085;--line:#e4e7ec;--paper:#fff;--ground:#f5f6f8;--found:#12805c;--ambiguous:#b54708;
--not_found:#c01048;--derived:#3538cd;--absent:#98a2b3;--glow:#ffd84d}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);
font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC",sans-serif}
header{position:sticky;top:0;z-index:3;background:var(--paper);border-bottom:1px solid var(--line);padding:12px 20px;
display:flex;flex-wrap:wrap;gap:6px 24px;align-items:baseline}
header h1{font-size:17px;margin:0;font-weight:650}header .about{color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:6px;margin-left:auto}
.chip{font-size:12px;border-radius:99px;padding:1px 10px;border:1px solid currentColor;white-space:nowrap}
main{display:grid;grid-template-columns:minmax(0,1.15fr) minmax(380px,1fr);gap:20px;padding:20px;align-items:start}
.pages{display:grid;gap:18px}.page{background:var(--paper);border:1px solid var(--line);border-radius:8px;overflow:hidden;
box-shadow:0 1px 2px #1018280d}
.page h2{font-size:12px;font-weight:500;color:var(--soft);margin:0;padding:6px 12px;border-bottom:1px solid var(--line)}
.sheet{position:relative;line-height:0}.sheet img{width:100%;height:auto}.sheet svg{position:absolute;inset:0;width:100%;height:100%}
rect{vector-effect:non-scaling-stroke;cursor:pointer}rect.halo{fill:none;stroke:#fff;stroke-width:3.5}
rect.edge{fill-opacity:.12;stroke-width:1.75}.found>.edge{fill:var(--found);stroke:var(--found)}
.ambiguous>.edge{fill:var(--ambiguous);stroke:var(--ambiguous)}
.on>.edge{fill:var(--glow);fill-opacity:.5;stroke:var(--ink);stroke-width:2.5}
.paper{padding:14px 16px;overflow-x:auto}pre.paper{margin:0;font:12.5px/1.65 ui-monospace,SFMono-Regular,Menlo,"Noto Sans Mono",
"Noto Sans Mono CJK SC",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
mark{background:#12805c1f;color:inherit;border-radius:3px;box-shadow:inset 0 -1.5px var(--found);cursor:pointer}
mark.ambiguous{background:#b547081f;box-shadow:inset 0 -1.5px var(--ambiguous)}mark.on{background:var(--glow)}
.record{position:sticky;top:66px;max-height:calc(100vh - 86px);overflow:auto;background:var(--paper);border:1px solid var(--line);
border-radius:8px;padding:6px 0;box-shadow:0 1px 2px #1018280d}
.row{display:grid;grid-template-columns:minmax(96px,32%) minmax(0,1fr);gap:12px;padding:4px 16px}
.row>dt{color:var(--soft);overflow-wrap:anywhere}dl,dd{margin:0}.group{margin:8px 0 4px}
.group>h3{font-size:12px;font-weight:650;margin:0;padding:6px 16px 2px;overflow-wrap:anywhere}
.group>div{border-left:2px solid var(--line);margin-left:16px}
.scroll{overflow-x:auto;padding:2px 16px 8px}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
th{font-weight:500;color:var(--soft);text-align:left;padding:4px 10px 4px 0;white-space:nowrap}
td{border-top:1px solid var(--line);padding:4px 10px 4px 0;vertical-align:top;min-width:44px}
.paper td{border:1px solid var(--line);padding:3px 8px;white-space:pre-wrap}.paper td:first-child{color:inherit}
.paper td.no{color:var(--soft);background:var(--ground);text-align:right;font-size:11px}
.v{border-radius:3px;padding:0 3px;margin-left:-3px;overflow-wrap:anywhere;cursor:default;text-decoration-thickness:1.5px;
text-underline-offset:3px;text-decoration-line:underline}
.v[data-e]{cursor:pointer}.v.on{background:var(--glow)}
.v.found{text-decoration-color:var(--found)}.v.ambiguous{text-decoration:underline wavy var(--ambiguous) 1px}
.v.not_found{color:var(--not_found);text-decoration:underline dashed var(--not_found) 1.5px}
.v.derived{text-decoration:underline dotted var(--derived) 1.5px}.v.absent{color:var(--absent);text-decoration:none}.v.short{white-space:nowrap}.list{display:flex;flex-wrap:wrap;gap:2px 14px}
.chip.found{color:var(--found)}.chip.ambiguous{color:var(--ambiguous)}.chip.not_found{color:var(--not_found)}
.chip.derived{color:var(--derived)}.chip.absent{color:var(--absent)}
.finding{padding:4px 16px;color:var(--not_found)}
@media(max-width:900px){main{grid-template-columns:minmax(0,1fr)}.record{position:static;max-height:none}}
@media print{header,.record{position:static}.record{max-height:none}}
"""

_SCRIPT = """
const of=e=>(e.dataset.e||'').split(' ');let lit=[];
const light=ids=>{lit.forEach(e=>e.classList.remove('on'));lit=[];
ids.filter(Boolean).forEach(i=>document.querySelectorAll('[data-e~="'+i+'"]').forEach(e=>{e.classList.add('on');lit.push(e)}))};
document.addEventListener('mouseover',x=>{const e=x.target.closest('[data-e]');light(e?of(e):[])});
document.addEventListener('focusin',x=>{const e=x.target.closest('[data-e]');if(e)light(of(e))});
document.addEventListener('click',x=>{const e=x.target.closest('[data-e]');if(!e)return;const here=e.closest('.record')?'.pages':'.record';
const t=document.querySelector(here+' [data-e~="'+of(e)[0]+'"]');if(t)t.scrollIntoView({block:'center',behavior:'smooth'})});
"""


def page(
    document: Document, data: Any, evidence: Evidence, *, title: str, about: str, findings: list[str]
) -> str:
    """The page. ``title`` names the file, ``about`` says who read it, ``findings`` are sentences."""
    numbers = {pointer: number for number, (pointer, one) in enumerate(evidence.items()) if "page" in one}
    style, script = (_hash(text) for text in (_STYLE, _SCRIPT))
    policy = f"default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"
    counts = {status: sum(one["status"] == status for one in evidence.values()) for status in _MEANING}
    legend = "".join(
        f'<span class="chip {status}" title="{_MEANING[status]}">{status.replace("_", " ")} {count}</span>'
        for status, count in counts.items()
        if count
    )
    sheets = "".join(_sheet(one, evidence, numbers) for one in document.pages)
    faults = "".join(f'<p class="finding">{escape(text)}</p>' for text in findings)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><header><h1>{escape(title)}</h1>"
        f'<span class="about">{escape(about)}</span><div class="legend">{legend}</div></header>'
        f'<main><section class="pages">{sheets}</section>'
        f'<section class="record">{faults}{_Record(evidence, numbers).shown(data, "", "")}</section></main>'
        f"<script>{_SCRIPT}</script></body></html>"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


# ------------------------------------------------------------------------------------------------- pages


def _sheet(sheet: Page, evidence: Evidence, numbers: Mapping[str, int]) -> str:
    here = {pointer: evidence[pointer] for pointer in numbers if evidence[pointer]["page"] == sheet.number}
    label = f" · {escape(sheet.label)}" if sheet.label else ""
    if sheet.image is not None:
        picture = base64.b64encode(sheet.image.data).decode()
        inner = (
            f'<div class="sheet"><img alt="" src="data:{sheet.image.media_type};base64,{picture}">'
            f'<svg viewBox="0 0 1 1" preserveAspectRatio="none">{_boxes(here, numbers)}</svg></div>'
        )
    elif len(sheet.tables) == 1 and _is_table(sheet):
        inner = _grid(sheet, here, numbers)
    else:
        inner = f'<pre class="paper">{_marked(sheet.text, here, numbers)}</pre>'
    return f'<article class="page"><h2>Page {sheet.number}{label}</h2>{inner}</article>'


def _boxes(here: Evidence, numbers: Mapping[str, int]) -> str:
    """One rectangle for each line of each place; values that share a place share it."""
    places: dict[tuple[float, ...], list[str]] = {}
    for pointer, one in here.items():
        for box in one.get("boxes") or ([one["box"]] if "box" in one else []):
            places.setdefault(tuple(box), []).append(pointer)
    shown = []
    for (left, top, right, bottom), pointers in places.items():
        ids = " ".join(str(numbers[pointer]) for pointer in pointers)
        at = (
            f'x="{left - _BESIDE:.5f}" y="{top - _ABOVE:.5f}" '
            f'width="{right - left + 2 * _BESIDE:.5f}" height="{bottom - top + 2 * _ABOVE:.5f}" rx=".004"'
        )
        # The light halo under the edge sets it off from pages in colour, whatever the colour.
        shown.append(
            f'<g class="{_worst(here, pointers)}" data-e="{ids}"><title>{escape(", ".join(pointers))}</title>'
            f'<rect class="halo" {at}/><rect class="edge" {at}/></g>'
        )
    return "".join(shown)


def _worst(here: Evidence, pointers: list[str]) -> str:
    statuses = {here[pointer]["status"] for pointer in pointers}
    return "found" if statuses == {"found"} else "ambiguous"


def _marked(text: str, here: Evidence, numbers: Mapping[str, int]) -> str:
    """The text with its places marked; where places overlap, each piece belongs to all of them."""
    spans = [(*one["span"], pointer) for pointer, one in here.items() if "span" in one]
    edges = sorted({edge for start, end, _ in spans for edge in (start, end)} | {0, len(text)})
    begins: dict[int, list[tuple[int, str]]] = {}
    for start, end, pointer in spans:
        begins.setdefault(start, []).append((end, pointer))
    open_ones: list[tuple[int, str]] = []
    shown = []
    for start, end in itertools.pairwise(edges):
        open_ones = [one for one in open_ones if one[0] > start] + begins.get(start, [])
        piece = escape(text[start:end])
        shown.append(_mark(piece, [pointer for _, pointer in open_ones], here, numbers))
    return "".join(shown)


def _mark(piece: str, pointers: list[str], here: Evidence, numbers: Mapping[str, int]) -> str:
    if not pointers:
        return piece
    ids = " ".join(str(numbers[pointer]) for pointer in pointers)
    about = escape(", ".join(pointers))
    return f'<mark class="{_worst(here, pointers)}" data-e="{ids}" title="{about}">{piece}</mark>'


def _is_table(sheet: Page) -> bool:
    return sheet.text.count("\n") + 1 <= len(sheet.tables[0]) + 1


def _grid(sheet: Page, here: Evidence, numbers: Mapping[str, int]) -> str:
    """A table as a table; a value marks its cells."""
    cells: dict[tuple[int, int], list[str]] = {}
    for pointer, one in here.items():
        match = _CELL.fullmatch(str(one.get("place", "")).rpartition("!")[2])
        if match is not None:
            for column in range(_column(match[1]), _column(match[3] or match[1]) + 1):
                cells.setdefault((int(match[2]), column), []).append(pointer)
    width = max(map(len, sheet.tables[0]), default=0)
    rows = []
    for number, row in enumerate(sheet.tables[0], start=1):
        shown = "".join(
            f"<td>{_mark(escape(text), cells.get((number, at), []), here, numbers)}</td>"
            for at, text in enumerate(row)
        )
        rows.append(f'<tr><td class="no">{number}</td>{shown}{"<td></td>" * (width - len(row))}</tr>')
    return f'<div class="paper"><table>{"".join(rows)}</table></div>'


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


# ------------------------------------------------------------------------------------------------ record


class _Record:
    """The record, its leaves linked to their places."""

    def __init__(self, evidence: Evidence, numbers: Mapping[str, int]) -> None:
        self._evidence = evidence
        self._numbers = numbers

    def shown(self, value: Any, pointer: str, name: str, depth: int = 0) -> str:
        """One value; objects as rows, lists of objects as tables. Deep nesting is cut where nobody could follow."""
        if depth > 40 or not isinstance(value, dict | list):
            return self._row(name, self._leaf(value, pointer))
        if not value:
            return self._row(name, '<span class="v absent">none</span>')
        if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
            leaves = "".join(self._leaf(item, f"{pointer}/{at}") for at, item in enumerate(value))
            return self._row(name, f'<div class="list">{leaves}</div>')
        if isinstance(value, list) and all(_is_flat(item) for item in value):
            inner = self._table(value, pointer)
        elif isinstance(value, list):
            inner = "".join(
                self.shown(item, f"{pointer}/{at}", f"{name} {at + 1}", depth + 1)
                for at, item in enumerate(value)
            )
        else:
            inner = "".join(
                self.shown(member, f"{pointer}/{_escaped(key)}", key, depth + 1)
                for key, member in value.items()
            )
            inner = f"<div>{inner}</div>" if name else inner
        return f'<div class="group"><h3>{escape(name)}</h3>{inner}</div>' if name else inner

    def _table(self, items: list[Any], pointer: str) -> str:
        names = list(dict.fromkeys(name for item in items for name in item))
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td>{self._leaf(item[name], f'{pointer}/{at}/{_escaped(name)}') if name in item else ''}</td>"
                for name in names
            )
            + "</tr>"
            for at, item in enumerate(items)
        )
        return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'

    def _row(self, name: str, inner: str) -> str:
        return f'<dl class="row"><dt>{escape(name)}</dt><dd>{inner}</dd></dl>'

    def _leaf(self, value: Any, pointer: str) -> str:
        if isinstance(value, dict | list):
            return escape(str(value)[:200])
        one = self._evidence.get(pointer, {})
        status = str(one.get("status", "derived"))
        text = (
            "—"
            if value is None or value == ""
            else ("yes" if value else "no")
            if isinstance(value, bool)
            else str(value)
        )
        short = " short" if len(text) <= _SHORT else ""
        link = f' data-e="{self._numbers[pointer]}" tabindex="0"' if pointer in self._numbers else ""
        about = "; ".join(_about(one)) or _MEANING.get(status, "")
        return f'<span class="v {status}{short}"{link} title="{escape(about)}">{escape(text)}</span>'


def _about(one: Mapping[str, Any]) -> list[str]:
    found = [str(one["status"]).replace("_", " ")] if "status" in one else []
    if "quote" in one:
        found.append(f"“{one['quote']}”")
    if "page" in one:
        found.append(f"page {one['page']}" + (f", {one['place']}" if "place" in one else ""))
    if "reason" in one:
        found.append(str(one["reason"]))
    if "confidence" in one:
        found.append(f"confidence {one['confidence']:.2f}")
    return found


def _is_flat(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and bool(item)
        and not any(isinstance(member, dict | list) for member in item.values())
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
