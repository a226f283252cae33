"""Two passes over the texts for lines that many documents share: their hashes out, then the cuts.

How often is too often was counted between the passes, by `curate.dedup.occurrences`. Source: Llama Team 2024,
section 3.1.1 (after Wenzek et al. 2020, CCNet).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings
from curate.dedup.occurrences import Flags, Frequent, Keys, Occurrences
from curate.dedup.trimmed import PartTrimmed, Summary, Trimmer
from curate.kernels.text_lines import TEXT, Lines, Spans, line_spans, removal, text_lines

U64 = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LineKeys:
    """The first pass over a part: `salts` uint64 are those of the buckets of its `chosen` documents."""

    part: str
    chosen: Numbers
    salts: U64
    lines: int  # lines in a unit
    min_length: int
    occurrences: Occurrences

    def begin(self, number: int) -> LineKeys:
        """Read nothing."""
        return self

    def find(self, rows: Numbers, texts: Strings) -> tuple[Lines, Spans, U64]:
        """Return the lines of a batch, the units that are compared, and the key of each: its hash in its bucket."""
        lines = text_lines(texts.data, texts.offsets)
        spans = line_spans(lines, self.lines, self.min_length)
        salts = self.salts[np.searchsorted(self.chosen, rows)]
        return lines, spans, spans.hash ^ salts[spans.document]

    def batch(self, number: int, rows: Numbers, texts: Strings) -> Keys:
        """Return the keys of a batch."""
        return self.occurrences.divided(self.find(rows, texts)[2], np.zeros(0, np.uint32))

    def finish(self, results: Iterable[Keys]) -> int:
        """Write the keys of the part."""
        return self.occurrences.write(self.part, results)


@dataclass(frozen=True, eq=False)
class LineCuts:
    """The second pass over a part: cuts the units that were flagged."""

    keys: LineKeys
    trimmer: Trimmer
    min_left: int
    frequent: Frequent
    flags: Flags | None = None

    def begin(self, number: int) -> LineCuts:
        """Read the flags of the part."""
        return replace(self, flags=self.keys.occurrences.flags(self.keys.part, number))

    def batch(self, number: int, rows: Numbers, texts: Strings) -> PartTrimmed:
        """Return what is cut from the documents of a batch."""
        lines, spans, keys = self.keys.find(rows, texts)
        assert self.flags is not None
        flags = self.flags.of(number, keys)
        ranges = removal(lines, texts.offsets, spans, flags)
        found = self.trimmer.trimmed(rows, texts, ranges, _removed(lines, spans, flags, len(rows)))
        few = found.cuts.sizes[:, 1] < self.min_left
        hits = np.flatnonzero(flags)
        hits = hits[np.isin(keys[hits], self.frequent.keys)]
        return found.dropping(few).with_top(_examples(texts, lines, spans, hits))

    def finish(self, results: Iterable[PartTrimmed]) -> Summary:
        """Write the cuts of the part."""
        return self.trimmer.finish(results)


def _removed(lines: Lines, spans: Spans, flags: npt.NDArray[np.uint8], documents: int) -> Numbers:
    """Return int64 (documents,): the units that go."""
    return np.bincount(spans.document[flags == 1], minlength=documents)


def _examples(texts: Strings, lines: Lines, spans: Spans, hits: Numbers) -> dict[Any, tuple[int, str]]:
    """Return, by hash, how often each of some units stands in the batch, and its text."""
    hashes, first, counts = np.unique(spans.hash[hits], return_index=True, return_counts=True)
    found = {}
    for key, at, count in zip(hashes.tolist(), first.tolist(), counts.tolist(), strict=True):
        inside = slice(spans.first[hits[at]], spans.last[hits[at]] + 1)
        text = b"\n".join(
            texts.data[begin:end].tobytes()
            for begin, end, kind in zip(lines.begin[inside], lines.end[inside], lines.kind[inside], strict=True)
            if kind == TEXT
        )
        found[key] = (count, text.decode())
    return found
