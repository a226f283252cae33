"""Cleaning: what is done to a text before anything is measured on it.

A recipe names cleaners in order (`clean = ["unicode", "c4_lines"]`); measure and write apply the same ones, so
that what was measured is what is written. Nothing here decides whether a document is kept.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.arrow import Strings, as_strings, to_array
from curate.errors import RecipeError, did_you_mean
from curate.kernels import cleaning
from curate.kernels.phrases import phrases
from curate.kernels.unicode import tables

# Raffel et al. 2020, section 2.2, and the released code: lines that talk about cookies, policies and scripts.
_C4_PHRASES = phrases((
    "javascript", "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
))  # fmt: skip


def unicode(strings: Strings) -> Strings:
    """Normal form C; control and invisible characters removed (tabs and joiners stay), newlines as `\\n`.

    Control characters that are white space (`\\r`, `\\f`, U+0085 …) become newlines: words do not grow together.
    """
    needs = np.zeros(len(strings), np.uint8)
    cleaning.scan(strings.data, strings.offsets, tables(), needs)
    if not needs.any():
        return strings
    if (needs & cleaning.STRIP).any():
        out, offsets = np.empty(strings.nbytes, np.uint8), np.empty_like(strings.offsets)
        size = cleaning.strip_controls(strings.data, strings.offsets, tables(), out, offsets)
        strings = Strings(out[:size], offsets)
    maybe = np.flatnonzero(needs & cleaning.NORMALISE)
    if len(maybe):
        strings = _recompose(strings, maybe)
    return strings


def _recompose(strings: Strings, which: Any) -> Strings:
    """Put the documents `which` into normal form C; most of them turn out to be in it already."""
    array = to_array(strings)
    texts = array.take(pa.array(which)).to_pylist()
    changed = [i for i, text in enumerate(texts) if not unicodedata.is_normalized("NFC", text)]
    if not changed:
        return strings
    mask = np.zeros(len(strings), np.bool_)
    mask[which[changed]] = True
    normal = pa.array([unicodedata.normalize("NFC", texts[i]) for i in changed], pa.large_string())
    return as_strings(pc.replace_with_mask(array, pa.array(mask), normal))


def c4_lines(strings: Strings) -> Strings:
    """C4's line rules (Raffel et al. 2020, section 2.2; numbers of the JMLR version and the released code).

    Keeps lines that end in . ? ! or " and not in "...", have at least five words and none longer than 1000
    characters, and mention neither JavaScript nor cookie or privacy policies; drops Wikipedia's citation marks,
    also those that come about by dropping another.
    """
    room = strings.nbytes + len(strings)
    out, offsets = np.empty(room, np.uint8), np.empty_like(strings.offsets)
    size = cleaning.c4_lines(strings.data, strings.offsets, tables(), _C4_PHRASES, out, offsets)
    return Strings(out[:size], offsets)


CLEANERS: dict[str, Callable[[Strings], Strings]] = {"unicode": unicode, "c4_lines": c4_lines}


def cleaner(name: str) -> Callable[[Strings], Strings]:
    """Return a cleaner by name; RecipeError names the nearest one."""
    if name not in CLEANERS:
        raise RecipeError(f'unknown cleaner "{name}"{did_you_mean(name, CLEANERS)} (there are: {", ".join(CLEANERS)})')
    return CLEANERS[name]


def clean(texts: Any, cleaners: Sequence[str]) -> Strings:
    """Apply the named cleaners in order to texts (anything Arrow reads as strings)."""
    strings = as_strings(texts)
    for name in cleaners:
        strings = cleaner(name)(strings)
    return strings


def beginnings(strings: Strings, count: int, *, words: bool = False) -> Strings:
    """Return the first `count` characters, or words, of each text."""
    room = strings.nbytes if words else min(strings.nbytes, 4 * count * len(strings))
    out, offsets = np.empty(room, np.uint8), np.empty_like(strings.offsets)
    size = cleaning.copy_beginnings(strings.data, strings.offsets, count, words, out, offsets)
    return Strings(out[:size], offsets)


def windows(strings: Strings, characters: int) -> tuple[Strings, npt.NDArray[np.int64]]:
    """Cut each text into equal stretches of about `characters` characters, at white space where there is any.

    Returns the pieces, and int64 (n + 1,): those of text d are `first[d]:first[d + 1]`, at least one.
    """
    room = 2 * strings.nbytes // characters + 2 * len(strings) + 1
    cuts, first = np.empty(room, np.int64), np.empty(len(strings) + 1, np.int64)
    count = cleaning.cut_windows(strings.data, strings.offsets, characters, cuts, first)
    return Strings(strings.data, np.append(cuts[:count], strings.offsets[-1])), first
