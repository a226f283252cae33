"""A batch of cleaned documents, with what several families of signals share: words, lines, byte classes.

Everything is computed at most once, when the first signal asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings, as_strings
from curate.errors import InputError
from curate.kernels import (
    code,
    fractions,
    frequencies,
    lines,
    madlad,
    math,
    phrases,
    redpajama,
    refinedweb,
    repetition,
)
from curate.kernels.bytes import byte_classes
from curate.kernels.characters import characters
from curate.kernels.stop_words import stop_word_counts
from curate.kernels.unicode import tables
from curate.kernels.unicode_words import UnicodeWords, unicode_words
from curate.kernels.words import STARTS_LINE, STARTS_PARAGRAPH, Blocks, Words, blocks, segment
from curate.signals import stop_words
from curate.text import clean_and_count

_MOST_BYTES = 2**32 - 1  # places of words have 32 bits

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Shares = npt.NDArray[np.float32]
T = TypeVar("T")


class Documents:
    """Texts of a batch (anything Arrow reads as strings), and lazily what is known about them.

    `removed`: what cleaners took away before, from `curate.text.clean_and_count`. Raises InputError when the texts
    are more than 4 GiB.
    """

    def __init__(self, texts: Any, removed: Mapping[str, Ints] | None = None) -> None:
        strings = as_strings(texts)
        if strings.nbytes > _MOST_BYTES:
            size = strings.nbytes / 2**30
            raise InputError(f"a batch can hold 4 GiB of text, this one has {size:.1f}: measure it in parts")
        if len(strings) and strings.offsets[-1] > _MOST_BYTES:  # a window far into a large buffer
            first = strings.offsets[0]
            strings = Strings(strings.data[first : strings.offsets[-1]], strings.offsets - first)
        self.strings: Strings = strings
        self._removed = dict(removed or {})
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
    def unicode_words(self) -> UnicodeWords:
        """Words in every language: runs of letters, marks and digits; characters of scripts without spaces."""
        return unicode_words(self.strings.data, self.strings.offsets)

    @cached_property
    def stop_words(self) -> Ints:
        """int64 (n, 3): see `curate.kernels.stop_words.stop_word_counts`."""
        out = np.zeros((len(self), 3), np.int64)
        words, languages = self.unicode_words, len(stop_words.stop_words())
        stop_word_counts(words.first, words.hash, stop_words.table(), languages, out)
        return out

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
    def refinedweb_lines(self) -> Ints:
        """int64 (n, 5): see `curate.kernels.refinedweb.line_rules`."""
        out = np.zeros((len(self), 5), np.int64)
        refinedweb.line_rules(self.strings.data, self.words, self.lines, tables(), refinedweb.COUNTED, out)
        return out

    @cached_property
    def madlad_sentences(self) -> Ints:
        """int64 (n, 5): see `curate.kernels.madlad.madlad_sentences`."""
        out = np.zeros((len(self), madlad.COLUMNS), np.int64)
        madlad.madlad_sentences(self.strings.data, self.strings.offsets, self.unicode_words, tables(), out)
        return out

    @cached_property
    def redpajama_raw(self) -> tuple[Ints, Floats]:
        """int64 (n, 8) and float64 (n,): see `curate.kernels.redpajama.raw_counts`."""
        out, upper_lines = np.zeros((len(self), redpajama.RAW_COLUMNS), np.int64), np.zeros(len(self), np.float64)
        redpajama.raw_counts(self.strings.data, self.strings.offsets, tables(), characters(), out, upper_lines)
        return out, upper_lines

    @cached_property
    def normalised_words(self) -> redpajama.NormalisedWords:
        """Words as RedPajama-V2 normalises them."""
        return redpajama.normalised_words(self.strings.data, self.words, tables(), characters())

    @cached_property
    def normalised_frequencies(self) -> tuple[Ints, Floats, Floats]:
        """int64 (n,), float64 (n,), float64 (n, 3): see `curate.kernels.frequencies.word_frequencies`."""
        n, words = len(self), self.normalised_words
        distinct, entropy, top = np.zeros(n, np.int64), np.zeros(n, np.float64), np.zeros((n, 3), np.float64)
        frequencies.word_frequencies(words.first, words.chars, words.hash, distinct, entropy, top)
        return distinct, entropy, top

    @cached_property
    def normalised_ngrams(self) -> Shares:
        """float32 (n, 6): shares of characters in duplicate 5..10-grams of normalised words."""
        words = self.normalised_words
        return _ngrams(words.first, words.chars, words.hash)[1]

    @cached_property
    def repeated_lines(self) -> Ints:
        """int64 (n, 5): how many there are, those that occur more than once (every copy) and their characters,
        characters of all, characters of second and later copies."""
        return _repetition(self.lines)

    @cached_property
    def repeated_paragraphs(self) -> Ints:
        """int64 (n, 5): how many there are, those that occur more than once (every copy) and their characters,
        characters of all, characters of second and later copies."""
        return _repetition(self.paragraphs)

    @cached_property
    def code_shape(self) -> Ints:
        """int64 (n, 6): see `curate.kernels.code.shape`."""
        out = np.zeros((len(self), 6), np.int64)
        code.shape(self.strings.data, self.strings.offsets, tables(), out)
        return out

    @cached_property
    def encoded_data(self) -> Ints:
        """int64 (n, 4): see `curate.kernels.code.encoded`."""
        out = np.zeros((len(self), 4), np.int64)
        code.encoded(self.strings.data, self.strings.offsets, out)
        return out

    @cached_property
    def math_lines(self) -> Ints:
        """int64 (n, 2): see `curate.kernels.math.math_lines`."""
        out = np.zeros((len(self), 2), np.int64)
        math.math_lines(self.strings.data, self.lines, out)
        return out

    @cached_property
    def ngrams_in_lines(self) -> Floats:
        """float64 (n, 6): characters of words covered by 5..10-grams that are repeated within their line."""
        w = self.words
        first = np.append(np.flatnonzero(w.kind & STARTS_LINE), len(w.kind))
        top = np.zeros((len(first) - 1, len(repetition.TOP)), np.float32)
        share = np.zeros((len(first) - 1, len(repetition.DUPLICATE)), np.float32)
        repetition.ngrams(first, w.chars, w.hash, top, share)
        ends = np.concatenate([[0], np.cumsum(w.chars, dtype=np.int64)])
        covered = np.rint(share * np.diff(ends[first])[:, None].astype(np.float64))
        sums = np.concatenate([np.zeros((1, share.shape[1])), np.cumsum(covered, axis=0)])
        lines_before = np.searchsorted(first[:-1], w.first)
        return np.asarray(sums[lines_before[1:]] - sums[lines_before[:-1]], np.float64)

    @cached_property
    def ngrams(self) -> tuple[Shares, Shares]:
        """float32 (n, 3) top 2..4-grams and (n, 6) duplicate 5..10-grams: shares of word characters."""
        return _ngrams(self.words.first, self.words.chars, self.words.hash)

    @cached_property
    def byte_classes(self) -> Ints:
        """int64 (n, 7): characters by class, see `curate.kernels.bytes.CLASSES`."""
        return byte_classes(self.strings.data, self.strings.offsets)

    @cached_property
    def character_counts(self) -> Ints:
        """int64 (n, COLUMNS): see `curate.kernels.fractions.character_counts`."""
        out = np.zeros((len(self), fractions.COLUMNS), np.int64)
        fractions.character_counts(self.strings.data, self.strings.offsets, tables(), characters(), out)
        return out

    @cached_property
    def url_characters(self) -> Ints:
        """Characters in URLs of each document."""
        out = np.zeros(len(self), np.int64)
        fractions.url_characters(self.strings.data, self.strings.offsets, out)
        return out

    def removed(self, cleaner: str) -> Ints:
        """int64 (n, 3): characters, lines and words that a cleaner took away; if it was not used, would take."""
        if cleaner not in self._removed:
            self._removed |= clean_and_count(self.strings, [cleaner], [cleaner])[1]
        return self._removed[cleaner]

    @cached_property
    def c4_phrases(self) -> npt.NDArray[np.bool_]:
        """bool (n, 2): the document holds "lorem ipsum", "javascript", in any case."""
        out = np.zeros((len(self), 2), np.bool_)
        wanted = phrases.phrases(["lorem ipsum", "javascript"])
        phrases.contain_phrases(self.strings.data, self.strings.offsets, wanted, out)
        return out

    def contains(self, character: str) -> npt.NDArray[np.bool_]:
        """Tell which documents hold a single ASCII character."""
        out = np.zeros(len(self), np.bool_)
        phrases.contain_byte(self.strings.data, self.strings.offsets, np.uint8(ord(character)), out)
        return out


def _ngrams(first: Ints, chars: npt.NDArray[np.uint32], hashes: npt.NDArray[np.uint64]) -> tuple[Shares, Shares]:
    top = np.zeros((len(first) - 1, len(repetition.TOP)), np.float32)
    duplicate = np.zeros((len(first) - 1, len(repetition.DUPLICATE)), np.float32)
    repetition.ngrams(first, chars, hashes, top, duplicate)
    return top, duplicate


def repeats(found: Blocks) -> Ints:
    """Return int64 (n, 4): see `curate.kernels.repetition.repeats`."""
    out = np.zeros((len(found.first) - 1, 4), np.int64)
    repetition.repeats(found.first, found.chars, found.hash, out)
    return out


def block_chars(found: Blocks) -> Ints:
    """Return int64 (n,): characters of all blocks of each document."""
    before = np.concatenate([[0], np.cumsum(found.chars, dtype=np.int64)])
    return np.diff(before[found.first])


def _repetition(found: Blocks) -> Ints:
    again = repeats(found)
    return np.column_stack(
        [
            np.diff(found.first),
            again[:, repetition.EVERY_COPY],
            again[:, repetition.EVERY_COPY_CHARS],
            block_chars(found),
            again[:, repetition.LATER_COPIES_CHARS],
        ]
    )


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Shares:
    """Return `part / whole` as float32; 0 where the whole is 0."""
    quotient: Floats = np.divide(part, whole, out=np.zeros(len(part), np.float64), where=whole != 0)
    return quotient.astype(np.float32)
