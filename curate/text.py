"""Cleaning: what is done to a text before anything is measured on it.

A recipe names cleaners in order (`clean = ["unicode", "c4_lines"]`); measure and write apply the same ones, so
that what was measured is what is written. Nothing here decides whether a document is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings, as_strings
from curate.cleaning.characters import ftfy, unicode
from curate.cleaning.lines import c4_lines, citations, refinedweb_lines
from curate.cleaning.removed import Amounts, measure_amounts
from curate.cleaning.whitespace import newlines, whitespace
from curate.errors import RecipeError, did_you_mean
from curate.kernels import cleaning

CLEANERS: dict[str, Callable[[Strings], Strings]] = {
    "unicode": unicode,
    "ftfy": ftfy,
    "whitespace": whitespace,
    "newlines": newlines,
    "citations": citations,
    "c4_lines": c4_lines,
    "refinedweb_lines": refinedweb_lines,
}


def cleaner(name: str) -> Callable[[Strings], Strings]:
    """Return a cleaner by name; RecipeError names the nearest one."""
    if name not in CLEANERS:
        raise RecipeError(f'unknown cleaner "{name}"{did_you_mean(name, CLEANERS)} (there are: {", ".join(CLEANERS)})')
    return CLEANERS[name]


def clean(texts: Any, cleaners: Sequence[str]) -> Strings:
    """Apply the named cleaners in order to texts (anything Arrow reads as strings)."""
    return clean_and_count(texts, cleaners, ())[0]


def clean_and_count(
    texts: Any, cleaners: Sequence[str], counted: Collection[str]
) -> tuple[Strings, dict[str, Amounts]]:
    """Apply the cleaners, and count what those in `counted` take away.

    Returns the texts, and for each cleaner in `counted` int64 (n, 3): characters, lines and words that went in less
    those that came out, 0 where more came out; the sum if it is applied more than once, 0 if it is not applied.
    """
    strings = as_strings(texts)
    removed = {name: np.zeros((len(strings), 3), np.int64) for name in counted}
    known: tuple[Strings, Amounts] | None = None  # the last texts whose amounts were measured
    for name in cleaners:
        before, strings = strings, cleaner(name)(strings)
        if name in removed and strings is not before:
            had = known[1] if known and known[0] is before else measure_amounts(before)
            known = strings, measure_amounts(strings)
            removed[name] += np.maximum(had - known[1], 0)
    return strings, removed


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
