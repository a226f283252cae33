"""A batch of cleaned documents, with what several families of signals share: words, lines, byte classes.

Everything is computed at most once, when the first signal asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings, as_strings
from curate.errors import InputError
from curate.kernels import lines, phrases, repetition
from curate.kernels.bytes import byte_classes
from curate.kernels.unicode import tables
from curate.kernels.words import STARTS_LINE, STARTS_PARAGRAPH, Blocks, Words, blocks, segment

_MOST_BYTES = 2**32 - 1  # places of words have 32 bits

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Shares = npt.NDArray[np.float32]
T = TypeVar("T")


class Documents:
    """Texts of a batch (anything Arrow reads as strings), and lazily what is known about them.

    Raises InputError when they are more than 4 GiB.
    """

    def __init__(self, texts: Any) -> None:
        strings = as_strings(texts)
        if strings.nbytes > _MOST_BYTES:
            size = strings.nbytes / 2**30
            raise InputError(f"a batch can hold 4 GiB of text, this one has {size:.1f}: measure it in parts")
        if len(strings) and strings.offsets[-1] > _MOST_BYTES:  # a window far into a large buffer
            first = strings.offsets[0]
            strings = Strings(strings.data[first : strings.offsets[-1]], strings.offsets - first)
        self.strings: Strings = strings
        self._known: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.strings)

    def once(self, compute: Callable[[Documents], T]) -> T:
        """Return `compute(self)`, computed at most once: for what several signals of one family read."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        found: T = self._known[compute]
        return found

    @cached_property
    def bytes(self) -> Ints:
        """UTF-8 bytes of each document."""
        return np.diff(self.strings.offsets)

    @cached_property
    def words(self) -> Words:
        """White-space words and where lines and paragraphs begin."""
        return segment(self.strings.data, self.strings.offsets)

    @cached_property
    def lines(self) -> Blocks:
        """What stands between newlines, stripped; blank lines left out."""
        return blocks(self.strings.data, self.words, STARTS_LINE)

    @cached_property
    def paragraphs(self) -> Blocks:
        """What stands between blank lines, stripped."""
        return blocks(self.strings.data, self.words, STARTS_PARAGRAPH)

    @cached_property
    def word_count(self) -> Ints:
        """Words of each document."""
        return np.diff(self.words.first)

    @cached_property
    def word_counts(self) -> Ints:
        """int64 (n, 3): characters in words, words with a letter, distinct Gopher stop words."""
        out = np.zeros((len(self), 3), np.int64)
        lines.word_counts(self.strings.data, self.words, tables(), out)
        return out

    @cached_property
    def line_counts(self) -> Ints:
        """int64 (n, 5): see `curate.kernels.lines.line_counts`."""
        out = np.zeros((len(self), 5), np.int64)
        lines.line_counts(self.strings.data, self.lines, tables(), out)
        return out

    @cached_property
    def repeated_lines(self) -> Floats:
        """float64 (n, 5): see `curate.kernels.repetition.repeated_blocks`."""
        return _repetition(self.lines)

    @cached_property
    def repeated_paragraphs(self) -> Floats:
        """float64 (n, 5): see `curate.kernels.repetition.repeated_blocks`."""
        return _repetition(self.paragraphs)

    @cached_property
    def ngrams(self) -> tuple[Shares, Shares]:
        """float32 (n, 3) top 2..4-grams and (n, 6) duplicate 5..10-grams: shares of word characters."""
        top = np.zeros((len(self), len(repetition.TOP)), np.float32)
        duplicate = np.zeros((len(self), len(repetition.DUPLICATE)), np.float32)
        w = self.words
        repetition.ngrams(w.first, w.chars, w.hash, top, duplicate)
        return top, duplicate

    @cached_property
    def byte_classes(self) -> Ints:
        """int64 (n, 7): characters by class, see `curate.kernels.bytes.CLASSES`."""
        return byte_classes(self.strings.data, self.strings.offsets)

    def contains(self, wanted: str) -> npt.NDArray[np.bool_]:
        """Tell which documents hold a phrase (lower-case ASCII), in any case, or a single ASCII character."""
        out = np.zeros(len(self), np.bool_)
        data, offsets = self.strings.data, self.strings.offsets
        if len(wanted) == 1:
            phrases.contain_byte(data, offsets, np.uint8(ord(wanted)), out)
        else:
            phrases.contain_phrase(data, offsets, phrases.phrases([wanted]), out)
        return out


def _repetition(found: Blocks) -> Floats:
    out = np.zeros((len(found.first) - 1, 5), np.float64)
    repetition.repeated_blocks(found, out)
    return out


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Shares:
    """Return `part / whole` as float32; 0 where the whole is 0."""
    quotient: Floats = np.divide(part, whole, out=np.zeros(len(part), np.float64), where=whole != 0)
    return quotient.astype(np.float32)
