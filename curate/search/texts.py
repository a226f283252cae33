"""The texts that a search for shares trains on: a sample of each class of a run, without copies of references.

A class must not win by holding the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.audit.leaks import LeakFinder
from curate.decide.columns import signal_column
from curate.decide.cuts import final_bytes
from curate.decide.population import starts
from curate.mix.classes import Classes
from curate.mix.remix import Reached, cuts_folder

if TYPE_CHECKING:
    from curate.run import Run

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Collect:
    """Keeps the texts that it is shown."""

    def begin(self, number: int) -> _Collect:
        """Read nothing."""
        return self

    def batch(self, number: int, rows: Numbers, texts: Strings) -> pa.Array:
        return to_array(texts)

    def finish(self, results: Iterable[pa.Array]) -> pa.Array:
        return pa.concat_arrays([pa.array([], pa.large_string()), *results])


def class_texts(run: Run, reached: Reached, classes: Classes, names: Sequence[str], nbytes: int) -> dict[str, Strings]:
    """Return about `nbytes` of text of each class, or all that it holds: documents drawn by their number.

    Texts are as the mix has them, cleaned and trimmed; documents that steps dropped are not among them.
    """
    population = reached.population
    sizes = np.concatenate([final_bytes(run, shard) for shard in population.shards])
    doc = np.zeros(len(sizes), np.uint64)
    doc[reached.alive] = signal_column(reached.trimmed, reached.alive, "doc")
    drawn = np.full(len(sizes), -1, np.int64)
    for place, name in enumerate(names):
        members = np.flatnonzero(reached.alive & (classes.codes == classes.names.index(name)))
        members = members[np.argsort(doc[members], kind="stable")]
        before = np.cumsum(sizes[members]) - sizes[members]
        drawn[members[before < nbytes]] = place
    begin = starts(population)
    chosen = [np.flatnonzero(drawn[low:high] >= 0) for low, high in pairwise(begin)]
    found: list[pa.Array] = [pa.array([], pa.large_string())] * len(chosen)
    for part, texts in population.texts.visit(chosen, [_Collect()] * len(chosen), cuts_folder(run)):
        found[part] = texts
    texts, of = pa.concat_arrays(found), drawn[drawn >= 0]
    return {name: as_strings(texts.filter(pa.array(of == place))) for place, name in enumerate(names)}


def without_copies(
    samples: Mapping[str, Strings], references: Sequence[Strings]
) -> tuple[dict[str, Strings], dict[str, int]]:
    """Leave out of samples what leaks a reference (`curate.audit.leaks`); also return how many each had."""
    finder = LeakFinder(references)
    found = {name: finder.without_leaks(texts) for name, texts in samples.items()}
    return {name: texts for name, (texts, _) in found.items()}, {name: count for name, (_, count) in found.items()}
