"""Three passes over the texts for runs of words that stand in several places.

The first writes hashes of a few shorter runs, so that the second writes only those of runs that may be repeated: a
run is ruled out when what stands for it is nowhere else. The third cuts. Which copy stays was decided before it, by
`curate.dedup.occurrences`. After Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better",
section 4.1, with hashed runs instead of a suffix array.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings
from curate.dedup.occurrences import Flags, Frequent, Keys, Occurrences
from curate.dedup.trimmed import PartTrimmed, Summary, Top, Trimmer
from curate.kernels.passages import coverage, passages, winnow
from curate.kernels.text_lines import Ranges
from curate.kernels.words import Words
from curate.signals.documents import Documents

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """The first pass over a part: the hashes of what stands for its passages."""

    part: str
    min_words: int
    occurrences: Occurrences

    def begin(self, number: int) -> Fingerprints:
        """Read nothing."""
        return self

    def find(self, texts: Strings) -> Passages:
        """Return what is known of the passages of a batch."""
        documents = Documents(texts)
        first, keys = passages(documents.words, self.min_words)
        winnowed = winnow(documents.words, first, self.min_words)
        return Passages(documents, first, keys, winnowed.hash, winnowed.of_run)

    def batch(self, number: int, rows: Numbers, texts: Strings) -> Keys:
        """Return the fingerprints of a batch."""
        return self.occurrences.divided(self.find(texts).fingerprints, np.zeros(0, np.uint32))

    def finish(self, results: Iterable[Keys]) -> int:
        """Write the fingerprints of the part."""
        return self.occurrences.write(self.part, results)


@dataclass(frozen=True, eq=False)
class Passages:
    """Passages of a batch: those of document d are `first[d]:first[d + 1]`; see `curate.kernels.passages`."""

    documents: Documents
    first: Numbers
    keys: U64
    fingerprints: U64
    of_run: Numbers


@dataclass(frozen=True, eq=False)
class PassageKeys:
    """The second pass over a part: `ranks` uint32 say how good its `chosen` documents are, 0 the best."""

    part: str
    chosen: Numbers
    ranks: U32
    fingerprints: Fingerprints
    occurrences: Occurrences
    shared: Flags | None = None

    def begin(self, number: int) -> PassageKeys:
        """Read the flags of the fingerprints of the part."""
        return replace(self, shared=self.fingerprints.occurrences.flags(self.part, number))

    def find(self, number: int, texts: Strings) -> tuple[Passages, Numbers]:
        """Return the passages of a batch, and which of them may stand somewhere else."""
        found = self.fingerprints.find(texts)
        assert self.shared is not None
        shared = self.shared.of(number, found.fingerprints)
        return found, np.flatnonzero(shared[found.of_run])

    def batch(self, number: int, rows: Numbers, texts: Strings) -> Keys:
        """Return the keys of a batch."""
        found, maybe = self.find(number, texts)
        ranks = self.ranks[np.searchsorted(self.chosen, rows)]
        return self.occurrences.divided(found.keys[maybe], np.repeat(ranks, np.diff(found.first))[maybe])

    def finish(self, results: Iterable[Keys]) -> int:
        """Write the keys of the part."""
        return self.occurrences.write(self.part, results)


@dataclass(frozen=True, eq=False)
class PassageCuts:
    """The third pass over a part: cuts the passages that were flagged, or drops the document."""

    keys: PassageKeys
    trimmer: Trimmer
    drop_at: float
    frequent: Frequent
    dropped: PartTrimmed  # documents that an earlier count dropped, with what was cut from them
    flags: Flags | None = None

    def begin(self, number: int) -> PassageCuts:
        """Read the flags of the part."""
        return replace(self, keys=self.keys.begin(number), flags=self.keys.occurrences.flags(self.keys.part, number))

    def batch(self, number: int, rows: Numbers, texts: Strings) -> PartTrimmed:
        """Return what is cut from the documents of a batch."""
        passages, maybe = self.keys.find(number, texts)
        strings, words, first = passages.documents.strings, passages.documents.words, passages.first
        flags = np.zeros(len(passages.keys), np.uint8)
        assert self.flags is not None
        flags[maybe] = self.flags.of(number, passages.keys[maybe])
        min_words = self.keys.fingerprints.min_words
        ranges, runs, covered = coverage(strings.data, strings.offsets, words, first, flags, min_words)
        found = self.trimmer.trimmed(rows, strings, ranges, np.diff(ranges.first))
        share = covered / np.maximum(np.diff(words.first), 1)
        touched = np.diff(ranges.first) > 0
        return found.dropping(share[touched] >= self.drop_at).with_top(
            self._examples(strings, words, first, passages.keys, ranges, runs)
        )

    def finish(self, results: Iterable[PartTrimmed]) -> Summary:
        """Write the cuts of the part."""
        return self.trimmer.finish([self.dropped, *results])

    def _examples(self, texts: Strings, words: Words, first: Numbers, keys: U64, ranges: Ranges, runs: Numbers) -> Top:
        """Return, by hash of their first passage, the spans of the batch that start with a frequent one."""
        found: Top = {}
        for at in np.flatnonzero(np.isin(keys[runs], self.frequent.keys)).tolist():
            document = int(np.searchsorted(first, runs[at], side="right")) - 1
            word = words.first[document] + runs[at] - first[document]
            end = texts.offsets[document] + ranges.stop[at]
            key = int(keys[runs[at]])
            shown = texts.data[words.start[word] : min(end, np.int64(words.start[word]) + 4096)].tobytes()
            text = shown.decode(errors="ignore").rstrip()
            count, smallest = found.get(key, (0, text))
            found[key] = (count + 1, min(text, smallest))
        return found
