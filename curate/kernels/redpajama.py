"""Words and lines as RedPajama-V2 counts them (Weber et al. 2024, and the definitions published with the data).

Two kinds of words: raw ones, `\\w+|[^\\w\\s]+` of Python's `re`, and normalised ones: white-space words without ASCII
punctuation, lower-cased, in normal form D. Not done: Python's final sigma (every Σ becomes σ).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.characters import HANGUL_FIRST, HANGUL_LAST, LOWER_OR_TITLE, NUMERIC, Characters, decompose
from curate.kernels.unicode import ALPHA, SPACE, UPPER, Tables, decode, place
from curate.kernels.words import STARTS_LINE, Words

RAW_WORDS, CAPS_WORDS, ALPHA_WORDS, CURLY, SENTENCES, LINES, BULLETS, TERMINALS = range(8)
RAW_COLUMNS = 8
LOREM_IPSUM, JAVASCRIPT, CHARACTERS, NUMERIC_LINES = range(
    4
)  # the last: sum over lines of the share of numeric characters
BULLET_MARKS = "•‣▶◀◦■□▪▫–"
TERMINAL_MARKS = ".!?”"

_WORD, _SPACE, _UPPER, _LOWER, _LETTER, _MARK, _CURLY = 1, 2, 4, 8, 16, 32, 64
_PLAIN = _WORD | _LOWER | _LETTER
_BULLETS = np.array([ord(char) for char in BULLET_MARKS], np.int64)
_TERMINALS = np.array([ord(char) for char in TERMINAL_MARKS], np.int64)


def _ascii_kinds() -> npt.NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for cp in range(128):
        char = chr(cp)
        table[cp] = (
            _WORD * (char.isalnum() or char == "_")
            | _SPACE * char.isspace()
            | _UPPER * char.isupper()
            | _LOWER * char.islower()
            | _LETTER * char.isalpha()
            | _MARK * (char in ".!?")
            | _CURLY * (char in "{}")
        )
    return table


_ASCII = _ascii_kinds()


@njit(nogil=True, cache=True, inline="always")
def _wide_kind(cp, index, flags, other_index, kinds):
    flag = flags[place(index, cp)]
    kind = kinds[place(other_index, cp)]
    return (
        _WORD * ((flag & ALPHA) != 0 or (kind & NUMERIC) != 0)
        | _SPACE * ((flag & SPACE) != 0)
        | _UPPER * ((flag & UPPER) != 0)
        | _LOWER * ((kind & LOWER_OR_TITLE) != 0)
    )


@njit(nogil=True, cache=True)
def _among(cp, wanted):
    found = False
    for k in range(wanted.shape[0]):
        found |= wanted[k] == cp
    return found


@njit(nogil=True, cache=True)
def raw_counts(data, offsets, tables, characters, out, upper_lines):
    """Fill `out` int64 (n, RAW_COLUMNS), `upper_lines` float64 (n,): sum over lines of the share of capitals.

    Counts of raw words: all, those that `str.isupper` holds for, those with an ASCII letter. Curly brackets. Sentences:
    what stands between runs of . ! ? and has a word character. Lines: all that a newline ends, and what follows the
    last; blank ones too. Of the lines, those whose first character that is no space is a bullet, and those whose last
    is a terminal mark. The newline belongs to its line.
    """
    ascii_kinds = _ASCII
    index, flags = tables.index, tables.flags
    other_index, kinds = characters.index, characters.kind
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        token = upper = lower = letter = np.int64(0)  # token: kind of the raw word that is open, _WORD, 1 << 8 or 0
        is_open = False  # the sentence has a word character
        chars = capitals = 0  # of the line
        first = last = np.int64(-1)  # characters of the line that are no space
        raw = caps = alpha = curly = sentences = lines = bullets = terminals = 0
        shares = 0.0
        while i < end:
            cp = np.int64(data[i])
            if cp < 0x80:
                kind = np.int64(ascii_kinds[cp])
                i += 1
                while kind == _PLAIN and i < end and ascii_kinds[data[i]] == _PLAIN:  # a to z: nothing changes
                    cp = np.int64(data[i])
                    chars += 1
                    i += 1
            else:
                cp, i = decode(data, i, end)
                kind = np.int64(_wide_kind(cp, index, flags, other_index, kinds))
            now = np.int64(_WORD if kind & _WORD else 0 if kind & _SPACE else 1 << 8)
            if now != token:
                caps += (upper != 0) & (lower == 0)
                alpha += letter != 0
                raw += now != 0
                upper = lower = letter = np.int64(0)
                token = now
            upper |= kind & _UPPER
            lower |= kind & _LOWER
            letter |= kind & _LETTER
            curly += (kind & _CURLY) != 0
            sentences += is_open & ((kind & _MARK) != 0)
            is_open = (is_open | ((kind & _WORD) != 0)) & ((kind & _MARK) == 0)
            chars += 1
            capitals += (kind & _UPPER) != 0
            if not kind & _SPACE:
                first = cp if first < 0 else first
                last = cp
            if cp == 10 or i == end:
                lines += 1
                shares += capitals / chars
                if last >= 0:
                    bullets += _among(first, _BULLETS)
                    terminals += _among(last, _TERMINALS)
                chars = capitals = 0
                first = last = np.int64(-1)
        row = out[d]
        row[RAW_WORDS], row[CAPS_WORDS] = raw, caps + ((upper != 0) & (lower == 0))
        row[ALPHA_WORDS], row[CURLY], row[SENTENCES] = alpha + (letter != 0), curly, sentences + is_open
        row[LINES], row[BULLETS], row[TERMINALS] = lines, bullets, terminals
        upper_lines[d] = shares


class NormalisedWords(NamedTuple):
    """Normalised words of a batch; those of document d are `first[d]:first[d + 1]`.

    `chars` uint32: length in code points of normal form D; `hash` uint64. `counts` float64 (n, 4): "lorem ipsum" in the
    words joined by spaces, words that are "javascript", characters of all words, sum over lines of the share of numeric
    characters.
    """

    first: npt.NDArray[np.int64]
    chars: npt.NDArray[np.uint32]
    hash: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.float64]


def normalised_words(
    data: npt.NDArray[np.uint8], words: Words, tables: Tables, characters: Characters
) -> NormalisedWords:
    """Normalise white-space words; those of ASCII punctuation only are left out."""
    n, room = len(words.first) - 1, len(words.start)
    found = NormalisedWords(
        np.zeros(n + 1, np.int64), np.empty(room, np.uint32), np.empty(room, np.uint64), np.zeros((n, 4))
    )
    count = _normalised_words(data, words, tables, characters, found)
    return found._replace(chars=found.chars[:count], hash=found.hash[:count])


def _ascii_lower() -> npt.NDArray[np.uint8]:
    """Return the lower-case form of each ASCII character; 0 for punctuation, which goes."""
    table = np.arange(128, dtype=np.uint8)
    table[[*range(33, 48), *range(58, 65), *range(91, 97), *range(123, 127)]] = 0
    table[65:91] += 32
    table[0] = 0xC8  # U+0000 stays: as È, which normal form D does not have
    return table


_LOWERED = _ascii_lower()
_PACKED = {word: np.uint64(int.from_bytes(word.encode(), "big")) for word in ("lorem", "ipsum", "javascri", "vascript")}
_LOREM, _IPSUM, _SCRIPT_HEAD, _SCRIPT_TAIL = _PACKED.values()
_FIVE = np.uint64(0xFFFFFFFFFF)
_BEYOND_ASCII = 0xFF  # stands for any such character among the last eight, one byte each


@njit(nogil=True, cache=True, inline="always")
def _stir(h, chunk):
    h = (h ^ np.uint64(chunk)) * np.uint64(0x9FB21C651E98DF25)
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True)
def _normalised_words(data, words, tables, characters, found):
    first, start, stop, lengths, line_kind = words.first, words.start, words.stop, words.chars, words.kind
    chars, hashes, counts, firsts = found.chars, found.hash, found.counts, found.first
    index, lower = tables.index, tables.lower
    other_index, kinds, combining = characters.index, characters.kind, characters.combining
    decomposition, parts = characters.decomposition, characters.parts
    lowered = _LOWERED
    buffer = np.empty(4096, np.int64)
    v = 0
    for d in range(first.shape[0] - 1):
        firsts[d] = v
        after_lorem = False
        numeric = length = total = lorem_ipsum = javascript = 0  # the first two: of the line
        shares = 0.0
        for w in range(first[d], first[d + 1]):
            begin, end = np.int64(start[w]), np.int64(stop[w])
            if line_kind[w] & STARTS_LINE:
                shares += numeric / max(length - 1, 1)
                numeric = length = 0
            h = head = tail = np.uint64(0)
            size = 0
            if lengths[w] == end - begin:  # ASCII
                for at in range(begin, end):
                    c = lowered[data[at]]
                    if c:
                        tail = (tail << np.uint64(8)) | np.uint64(c)
                        size += 1
                        numeric += 48 <= c <= 57
                        if size & 7 == 0:
                            head = tail if size == 8 else head
                            h = _stir(h, tail)
            else:
                if 2 * (end - begin) > buffer.shape[0]:  # two bytes become three code points at most
                    buffer = np.empty(2 * (end - begin), np.int64)
                i = begin
                while i < end:
                    cp, i = decode(data, i, end)
                    if cp < 0x80:
                        buffer[size] = lowered[cp]
                        size += lowered[cp] != 0
                        continue
                    there = place(other_index, cp)
                    part = np.int64(decomposition[there])
                    if combining[there] or HANGUL_FIRST <= cp <= HANGUL_LAST:
                        size = decompose(cp, characters, buffer, size)  # nothing in it has case
                    elif part == 0:
                        buffer[size] = cp + lower[place(index, cp)]
                        size += 1
                    elif combining[place(other_index, np.int64(parts[part + 1]))]:
                        size = decompose(cp, characters, buffer, size)
                    else:  # é: no mark in it can move in front of what stands before
                        for k in range(part + 1, part + 1 + parts[part]):
                            buffer[size] = parts[k] + lower[place(index, np.int64(parts[k]))]
                            size += 1
                for k in range(size):
                    cp = buffer[k]
                    tail = (tail << np.uint64(8)) | np.uint64(cp if cp < 0x80 or cp == 0xC8 else _BEYOND_ASCII)
                    numeric += (kinds[place(other_index, cp)] & NUMERIC) != 0
                    if cp >= 0x80 and cp != 0xC8:
                        h = _stir(h, (cp << 32) + k)
                    if k & 7 == 7:
                        head = tail if k == 7 else head
                        h = _stir(h, tail)
            if size == 0:
                continue
            if size < 8:
                head = tail << np.uint64(8 * (8 - size))
            hashes[v], chars[v] = _stir(_stir(h, tail), size), size
            v += 1
            length += size + 1
            total += size
            lorem_ipsum += after_lorem & (size >= 5) & (head >> np.uint64(24) == _IPSUM)
            javascript += (size == 10) & (head == _SCRIPT_HEAD) & (tail == _SCRIPT_TAIL)
            after_lorem = (size >= 5) & (tail & _FIVE == _LOREM)
        shares += numeric / max(length - 1, 1)
        counts[d, LOREM_IPSUM], counts[d, JAVASCRIPT], counts[d, CHARACTERS] = lorem_ipsum, javascript, total
        counts[d, NUMERIC_LINES] = shares
    firsts[first.shape[0] - 1] = v
    return v
