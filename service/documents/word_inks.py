"""Which text of a DOCX Word does not show: hidden by a mark or a style, too small, in the colour of its ground."""

import contextlib
from collections.abc import Iterator, Mapping

from service.documents.archive import Archive, Element, child, local, value
from service.documents.document import Notice

_CONTRAST = 24
"""Levels of a channel by which text has to differ from its ground to be seen."""

_TINY = frozenset({"0", "1", "2", "3"})  # half points

_MARKERS: Mapping[str, str] = {
    "black": "000000",
    "white": "FFFFFF",
    "yellow": "FFFF00",
    "green": "00FF00",
    "cyan": "00FFFF",
    "magenta": "FF00FF",
    "blue": "0000FF",
    "red": "FF0000",
}

_Colour = tuple[int, int, int]


class Inks:
    """What is known of grounds and styles where the reader is, and how much was left out so far (in characters)."""

    def __init__(self, archive: Archive, relations: Mapping[str, tuple[str, str]], body: Element) -> None:
        self._grounds: list[_Colour | None] = [(255, 255, 255) if _plain(body) else None]
        self._hidden_styles = _hidden_styles(archive, relations)
        self._paragraph_hidden = [False]
        self._hidden = 0
        self._deleted = 0
        self._alternatives = sum(
            len("".join((part.get("descr") or "").split())) for part in body.iter() if local(part) == "docPr"
        )

    @contextlib.contextmanager
    def inside(self, properties: Element | None) -> Iterator[None]:
        """What holds inside a paragraph or a cell of these properties."""
        ground, hidden = self._grounds[-1], False
        if properties is not None:
            ground = _shade(properties, ground)
            hidden = self._styled(properties, "pStyle")
        self._grounds.append(ground)
        self._paragraph_hidden.append(hidden)
        try:
            yield
        finally:
            self._grounds.pop()
            self._paragraph_hidden.pop()

    def hide(self, run: Element) -> bool:
        """Whether a run is not shown; its text is counted."""
        unseen = self._unseen(child(run, "rPr"))
        if unseen:
            self._hidden += _characters(run, "t")
        return unseen

    def skip(self, part: Element) -> None:
        """Count the text of a deletion."""
        if local(part) in {"del", "moveFrom"}:
            self._deleted += _characters(part, "delText", "t")

    def notices(self, archive: Archive, relations: Mapping[str, tuple[str, str]]) -> list[Notice]:
        """How much was left out, and why."""
        remarks = 0
        for kind, path in relations.values():
            root = archive.xml(path) if kind == "comments" else None
            remarks += 0 if root is None else _characters(root, "t")
        counts = (
            ("hidden_text", "text that Word does not show was left out", self._hidden),
            ("revisions", "text that tracked changes delete was left out", self._deleted),
            ("comments", "comments were left out", remarks),
            ("alt_text", "alternative texts of pictures were left out", self._alternatives),
        )
        return [Notice(rule, f"{what}: {count} characters") for rule, what, count in counts if count]

    def _unseen(self, properties: Element | None) -> bool:
        hidden = self._paragraph_hidden[-1]
        if properties is None:
            return hidden
        mark = child(properties, "vanish")
        if mark is not None:
            hidden = _on(mark)
        if hidden or self._styled(properties, "rStyle"):
            return True
        size = child(properties, "sz")
        if size is not None and value(size, "val") in _TINY:
            return True
        colour, ground = child(properties, "color"), _shade(properties, self._grounds[-1])
        ink = None if colour is None else _read(value(colour, "val"))
        return (
            ink is not None
            and ground is not None
            and all(abs(one - other) < _CONTRAST for one, other in zip(ink, ground, strict=True))
        )

    def _styled(self, properties: Element, kind: str) -> bool:
        style = child(properties, kind)
        return style is not None and value(style, "val") in self._hidden_styles


def _characters(part: Element, *names: str) -> int:
    return sum(len("".join((inner.text or "").split())) for inner in part.iter() if local(inner) in names)


def _on(mark: Element) -> bool:
    return value(mark, "val") not in {"0", "false", "off"}


def _shade(properties: Element, ground: _Colour | None) -> _Colour | None:
    """The ground inside an element of these properties."""
    marker = child(properties, "highlight")
    if marker is not None and value(marker, "val") != "none":
        return _read(_MARKERS.get(value(marker, "val") or ""))
    shade = child(properties, "shd")
    fill = None if shade is None else value(shade, "fill")
    return ground if fill is None or fill.lower() == "auto" else _read(fill)


def _read(colour: str | None) -> _Colour | None:
    if colour is None or len(colour) != 6:
        return None
    try:
        return (int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16))
    except ValueError:
        return None


def _hidden_styles(archive: Archive, relations: Mapping[str, tuple[str, str]]) -> frozenset[str]:
    """The ids of styles that hide what is set in them, also through the style that they are based on."""
    path = next((path for kind, path in relations.values() if kind == "styles"), None)
    root = archive.xml(path) if path else None
    hidden: set[str] = set()
    bases: dict[str, str] = {}
    for style in [] if root is None else root:
        name, properties, base = value(style, "styleId"), child(style, "rPr"), child(style, "basedOn")
        if local(style) != "style" or name is None:
            continue
        mark = None if properties is None else child(properties, "vanish")
        if mark is not None:
            if _on(mark):
                hidden.add(name)
        elif base is not None:
            bases[name] = value(base, "val") or ""
    for name in list(bases):
        seen = {name}
        base_name = bases[name]
        while base_name in bases and base_name not in seen:
            seen.add(base_name)
            base_name = bases[base_name]
        if base_name in hidden:
            hidden |= seen
    return frozenset(hidden)


def _plain(body: Element) -> bool:
    """Whether nothing but shades of cells, paragraphs and runs can lie behind a text."""
    for part in body.iter():
        kind = local(part)
        if kind in {"tblStyle", "txbxContent", "background"}:
            return False
        if kind == "tblPr" and child(part, "shd") is not None:
            return False
    return True
