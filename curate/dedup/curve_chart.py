"""S-curves as pictures: characters for a terminal, SVG for a page.

Knows what a curve is and nothing of documents.
"""

from __future__ import annotations

from collections.abc import Mapping

from curate.dedup.bands import candidate_chance

Choices = Mapping[str, tuple[int, int]]  # name -> (bands, rows); the first is drawn on top

_MARKS = "●○×"
_COLOURS = ("#0b6bcb", "#7a7a7a", "#c2410c")
_DASHES = ("", ' stroke-dasharray="6 4"', ' stroke-dasharray="2 3"')


def in_characters(choices: Choices, at: float, width: int = 61, height: int = 13) -> str:
    """Return a plot of chance to be found over similarity, with a line at `at` and a legend."""
    grid = [[" "] * width for _ in range(height)]
    wanted = round(at * (width - 1))
    for row in grid:
        row[wanted] = "┊"
    marked = list(zip(choices.values(), _MARKS, strict=False))
    for (bands, rows), mark in reversed(marked):
        for column in range(width):
            chance = candidate_chance(column / (width - 1), bands, rows)
            grid[height - 1 - round(chance * (height - 1))][column] = mark
    lines = []
    for number, row in enumerate(grid):
        level = 1 - number / (height - 1)
        label = f"{level:4.0%}" if number % ((height - 1) // 4) == 0 else "    "
        lines.append(f"{label} ┤{''.join(row).rstrip()}")
    lines.append("     └" + "".join("┴" if c % ((width - 1) // 10) == 0 else "─" for c in range(width)))
    ticks = [" "] * (width + 4)
    for tenth in range(0, 11, 2):
        for offset, character in enumerate(f"{tenth / 10:g}"):
            ticks[tenth * (width - 1) // 10 + offset] = character
    lines.append("      " + "".join(ticks).rstrip() + "  Jaccard similarity")
    lines += [f"      {mark} {name}: {b} × {r}" for (name, (b, r)), mark in zip(choices.items(), _MARKS, strict=False)]
    return "\n".join(lines)


def in_svg(choices: Choices, at: float) -> str:
    """Return an SVG document with the curves; colours and dashes tell them apart."""
    left, top, width, height = 52, 16, 480, 260

    def x(similarity: float) -> float:
        return left + similarity * width

    def y(chance: float) -> float:
        return top + (1 - chance) * height

    body = []
    for tenth in range(11):
        s = tenth / 10
        body.append(f'<line x1="{left}" x2="{left + width}" y1="{y(s):.1f}" y2="{y(s):.1f}" stroke="#ddd"/>')
        body.append(f'<text x="{left - 8}" y="{y(s) + 4:.1f}" text-anchor="end">{s:.0%}</text>')
        body.append(f'<text x="{x(s):.1f}" y="{top + height + 18}" text-anchor="middle">{s:g}</text>')
    body.append(f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top}" y2="{top + height}" stroke="#999"/>')
    for (name, (bands, rows)), colour, dash in zip(choices.items(), _COLOURS, _DASHES, strict=False):
        points = " ".join(f"{x(k / 200):.1f},{y(candidate_chance(k / 200, bands, rows)):.1f}" for k in range(201))
        body.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        place = top + 18 + 18 * list(choices).index(name)
        line = f'x1="{left + 12}" x2="{left + 44}" y1="{place}" y2="{place}"'
        body.append(f'<line {line} stroke="{colour}" stroke-width="2"{dash}/>')
        body.append(f'<text x="{left + 52}" y="{place + 4}">{name}: {bands} bands of {rows} rows</text>')
    body.append(f'<text x="{left + width / 2}" y="{top + height + 38}" text-anchor="middle">Jaccard similarity</text>')
    size = f'viewBox="0 0 {left + width + 24} {top + height + 48}"'
    title = "<title>Chance of a pair to become candidates, by similarity</title>"
    style = 'font-family="sans-serif" font-size="12" fill="#333"'
    inner = "\n".join(body)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{title}\n{inner}\n</svg>\n'
