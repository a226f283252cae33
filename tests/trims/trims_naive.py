"""Both trim steps once more, the slow and obvious way: what the kernels and passes are compared with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

BLANK, TEXT, CODE = 0, 1, 2


def raw_lines(text: str) -> list[str]:
    """The lines of a text with their newlines."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def kinds(text: str) -> list[int]:
    """BLANK, TEXT or CODE for each line: CommonMark's fenced and indented code, seen line by line."""
    found = []
    fence = ""
    loose = True
    for raw in raw_lines(text):
        line = raw.removesuffix("\n")
        bare = line.strip()
        marks = re.match(r"`+|~+", bare)
        if not bare:
            found.append(CODE if fence else BLANK)
            loose = True
        elif fence:
            found.append(CODE)
            if set(bare) == {fence[0]} and len(bare) >= len(fence):
                fence = ""
            loose = True
        elif marks and len(marks.group()) >= 3 and "`" not in bare[marks.end() :]:
            found.append(CODE)
            fence = marks.group()
        elif loose and columns(line[: len(line) - len(line.lstrip())]) >= 4:
            found.append(CODE)
        else:
            found.append(TEXT)
            loose = False
    return found


def columns(space: str) -> int:
    """How far white space indents."""
    width = 0
    for char in space:
        width += 4 - width % 4 if char == "\t" else int(char == " ")
    return width


def units(text: str, unit: str, min_length: int) -> list[tuple[tuple[str, ...], list[int]]]:
    """The units of a text that are compared: the stripped lines, and the places of the lines."""
    lines, kind = raw_lines(text), kinds(text)
    groups: list[list[int]] = []
    if unit == "paragraph":
        open_group: list[int] = []
        for place, what in enumerate([*kind, BLANK]):
            if what == TEXT:
                open_group.append(place)
            elif open_group:
                groups.append(open_group)
                open_group = []
    else:
        size = {"line": 1, "3-line": 3}[unit]
        run: list[int] = []
        for place, what in enumerate(kind):
            if what == CODE:
                run = []
            elif what == TEXT:
                run = [*run, place][-size:]
                if len(run) == size:
                    groups.append(run)
    found = [(tuple(lines[place].strip() for place in group), group) for group in groups]
    return [(key, group) for key, group in found if sum(map(len, key)) >= min_length]


def without_lines(text: str, gone: set[int]) -> str:
    """The text without some lines; blank lines do not pile up, and the end is left clean where something went."""
    lines, kind = raw_lines(text), kinds(text)
    kept: list[tuple[str, int]] = []
    cutting = False
    for place, line in enumerate(lines):
        after_gap = not kept or kept[-1][1] == BLANK
        if place in gone or (kind[place] == BLANK and cutting and after_gap):
            cutting = True
            continue
        cutting = False
        kept.append((line, kind[place]))
    if cutting:
        while kept and kept[-1][1] == BLANK:
            kept.pop()
        if kept:
            kept[-1] = (kept[-1][0].rstrip(), TEXT)
    return "".join(line for line, _ in kept)


def trimmed_lines(texts: Sequence[str], unit: str, more_than: int, min_length: int) -> list[str]:
    """The texts without the units that stand more than `more_than` times in all of them."""
    times = Counter(key for text in texts for key, _ in units(text, unit, min_length))
    return [
        without_lines(
            text, {p for key, group in units(text, unit, min_length) if times[key] > more_than for p in group}
        )
        for text in texts
    ]


def covered_words(texts: Sequence[str], order: Sequence[int], n: int, absent: set[int] | None = None) -> list[set[int]]:
    """The words of each text in runs of n words that a better text (earlier in `order`), or an earlier place, has."""
    seen: set[tuple[str, ...]] = set()
    covered: list[set[int]] = [set() for _ in texts]
    for document in order:
        if document in (absent or ()):
            continue
        words = texts[document].split()
        for place in range(len(words) - n + 1):
            run = tuple(words[place : place + n])
            if run in seen:
                covered[document].update(range(place, place + n))
            seen.add(run)
    return covered


def trimmed_passages(texts: Sequence[str], order: Sequence[int], n: int, drop_at: float) -> list[list[str] | None]:
    """The words that each text is left with; None for a text that is dropped."""
    first = covered_words(texts, order, n)
    dropped = {d for d, words in enumerate(first) if words and len(words) / len(texts[d].split()) >= drop_at}
    left = covered_words(texts, order, n, dropped)
    return [
        None if d in dropped else [word for place, word in enumerate(text.split()) if place not in left[d]]
        for d, text in enumerate(texts)
    ]
