"""What a pass that cuts texts finds in a batch, and in a part: the cuts, the sizes after them, examples.

Which text is cut is decided by the passes themselves, `curate.dedup.lines` and `curate.dedup.substrings`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.decide.cuts import SIZES, Cuts, as_lists, composed, cut, cuts_file, ranges_of
from curate.kernels.text_lines import Ranges
from curate.measure.texts import sizes
from curate.storage import Location

Numbers = npt.NDArray[np.int64]
Top = dict[int, tuple[int, str]]  # by hash: how many copies, the text

TEXT_SHOWN = 200  # characters of an example


@dataclass(frozen=True)
class PartTrimmed:
    """What a pass did to a batch or a part: cuts of the documents that it touched, and how many units went of each.

    `removed` int64 (n,) goes with the rows of `cuts`.
    """

    cuts: Cuts = field(default_factory=Cuts)
    removed: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    top: Top = field(default_factory=dict)

    def take(self, keep: npt.NDArray[np.bool_]) -> PartTrimmed:
        """Return what was done to some of the documents, without examples."""
        return PartTrimmed(self.cuts.take(keep), self.removed[keep])

    def dropping(self, documents: npt.NDArray[np.bool_]) -> PartTrimmed:
        """Return the same with some of its documents dropped."""
        return dataclasses.replace(self, cuts=dataclasses.replace(self.cuts, dropped=self.cuts.dropped | documents))

    def with_top(self, top: Top) -> PartTrimmed:
        """Return the same with examples."""
        return dataclasses.replace(self, top={key: (n, text[:TEXT_SHOWN]) for key, (n, text) in top.items()})


@dataclass(frozen=True)
class Summary:
    """What a step did to a part: units cut from documents that stay, examples, and the documents that it dropped."""

    removed: int
    top: Top
    dropped: PartTrimmed


@dataclass(frozen=True)
class Trimmer:
    """Turns ranges into cuts of a part: joined with those of an `earlier` step, with the sizes of what is left."""

    part: str
    folder: Location
    earlier: Location | None
    tokenizer: str | None

    def trimmed(self, rows: Numbers, texts: Strings, ranges: Ranges, removed: Numbers) -> PartTrimmed:
        """Return the cuts of those documents of a batch that lose something; ranges count in `texts`."""
        touched = np.flatnonzero(np.diff(ranges.first))
        some = ranges_of(as_lists(ranges).take(pa.array(touched)))
        left = cut(as_strings(to_array(texts).take(pa.array(touched))), some)
        cuts = Cuts(rows[touched], some, sizes(left, self.tokenizer, SIZES), np.zeros(len(touched), np.bool_))
        return PartTrimmed(cuts, removed[touched])

    def finish(self, results: Iterable[PartTrimmed]) -> Summary:
        """Write the cuts of the part, together with earlier ones; say what this step did alone."""
        found = list(results)
        alone = joined([result.cuts for result in found])
        earlier = Cuts.of_step(self.earlier, self.part).staying()
        both = dataclasses.replace(alone, ranges=composed(earlier.of_rows(alone.rows), alone.ranges))
        others = earlier.take(~np.isin(earlier.rows, alone.rows))
        joined([both, others]).write(cuts_file(self.folder, self.part))
        removed = sum(int(result.removed[~result.cuts.dropped].sum()) for result in found)
        dropped = [result.take(result.cuts.dropped) for result in found]
        gone = PartTrimmed(
            joined([result.cuts for result in dropped]),
            np.concatenate([np.zeros(0, np.int64), *(result.removed for result in dropped)]),
        )
        return Summary(removed, merged(result.top for result in found), gone)


def joined(several: list[Cuts]) -> Cuts:
    """Put the cuts of different documents together, in the order of the documents."""
    several = several or [Cuts()]
    rows = np.concatenate([cuts.rows for cuts in several])
    order = np.argsort(rows, kind="stable")
    lists = pa.concat_arrays([as_lists(cuts.ranges) for cuts in several]).take(pa.array(order))
    return Cuts(
        rows[order],
        ranges_of(lists),
        np.concatenate([cuts.sizes for cuts in several])[order],
        np.concatenate([cuts.dropped for cuts in several])[order],
    )


def merged(tops: Iterable[Top]) -> Top:
    """Add up examples; of the texts of one key the first in the alphabet is shown."""
    total: Top = {}
    for top in tops:
        for key, (count, text) in top.items():
            before, shown = total.get(key, (0, text))
            total[key] = (before + count, min(shown, text))
    return total
