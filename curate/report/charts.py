"""Where the marks of a chart go: numbers in, positions out, for bars in percent and histograms in SVG units.

Draws nothing and knows no colours; the template writes the SVG and the style sheet gives it light and dark.
No chart library: a strict content security policy and a page without script-drawn charts need positions only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from curate.report.numbers import count, is_number, measured, short

WIDTH, HEIGHT = 320, 150  # of a histogram's view box
LEFT, RIGHT, TOP, BOTTOM = 6, 314, 30, 130  # its plot area; labels of thresholds above, ticks below
_THINNEST = 0.4  # percent: what exists stays visible
_BETWEEN_LABELS = 92  # units that two labels of thresholds need to share a line


@dataclass(frozen=True)
class Segment:
    """One part of a horizontal bar: a tone (a class of the style sheet), where it starts and how wide it is (%)."""

    tone: str
    start: float
    width: float
    label: str


def stack(parts: Iterable[tuple[str, str, float]], whole: float) -> list[Segment]:
    """Lay (tone, label, amount) side by side on a bar that stands for `whole`; empty parts are left out."""
    segments: list[Segment] = []
    start = 0.0
    for tone, label, amount in parts:
        width = 100 * share(amount, whole)
        if amount > 0:
            drawn = max(width, _THINNEST)
            segments.append(Segment(tone, round(min(start, 100 - drawn), 3), round(drawn, 3), label))
        start += width
    return segments


def share(part: Any, whole: Any) -> float:
    """Return part / whole between 0 and 1; 0 where there is nothing to divide.

    >>> share(1, 4), share(1, 0), share(float("nan"), 4)
    (0.25, 0.0, 0.0)
    """
    if not is_number(part) or not is_number(whole) or whole <= 0:
        return 0.0
    return float(min(max(part / whole, 0.0), 1.0))


@dataclass(frozen=True)
class Mark:
    """A threshold: its line, its label, on which of the two label lines, and which side of the line fails."""

    x: float
    label: str
    anchor: str
    line: int
    shade: tuple[float, float] | None


@dataclass(frozen=True)
class Bin:
    """One bin, over the whole height: what a pointer hits, and a row of the table."""

    x: float
    width: float
    range: str
    kept: int
    dropped: int


@dataclass(frozen=True)
class Cut:
    """A bar too high to be drawn in full: where it is, at which edge of the plot it ends, and its count."""

    x: float
    width: float
    y: float
    label: str


@dataclass(frozen=True)
class Histogram:
    """Kept documents above the baseline, dropped ones below, as SVG paths."""

    kept: str
    dropped: str
    baseline: float
    cuts: list[Cut]
    bins: list[Bin]
    marks: list[Mark]
    ticks: list[tuple[float, str, str]]


def histogram(entry: dict[str, Any]) -> Histogram:
    """Place an entry of `histograms()`.

    Heights go with the square root of the count, on one scale for both sides, and a bin that dwarfs all others
    is cut and labelled: the tail beside a threshold is what a reader looks for, and most signals pile up at zero.
    """
    edges, kept, dropped = entry["edges"], entry["kept"], entry["dropped"]
    place = _scale(edges, entry["logarithmic"])
    limit = _cut([max(pair) for pair in zip(kept, dropped, strict=True)])
    above, below = ([math.sqrt(min(n, limit)) for n in counts] for counts in (kept, dropped))
    unit = (BOTTOM - TOP) / max(max(above) + max(below), 1e-9)
    baseline = round(TOP + max(above) * unit, 2)
    spans = [(place(low), place(high)) for low, high in pairwise(edges)]
    ranges = _ranges(entry)
    return Histogram(
        kept=_bars(spans, [-height * unit for height in above], baseline),
        dropped=_bars(spans, [height * unit for height in below], baseline),
        baseline=baseline,
        cuts=[
            Cut(round(low, 2), round(high - low, 2), edge, short(n))
            for counts, edge in ((kept, TOP), (dropped, BOTTOM))
            for (low, high), n in zip(spans, counts, strict=True)
            if n > limit
        ],
        bins=[
            Bin(round(low, 2), round(high - low, 2), text, int(k), int(d))
            for (low, high), text, k, d in zip(spans, ranges, kept, dropped, strict=True)
        ],
        marks=_marks(entry, place),
        ticks=_ticks(entry, place),
    )


def _cut(counts: Sequence[int]) -> float:
    """Return the count at which bars are cut: none is, unless one has more than 16 times any other."""
    first, second = [*sorted(counts, reverse=True), 0][:2]
    return 4.0 * second if second and first > 16 * second else math.inf


def _scale(edges: Sequence[float], logarithmic: bool) -> Any:
    turn = (lambda x: math.log(max(x, 1e-12))) if logarithmic else float
    low, high = turn(edges[0]), turn(edges[-1])
    return lambda x: LEFT + (RIGHT - LEFT) * (turn(x) - low) / ((high - low) or 1.0)


def _bars(spans: Sequence[tuple[float, float]], heights: Sequence[float], baseline: float) -> str:
    path = []
    for (low, high), height in zip(spans, heights, strict=True):
        if height:
            drawn = math.copysign(max(abs(height), 0.8), height)
            path.append(f"M{low + 0.4:.2f} {baseline}v{drawn:.2f}h{max(high - low - 0.8, 0.6):.2f}v{-drawn:.2f}z")
    return "".join(path)


def _ranges(entry: dict[str, Any]) -> list[str]:
    """Say what each bin holds; the outer ones also hold what lies beyond them."""
    edges = entry["edges"]
    if entry["discrete"]:
        words = [measured(math.ceil(low)) for low in edges[:-1]]
    else:
        words = [f"{measured(low)} to {measured(high)}" for low, high in pairwise(edges)]
    if entry["beyond"][0]:
        words[0] = f"{measured(math.floor(edges[1]) if entry['discrete'] else edges[1])} or less"
    if entry["beyond"][1]:
        words[-1] = f"{measured(math.ceil(edges[-2]) if entry['discrete'] else edges[-2])} or more"
    return words


def _marks(entry: dict[str, Any], place: Any) -> list[Mark]:
    edges = entry["edges"]
    inside = sorted(
        (limit for limit in entry["thresholds"] if edges[0] <= limit["at"] <= edges[-1]), key=lambda limit: limit["at"]
    )
    marks: list[Mark] = []
    for limit in inside:
        x = round(place(limit["at"]), 2)
        keeps_right = limit["operator"] in (">=", ">")
        shade = None
        if limit["decisive"] and limit["operator"] != "=":
            shade = (LEFT, round(x - LEFT, 2)) if keeps_right else (x, round(RIGHT - x, 2))
        line = 1 - marks[-1].line if marks and x - marks[-1].x < _BETWEEN_LABELS else 0
        anchor = "start" if x < WIDTH / 4 else "end" if x > WIDTH * 3 / 4 else "middle"
        marks.append(Mark(x, f"{SIGNS[limit['operator']]} {measured(limit['value'])}", anchor, line, shade))
    return marks


SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "=": "="}


def _ticks(entry: dict[str, Any], place: Any) -> list[tuple[float, str, str]]:
    low, high = entry["edges"][0], entry["edges"][-1]
    if entry["logarithmic"]:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        values: list[float] = [10.0**power for power in powers if low <= 10.0**power <= high]
    else:
        step = nice((high - low) / 4)
        step = max(1.0, math.floor(step)) if entry["discrete"] else step
        values = [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    ticks = []
    for value in values:
        x = round(place(value), 2)
        anchor = "start" if x < LEFT + 12 else "end" if x > RIGHT - 12 else "middle"
        ticks.append((x, short(value) if abs(value) >= 1000 else f"{value:.6g}", anchor))
    return ticks


def nice(step: float) -> float:
    """Return the number of 1, 2, 2.5 and 5 times a power of ten that is next above a step.

    >>> nice(0.21), nice(7.0), nice(0.1)
    (0.25, 10.0, 0.1)
    """
    power = 10.0 ** math.floor(math.log10(step))
    return next(float(f"{factor * power:.6g}") for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * (1 - 1e-9))


def tip(bin_: Bin, unit: str) -> str:
    """Return the line shown for a bin under the pointer."""
    return f"{bin_.range} {unit}: {count(bin_.kept)} kept, {count(bin_.dropped)} dropped"


@dataclass(frozen=True)
class Column:
    """One of equally wide columns: the whole slot, and its two bars as (x, y, width, height)."""

    x: float
    width: float
    first: tuple[float, float, float, float]
    second: tuple[float, float, float, float]


def columns(pairs: Sequence[tuple[float, float]], *, stacked: bool = False) -> list[Column]:
    """Place pairs of amounts as columns side by side; stacked ones share a column, the second inside the first."""
    most = max((max(pair) for pair in pairs), default=0) or 1.0
    slot = (RIGHT - LEFT) / max(len(pairs), 1)
    placed = []
    for number, pair in enumerate(pairs):
        x = LEFT + number * slot
        bars = []
        for which, amount in enumerate(pair):
            height = max((BOTTOM - TOP) * amount / most, 0.8) if amount else 0.0
            wide = slot - min(2.0, slot / 5) if stacked else (slot - min(3.0, slot / 5)) / 2
            left = x + (0 if stacked else which * wide)
            bars.append((round(left, 2), round(BOTTOM - height, 2), round(wide, 2), round(height, 2)))
        placed.append(Column(round(x, 2), round(slot, 2), bars[0], bars[1]))
    return placed


def curve(points: Sequence[tuple[float, float]]) -> str:
    """Return the path through points with both numbers between 0 and 1."""
    return "M" + "L".join(f"{across(x)} {BOTTOM - (BOTTOM - TOP) * share(y, 1):.2f}" for x, y in points)


def across(x: float) -> float:
    """Return where a number between 0 and 1 is on the axis."""
    return round(LEFT + (RIGHT - LEFT) * share(x, 1), 2)


def places(entry: Any, thresholds: Sequence[float], operator: str) -> list[float]:
    """Return where thresholds stand on the axis of a signal's histogram, those beyond it at its ends."""
    place = _scale(entry["edges"], entry["logarithmic"])
    aside = 0.0 if not entry["discrete"] else -0.5 if operator in (">=", "<") else 0.5
    return [round(min(max(place(value + aside), LEFT), RIGHT), 1) for value in thresholds]
