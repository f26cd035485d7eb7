"""Rows of items that follow one another: how well one fits, and one for each so that they rise where they can."""

from collections.abc import Iterable
from math import log2

from service.extraction.evidence.neighbours import PAGE

OUT_OF_ORDER = 0.9
"""What it costs to stand above the item before."""


def on_row(apart: int) -> float:
    """How well a row belongs to the item that lies on another one: those below it rather than those above."""
    if apart == 0:
        return 1.0
    if apart > 0:
        return 0.62 / apart**0.5 if apart < 60 else 0.0
    return 0.5 / (-apart) ** 0.7 if apart > -60 else 0.0


def near_row(row: int, other: int) -> float:
    """1 on the same row, less the further apart; nothing on another page or beyond a few dozen rows."""
    apart = abs(row - other)
    return 1.0 if apart == 0 else 1.0 / (1.0 + 0.3 * apart) if apart < 60 else 0.0


def in_order(
    layers: Iterable[tuple[int, list[tuple[int, float]]]], *, same: float, scale: float = 1.0
) -> list[tuple[int, int]]:
    """One place per item so that the sum of what the places are worth is greatest, and places rise where they can."""
    table: list[tuple[int, list[tuple[int, float, int]]]] = []
    before: list[tuple[int, float, int]] = []
    strides: dict[int, float] = {}
    """How far on → what it costs; few distances come up again and again."""
    for item, options in layers:
        layer: list[tuple[int, float, int]] = []
        for place, worth in options:
            best, back = 0.0, -1
            for at, (earlier, reached, _) in enumerate(before):
                apart = place - earlier
                stride = strides.get(apart)
                if stride is None:
                    stride = strides[apart] = 0.03 * log2(1 + min(abs(apart), PAGE // 100) / scale)
                total = reached - stride
                if apart < 0:
                    total -= OUT_OF_ORDER
                elif apart == 0:
                    total -= same
                if back < 0 or total > best:
                    best, back = total, at
            layer.append((place, best + worth, back))
        table.append((item, layer))
        before = layer
    chosen: list[tuple[int, int]] = []
    at = -1
    for item, layer in reversed(table):
        if at < 0:
            at = max(range(len(layer)), key=lambda option: layer[option][1])
        chosen.append((item, layer[at][0]))
        at = layer[at][2]
    return chosen[::-1]
