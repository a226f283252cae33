"""A flow diagram: bands from what came in, on the left, to what became of it, on the right, as positions for SVG.

Knows amounts and names only; the template draws the marks, the style sheet colours them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 720
LEFT, RIGHT = 190, 520  # where the bands begin and end; names stand outside
NODE = 9  # width of a node
_TALLEST = 330  # of all amounts together, where there are many names
_EACH = 55  # for each name, where there are few
_SLOT = 19  # a node's least distance to the next, so that names do not touch
_GAP = 4

Amounts = Mapping[tuple[str, str], int]  # (left, right) -> amount


@dataclass(frozen=True)
class Node:
    """A source or an outcome: its bar, and the middle of it, where its name stands."""

    name: str
    tone: str
    y: float
    height: float
    middle: float
    amount: int


@dataclass(frozen=True)
class Band:
    """What went from one to the other, as the outline of a band."""

    path: str
    tone: str
    left: str
    right: str
    amount: int


@dataclass(frozen=True)
class Flow:
    """A whole diagram, `height` units high."""

    left: list[Node]
    right: list[Node]
    bands: list[Band]
    height: float


def flow(amounts: Amounts, left: Sequence[str], right: Mapping[str, str]) -> Flow:
    """Lay out a diagram; `left` names in order, `right` names with their tones in order. Nothing of 0 is drawn."""
    total = sum(amounts.values())
    names = max(len({name for name, _ in amounts}), len({to for _, to in amounts}))
    scale = min(_TALLEST, _EACH * (names + 1)) / total if total else 0.0
    first = _column(
        {name: sum(amounts.get((name, to), 0) for to in right) for name in left}, dict.fromkeys(left, "other"), scale
    )
    last = _column({to: sum(amounts.get((name, to), 0) for name in left) for to in right}, right, scale)
    height = max([0.0, *(column[-1].y + column[-1].height for column in (first, last) if column)])
    start, end = {node.name: node.y for node in first}, {node.name: node.y for node in last}
    bands = []
    for node in first:
        for to in last:
            amount = amounts.get((node.name, to.name), 0)
            if amount:
                thick = amount * scale
                bands.append(Band(_band(start[node.name], end[to.name], thick), to.tone, node.name, to.name, amount))
                start[node.name] += thick
                end[to.name] += thick
    return Flow(first, last, bands, round(max(height, _SLOT) + 8, 1))


def _column(amounts: Mapping[str, int], tones: Mapping[str, str], scale: float) -> list[Node]:
    nodes, y = [], 4.0
    for name, amount in amounts.items():
        if amount:
            height = max(amount * scale, 1.0)
            slot = max(height, _SLOT - _GAP)
            nodes.append(
                Node(
                    name,
                    tones[name],
                    round(y + (slot - height) / 2, 2),
                    round(height, 2),
                    round(y + slot / 2, 2),
                    amount,
                )
            )
            y += slot + _GAP
    return nodes


def _band(start: float, end: float, thick: float) -> str:
    a, b, bend = LEFT + NODE, RIGHT - NODE, (LEFT + RIGHT) / 2
    thick = max(thick, 0.5)
    return (
        f"M{a} {start:.1f}C{bend:.0f} {start:.1f} {bend:.0f} {end:.1f} {b} {end:.1f}v{thick:.1f}"
        f"C{bend:.0f} {end + thick:.1f} {bend:.0f} {start + thick:.1f} {a} {start + thick:.1f}z"
    )
