"""The texts that a search for shares reads: a sample of each class of a run, and reference texts.

Near-copies of reference texts are left out of the samples: a class must not win by holding the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.decide.cuts import final_bytes
from curate.decide.population import signal_column, starts
from curate.decide.stage import decide
from curate.errors import InputError
from curate.kernels.hashing import text_hash
from curate.mix.classes import Classes
from curate.mix.remix import Reached, cuts_folder
from curate.recipe import Recipe
from curate.shards import ReadOptions, plan, read
from curate.text import clean

if TYPE_CHECKING:
    from curate.run import Run

Numbers = npt.NDArray[np.int64]

# Half of the 5-grams of words in common is more alike than two texts come to be by themselves.
_COPIES = """
[[steps]]
dedup = "exact"
priority = ["reference", "sample"]
[[steps]]
dedup = "minhash"
find = 0.95
at = 0.5
verify = 0.5
priority = ["reference", "sample"]
"""
_REFERENCE, _SAMPLE = "reference", "sample"


@dataclass(frozen=True)
class _Collect:
    """Keeps the texts that it is shown."""

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


def reference_texts(inputs: Sequence[str], cleaners: Sequence[str], nbytes: int) -> dict[str, Strings]:
    """Return about `nbytes` of text of each reference, cleaned; texts are drawn by a hash of what they say.

    `inputs` are files, directories or globs, as NAME=INPUT; those of one name are one reference.
    Raises InputError when an input cannot be read or holds no text.
    """
    found: dict[str, list[pa.Array]] = {}
    for shard in plan(list(inputs)):
        for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None):
            texts = to_array(clean(batch.texts, cleaners))
            found[shard.source] = [_drawn(pa.concat_arrays([*found.get(shard.source, []), texts]), nbytes)]
    for name, kept in found.items():
        if not as_strings(kept[0]).nbytes:
            raise InputError(f'reference "{name}" holds no text')
    return {name: as_strings(kept[0]) for name, kept in sorted(found.items())}


def _drawn(texts: pa.Array, nbytes: int) -> pa.Array:
    """Return texts of different content in the order of their hashes, until they hold so many bytes."""
    strings = as_strings(texts)
    _, order = np.unique(text_hash(strings)[:, 0], return_index=True)
    sizes = np.diff(strings.offsets)[order]
    return texts.take(pa.array(order[(np.cumsum(sizes) - sizes < nbytes) & (sizes > 0)]))


def without_copies(
    samples: Mapping[str, Strings], references: Mapping[str, Strings]
) -> tuple[dict[str, Strings], dict[str, int]]:
    """Leave out of samples what is a copy or a near-copy of a reference text; also return how many each had.

    Near is a Jaccard similarity of 0.5 over 5-grams of words, or an exact copy where a text has fewer words.
    """
    kept, left_out = {}, {}
    given = pa.concat_arrays([to_array(texts) for texts in references.values()])
    ids = [f"{_REFERENCE}-{n}" for n in range(len(given))]
    for name, texts in samples.items():
        frame = pl.DataFrame(
            {
                "text": pl.Series(pl.from_arrow(pa.concat_arrays([given, to_array(texts)]))),
                "id": ids + [f"{_SAMPLE}-{n}" for n in range(len(texts))],
                "source": [_REFERENCE] * len(given) + [_SAMPLE] * len(texts),
            }
        )
        decided = decide(frame, Recipe.parse(_COPIES, "copies of references"))
        copy = decided["survivor"].str.starts_with(_REFERENCE).fill_null(False)[len(given) :]
        left_out[name] = int(copy.sum())
        kept[name] = as_strings(to_array(texts).filter((~copy).to_arrow()))
    return kept, left_out
