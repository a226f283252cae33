"""More of what a kernel knows about a character: its script, and what `curate.kernels.unicode` had no room for.

The tables are two-stage like those and ship as a file; `python -m curate.kernels.characters` rebuilds them. Python's
`unicodedata` has no script property: scripts come from the names of characters.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

SCRIPTS = (
    "latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "bengali", "tamil", "telugu", "thai",
    "georgian", "armenian", "hangul", "kana", "han", "other",
)  # fmt: skip

NUMERIC = 1  # str.isnumeric()
BRACKET = 2  # Unicode category Ps or Pe
LOWER_OR_TITLE = 4  # str.islower() or str.istitle() and not str.isupper(): a word with it is not all upper case
MARK = 8  # Unicode category M: belongs to the character before it

HANGUL_FIRST, HANGUL_LAST = 0xAC00, 0xD7A3  # syllables: decomposed by arithmetic, not by table

_FILE = Path(__file__).with_name("characters.npz")


class Characters(NamedTuple):
    """`index[cp >> 7] * 128 + (cp & 127)` is the place of code point `cp` in the arrays of one entry a code point.

    `index` uint16 (8704,); `script` uint8: place in SCRIPTS, of letters; `kind` uint8: the flags above; `combining`
    uint8: canonical combining class; `decomposition` uint16: 0, or where in `parts` int32 the number of code points
    of its canonical decomposition (NFD) stands, followed by them.
    """

    index: npt.NDArray[np.uint16]  # type: ignore[assignment]  # hides tuple.index
    script: npt.NDArray[np.uint8]
    kind: npt.NDArray[np.uint8]
    combining: npt.NDArray[np.uint8]
    decomposition: npt.NDArray[np.uint16]
    parts: npt.NDArray[np.int32]


@functools.cache
def characters() -> Characters:
    """Return the tables that every kernel taking `characters` expects."""
    with np.load(_FILE) as stored:
        return Characters(*(np.ascontiguousarray(stored[name]) for name in Characters._fields))


@njit(nogil=True, cache=True)
def decompose(cp, characters, out, at):
    """Write the canonical decomposition of `cp` to `out` int64 from `at` on, in canonical order; return the end.

    `out[:at]` is what stands before it, decomposed: a mark may move in front of marks there. It passes 32 of them at
    most: no text means more, and the time for a text that is nothing else stays linear. It counts references of arrays:
    callers let what is common go past it.
    """
    index, combining, parts = characters.index, characters.combining, characters.parts
    if HANGUL_FIRST <= cp <= HANGUL_LAST:
        syllable = cp - HANGUL_FIRST
        out[at], out[at + 1] = 0x1100 + syllable // 588, 0x1161 + syllable % 588 // 28
        if syllable % 28 == 0:
            return at + 2
        out[at + 2] = 0x11A7 + syllable % 28
        return at + 3
    first = np.int64(characters.decomposition[(np.int64(index[cp >> 7]) << 7) | (cp & 127)])
    count = np.int64(parts[first]) if first else 1
    for k in range(count):
        part = np.int64(parts[first + 1 + k]) if first else cp
        rank = combining[(np.int64(index[part >> 7]) << 7) | (part & 127)]
        to = at
        while rank and to > max(0, at - 32):
            before = out[to - 1]
            if combining[(np.int64(index[before >> 7]) << 7) | (before & 127)] <= rank:
                break
            out[to] = before
            to -= 1
        out[to] = part
        at += 1
    return at


def script_of(char: str) -> str:
    """Return the script of a letter by its Unicode name: one of SCRIPTS."""
    import unicodedata

    mapping = unicodedata.decomposition(char).split()
    if len(mapping) == 1:  # the Kelvin sign is a K
        char = chr(int(mapping[0], 16))
    words = unicodedata.name(char, "").lower().replace("-", " ").split()
    if words[:1] in (["halfwidth"], ["fullwidth"]):
        del words[0]
    first = words[0] if words else ""
    renamed = {"hiragana": "kana", "katakana": "kana", "hentaigana": "kana", "cjk": "han", "ideographic": "han",
               "feminine": "latin", "masculine": "latin", "roman": "latin"}  # fmt: skip
    script = renamed.get(first, first)
    return script if script in SCRIPTS else "other"


def build() -> Characters:
    """Derive the tables from this Python's `unicodedata`."""
    import sys
    import unicodedata

    size = sys.maxunicode + 1
    script, kind, combining = (np.zeros(size, np.uint8) for _ in range(3))
    decomposition = np.zeros(size, np.uint16)
    parts = [0]
    for cp in range(size):
        char = chr(cp)
        if char.isalpha():
            script[cp] = SCRIPTS.index(script_of(char))
        kind[cp] = (
            NUMERIC * char.isnumeric()
            | BRACKET * (unicodedata.category(char) in ("Ps", "Pe"))
            | LOWER_OR_TITLE * (char.islower() or (char.istitle() and not char.isupper()))
            | MARK * (unicodedata.category(char)[0] == "M")
        )
        combining[cp] = unicodedata.combining(char)
        whole = unicodedata.normalize("NFD", char)
        if whole != char and not HANGUL_FIRST <= cp <= HANGUL_LAST:
            decomposition[cp] = len(parts)
            parts += [len(whole), *map(ord, whole)]
    blocks: dict[bytes, int] = {}
    index = np.zeros(size >> 7, np.uint16)
    columns = (script, kind, combining, decomposition)
    for block in range(size >> 7):
        content = b"".join(column[block << 7 : (block + 1) << 7].tobytes() for column in columns)
        index[block] = blocks.setdefault(content, len(blocks))
    first = [int(np.flatnonzero(index == number)[0]) for number in range(len(blocks))]
    rows = (np.asarray(first)[:, None] * 128 + np.arange(128)).ravel()
    return Characters(index, script[rows], kind[rows], combining[rows], decomposition[rows], np.array(parts, np.int32))


if __name__ == "__main__":
    np.savez_compressed(_FILE, **build()._asdict())
