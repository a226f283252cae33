"""Two passes over the texts for runs of words that stand in several places: their hashes out, then the cuts.

Which copy stays was decided between the passes, by `curate.dedup.occurrences`. After Lee et al. 2022,
"Deduplicating Training Data Makes Language Models Better", section 4.1, with hashed runs for a suffix array.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings
from curate.dedup.occurrences import Frequent, Keys, Occurrences
from curate.dedup.trimmed import PartTrimmed, Top, Trimmer
from curate.kernels.passages import coverage, passages
from curate.kernels.text_lines import Ranges
from curate.kernels.words import Words
from curate.signals.documents import Documents

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PassageKeys:
    """The first pass over a part: `ranks` uint32 say how good its `chosen` documents are, 0 the best."""

    part: str
    chosen: Numbers
    ranks: U32
    min_words: int
    occurrences: Occurrences

    def find(self, texts: Strings) -> tuple[Documents, Numbers, U64]:
        """Return the documents of a batch, the first passage of each, and the hashes of all passages."""
        documents = Documents(texts)
        return (documents, *passages(documents.words, self.min_words))

    def batch(self, number: int, rows: Numbers, texts: Strings) -> Keys:
        """Return the keys of a batch."""
        _, first, keys = self.find(texts)
        ranks = self.ranks[np.searchsorted(self.chosen, rows)]
        return self.occurrences.divided(keys, np.repeat(ranks, np.diff(first)))

    def finish(self, results: Iterable[Keys]) -> int:
        """Write the keys of the part."""
        return self.occurrences.write(self.part, results)


@dataclass(frozen=True, eq=False)
class PassageCuts:
    """The last pass over a part: cuts the passages that were flagged, or drops the document."""

    keys: PassageKeys
    trimmer: Trimmer
    drop_at: float
    frequent: Frequent
    dropped: PartTrimmed  # documents that an earlier count dropped, with what was cut from them

    def batch(self, number: int, rows: Numbers, texts: Strings) -> PartTrimmed:
        """Return what is cut from the documents of a batch."""
        documents, first, keys = self.keys.find(texts)
        flags = self.keys.occurrences.flags_of(self.keys.part, number, keys)
        strings, words = documents.strings, documents.words
        ranges, runs, covered = coverage(strings.data, strings.offsets, words, first, flags, self.keys.min_words)
        found = self.trimmer.trimmed(rows, strings, ranges, np.diff(ranges.first))
        share = covered / np.maximum(np.diff(words.first), 1)
        touched = np.diff(ranges.first) > 0
        return found.dropping(share[touched] >= self.drop_at).with_top(
            self._examples(strings, words, first, keys, ranges, runs)
        )

    def finish(self, results: Iterable[PartTrimmed]) -> PartTrimmed:
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
            count, text = found.get(key, (0, shown.decode(errors="ignore").rstrip()))
            found[key] = (count + 1, text)
        return found
