"""A byte n-gram language model with interpolated Witten-Bell smoothing, trained at tens of megabytes a second.

Predicts bytes from the bytes before them inside a document, and nothing across documents. See `curate.kernels.ngrams`
for the formula and for what is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings, as_strings
from curate.errors import CurateError
from curate.kernels import ngrams
from curate.memory import parse_size

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

ORDER = 6
MEMORY = "1GB"
_ENTRIES_PER_BYTE = 1.6  # English web text of 6 MB has 1.1 at order 6; a table that is half full is fast
_MOST_BYTES = 2**32 - 1  # counts are 32 bits wide
_SMALLEST = 1 << 13  # entries


class NgramModel:
    """Counts of byte n-grams.

    >>> model = NgramModel.train(["the cat sat on the mat"] * 9)
    >>> bool(model.bits(["the cat"])[0] < model.bits(["taq hec"])[0])
    True
    """

    def __init__(self, order: int = ORDER, entries: int = _SMALLEST) -> None:
        """Make a model without counts; `entries` of its hash table is a power of two and at least 8."""
        if not 0 <= order <= ngrams.LONGEST:
            raise CurateError(f"the order of an n-gram model is 0 to {ngrams.LONGEST} bytes, not {order}")
        self.order = order
        self._dense = np.zeros((ngrams.ROWS, ngrams.COLUMNS), np.uint32)
        self._table = _aligned(entries)

    @classmethod
    def train(cls, texts: Any, order: int = ORDER, memory: int | str = MEMORY) -> NgramModel:
        """Return a model of texts (anything Arrow reads as strings).

        `order`: bytes of the longest context, 0 to 8. `memory`: the most that the table of counts of more than two
        bytes may take, such as "1GB"; n-grams that find no room in it are left out, so that a small one makes a worse
        model. 20 MB of text fit into 512 MB. The counts of one and two bytes take up to 68 MB beside it.
        Raises CurateError for another order and for memory below 64 KiB.
        """
        strings = as_strings(texts)
        model = cls(order, _entries(strings.nbytes, memory))
        model.add(strings)
        return model

    def add(self, texts: Any) -> None:
        """Count more texts: counts add up, so the model is that of all texts together (where the table has room).

        Raises CurateError when that is more than 4 GB.
        """
        strings = as_strings(texts)
        if int(self._dense[0, ngrams.N]) + strings.nbytes > _MOST_BYTES:
            raise CurateError("an n-gram model counts at most 4 GB of text; train it on a sample")
        ngrams.count(strings.data, strings.offsets, self.order, self._dense, self._table)

    def copy(self) -> NgramModel:
        """Return a model with the same counts, to which other texts can be added."""
        other = NgramModel(self.order, self._table.size)
        other._dense[:] = self._dense
        other._table[:] = self._table
        return other

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the counts take."""
        return self._dense.nbytes + self._table.nbytes

    def bits(self, texts: Any) -> F64:
        """Return float64 (n,): -log2 of the probability of each text; 0 for an empty one."""
        strings = as_strings(texts)
        return self._evaluate(strings, strings.offsets[:-1], np.zeros(0, np.float32))

    def probabilities(self, texts: Any) -> F32:
        """Return float32 (bytes of all texts,): the probability of each byte after those before it in its text."""
        strings = as_strings(texts)
        out = np.empty(strings.nbytes, np.float32)
        self._evaluate(strings, strings.offsets[:-1], out)
        return out

    def continuation_bits(self, contexts: Any, continuations: Any) -> F64:
        """Return float64 (n,): -log2 of the probability of each continuation after its context.

        Raises ValueError when there are not as many contexts as continuations.
        """
        before, after = as_strings(contexts), as_strings(continuations)
        joined, first = joined_pairs(before, after)
        return self._evaluate(joined, first, np.zeros(0, np.float32))

    def _evaluate(self, strings: Strings, first: npt.NDArray[np.int64], probabilities: F32) -> F64:
        bits = np.zeros(len(strings))
        ngrams.evaluate(strings.data, strings.offsets, first, self.order, self._dense, self._table, bits, probabilities)
        return bits


def joined_pairs(before: Strings, after: Strings) -> tuple[Strings, npt.NDArray[np.int64]]:
    """Return texts that are `before` and then `after`, and int64 (n,): where in the data each `after` begins.

    Raises ValueError when there are not as many of one as of the other.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} contexts and {len(after)} continuations")
    n = len(before)
    lengths = np.empty(2 * n, np.int64)
    lengths[::2], lengths[1::2] = np.diff(before.offsets), np.diff(after.offsets)
    ends = np.r_[0, np.cumsum(lengths)]
    data = np.empty(ends[-1], np.uint8)
    for strings, shift in ((before, 0), (after, 1)):
        starts = ends[shift:-1:2]
        moved = np.repeat(starts - strings.offsets[:-1], np.diff(strings.offsets))
        source = np.arange(strings.offsets[0], strings.offsets[-1])
        data[source + moved] = strings.data[source]
    return Strings(data, ends[::2]), ends[1::2].copy()


def memory_of(nbytes: int, memory: int | str = MEMORY) -> int:
    """Return the bytes that a model of so many bytes of text takes, its table held to `memory`."""
    return 8 * _entries(nbytes, memory) + 4 * ngrams.ROWS * ngrams.COLUMNS


def _entries(nbytes: int, memory: int | str) -> int:
    """Return the size of a table: what so many bytes of text need, at most what fits into the memory."""
    room = parse_size(memory) // 8
    if room < _SMALLEST:
        raise CurateError(f"an n-gram model needs at least {8 * _SMALLEST >> 10}KiB of memory, not {memory}")
    wanted = max(_SMALLEST, 1 << (int(_ENTRIES_PER_BYTE * nbytes) - 1).bit_length())
    return int(min(wanted, 1 << (room.bit_length() - 1)))


def _aligned(entries: int) -> npt.NDArray[np.uint64]:
    """Return zeros that begin at a cache line."""
    raw = np.zeros(entries + ngrams.LINE, np.uint64)
    first = -(raw.ctypes.data // 8) % ngrams.LINE
    return raw[first : first + entries]
