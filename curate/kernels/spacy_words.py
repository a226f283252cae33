"""Words as spaCy's blank English tokenizer cuts them, punctuation marks being words: what datatrove counts.

Every distinct white-space word of a batch is cut once, by `curate.kernels.spacy_cut`; nothing here counts. Not
modelled: special cases that span white space (they change nothing), and the full grammar of URLs (docs/parity.md).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.repetition import room
from curate.kernels.spacy_cut import bits, cut
from curate.kernels.spacy_rules import SYMBOL, Rules, appended
from curate.kernels.unicode import ALPHA, PUNCT, TERMINAL, Tables, decode, place
from curate.kernels.words import Words

HAS_LETTER, HAS_CONTENT, ENDS_SENTENCE, ALL_PUNCTUATION = 1, 2, 4, 8
"""Kinds of a token: a letter in it; a character that is no symbol to datatrove; a mark that ends a sentence, alone;
nothing but punctuation."""


class Tokens(NamedTuple):
    """Tokens of a batch; those of document d are `first[d]:first[d + 1]`.

    `chars` int64: length in characters. `hash` uint64: a polynomial in `spacy_rules.BASE` over the characters, so that
    the hash of two tokens joined is `hash[a] * BASE**chars[b] + hash[b]`. `kind` uint8: HAS_LETTER | … `stop` uint8:
    a bit for each stop word. `spaced` uint8: 1 where white space other than one blank stands before the token.
    """

    first: npt.NDArray[np.int64]
    chars: npt.NDArray[np.int64]
    hash: npt.NDArray[np.uint64]
    kind: npt.NDArray[np.uint8]
    stop: npt.NDArray[np.uint8]
    spaced: npt.NDArray[np.uint8]


def tokens(data: npt.NDArray[np.uint8], words: Words, rules: Rules, tables: Tables) -> Tokens:
    """Cut the white-space words of every document into tokens."""
    distinct, which = _distinct(words.hash)
    room_for = int(words.chars[distinct].sum(dtype=np.int64))
    first, pieces = np.empty(len(distinct) + 1, np.int64), _pieces(room_for)
    _cut_distinct(data, words.start, words.stop, distinct, rules, tables, first, *pieces)
    count = np.diff(first)
    starts = np.zeros(len(which) + 1, np.int64)
    np.cumsum(count[which], out=starts[1:])
    total = int(starts[-1])
    found = _pieces(total)
    spaced = np.zeros(total, np.uint8)
    _copy(data, words.first, words.start, words.stop, which, first, starts, *pieces, *found, spaced)
    return Tokens(starts[words.first], *found, spaced)


def _pieces(
    count: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    return np.empty(count, np.int64), np.empty(count, np.uint64), np.empty(count, np.uint8), np.empty(count, np.uint8)


def _distinct(hashes: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (places of the first copy of each distinct word, for every word which one it is)."""
    which, places = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.int64)
    count = _number_distinct(hashes, which, places)
    return places[:count].copy(), which


@njit(nogil=True, cache=True)
def _number_distinct(hashes, which, places):
    size = room(1024)
    table = np.full(size, -1, np.int64)
    count = 0
    for w in range(hashes.shape[0]):
        if 2 * count >= size:
            size *= 4
            table = np.full(size, -1, np.int64)
            for k in range(count):
                s = hashes[places[k]] & np.uint64(size - 1)
                while table[s] >= 0:
                    s = (s + np.uint64(1)) & np.uint64(size - 1)
                table[s] = k
        s = hashes[w] & np.uint64(size - 1)
        while table[s] >= 0 and hashes[places[table[s]]] != hashes[w]:
            s = (s + np.uint64(1)) & np.uint64(size - 1)
        if table[s] < 0:
            table[s] = count
            places[count] = w
            count += 1
        which[w] = table[s]
    return count


@njit(nogil=True, cache=True)
def _cut_distinct(data, start, stop, distinct, rules, tables, first, chars, hashes, kinds, stops):
    longest = np.int64(0)
    for w in distinct:
        longest = max(longest, np.int64(stop[w]) - np.int64(start[w]))
    cps = np.empty(longest + 1, np.int32)
    ends = np.empty(longest + 1, np.int64)
    spare = np.empty(longest + 1, np.int64)
    flag, index, classes, stop_words = tables.flags, tables.index, rules.classes, rules.stops
    count = 0
    for k in range(distinct.shape[0]):
        first[k] = count
        i, end = np.int64(start[distinct[k]]), np.int64(stop[distinct[k]])
        m = 0
        while i < end:
            cp, i = decode(data, i, end)
            cps[m] = cp
            m += 1
        found = cut(cps, m, rules, ends, spare)
        a = 0
        for piece in range(found):
            b = ends[piece]
            h = np.uint64(0)
            kind = ALL_PUNCTUATION
            for c in range(a, b):
                h = appended(h, cps[c])
                flags = flag[place(index, np.int64(cps[c]))]
                if flags & ALPHA:
                    kind |= HAS_LETTER
                if not bits(cps[c], classes) & SYMBOL:
                    kind |= HAS_CONTENT
                if not flags & PUNCT:
                    kind &= ~ALL_PUNCTUATION
                if b - a == 1 and flags & TERMINAL:
                    kind |= ENDS_SENTENCE
            chars[count], hashes[count], kinds[count] = b - a, h, kind
            stops[count] = 0
            if b - a <= 4:
                for q in range(stop_words.shape[0]):
                    if stop_words[q] == h:
                        stops[count] = 1 << q
            a = b
            count += 1
    first[distinct.shape[0]] = count


@njit(nogil=True, cache=True)
def _copy(data, word_first, start, stop, which, first, starts, chars, hashes, kinds, stops,
          to_chars, to_hashes, to_kinds, to_stops, spaced):  # fmt: skip
    for w in range(which.shape[0]):
        t = starts[w]
        for k in range(first[which[w]], first[which[w] + 1]):
            to_chars[t], to_hashes[t] = chars[k], hashes[k]
            to_kinds[t], to_stops[t] = kinds[k], stops[k]
            t += 1
    for d in range(word_first.shape[0] - 1):
        for w in range(word_first[d] + 1, word_first[d + 1]):
            one_blank = start[w] - stop[w - 1] == 1 and data[stop[w - 1]] == 32
            spaced[starts[w]] = not one_blank
