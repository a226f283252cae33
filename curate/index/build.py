"""Segments are made here: of the kept documents of a run, or of another segment without some of its documents.

Does not touch the manifest: a segment that was half written is in no index.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from curate.decide.columns import gather
from curate.decide.groups import group_keys
from curate.decide.population import Population
from curate.dedup.clusters import Pieces
from curate.dedup.keys import SHORT, band_columns, hash_of, key_pieces
from curate.index.manifest import Parameters
from curate.index.segment import SETS, Segment, write_documents
from curate.index.sets import Sets, mask, shingle_counts, shingle_stretches, signature_stretches, stretches
from curate.index.sorted_keys import SortedKeys, sorted_rows, write_sorted
from curate.kernels.shingling import Shingling

I64 = npt.NDArray[np.int64]

_ROWS_AT_A_TIME = 1 << 16


def build_segment(population: Population, kept: I64, parameters: Parameters, folder: Path, memory: int) -> Segment:
    """Write the segment of the documents `kept` (ascending numbers) into an empty folder."""
    segment = Segment(folder)
    chosen = mask(population, kept)
    for number, (low, high, sets) in enumerate(_with_sets(population, kept, parameters, memory)):
        write_documents(segment.documents_file(number), _tables(population, kept, low, high, sets))
    groups = group_keys(population, chosen, parameters.exact_within)
    _write_keys(folder / "exact.parquet", [key_pieces(population, chosen, hash_of("exact"), groups)], len(kept), memory)
    groups = group_keys(population, chosen, parameters.minhash_within)
    named = [*band_columns(parameters.bands), SHORT] if parameters.bands else []
    columns = [key_pieces(population, chosen, column, groups) for column in named]
    _write_keys(folder / "keys.parquet", columns, len(kept), memory)
    return segment


def _with_sets(
    population: Population, kept: I64, parameters: Parameters, memory: int
) -> Iterator[tuple[int, int, pa.Array | None]]:
    """Yield (low, high, column of shingles or signatures) of stretches of the documents; at least one."""
    if not parameters.minhash or not len(kept):
        yield 0, len(kept), None
        return
    minhash = dict(parameters.minhash)
    made: Iterator[Sets]
    if parameters.signatures_only:
        width = minhash["bands"] * minhash["rows"]
        cuts = stretches(np.full(len(kept), 4 * width), memory // 8)
        for low, high, values, _ in signature_stretches(population, kept, cuts):
            yield low, high, pa.FixedSizeListArray.from_arrays(pa.array(values, pa.uint32()), width)
        return
    cuts = stretches(4 * shingle_counts(population, kept).astype(np.int64) + 64, memory // 8)
    made = shingle_stretches(population, kept, Shingling(**{name: minhash[name] for name in Shingling._fields}), cuts)
    for low, high, values, offsets in made:
        yield low, high, pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(values, pa.uint32()))


def _tables(population: Population, kept: I64, low: int, high: int, sets: pa.Array | None) -> Iterator[pa.Table]:
    """Yield documents `kept[low:high]` as tables: who they are, and their sets."""
    for begin in range(low, max(high, low + 1), _ROWS_AT_A_TIME):
        some = kept[begin : min(begin + _ROWS_AT_A_TIME, high)]
        facts = gather(population, some, ["doc", "id", "source"]).select("doc", pl.col("id", "source").cast(pl.String))
        table = facts.to_arrow()
        if sets is not None:
            name = SETS[pa.types.is_fixed_size_list(sets.type)]
            table = table.append_column(name, sets.slice(begin - low, len(some)))
        yield table


def _write_keys(path: Path, columns: Sequence[Pieces], n: int, memory: int) -> None:
    """Write the keys of documents numbered from 0 on in ascending order."""
    width = 3 if path.name.startswith("exact") else 2
    with tempfile.TemporaryDirectory(dir=path.parent) as place:
        write_sorted(path, sorted_rows(columns, n, memory, Path(place)), width)


def without(segment: Segment, source: str, folder: Path) -> Segment:
    """Write a segment without the documents of a source into an empty folder."""
    smaller = Segment(folder)
    keep: list[npt.NDArray[np.bool_]] = []

    def rest() -> Iterator[pa.Table]:
        for table in segment.groups():
            keep.append(table["source"].to_numpy(zero_copy_only=False) != source)
            yield table.filter(pa.array(keep[-1]))

    write_documents(smaller.documents_file(0), rest())
    kept = np.concatenate(keep)
    numbers = np.cumsum(kept) - 1

    def renumbered(keys: SortedKeys) -> Iterator[I64]:
        for rows in keys.all():
            rows = rows[kept[rows[:, 1]]]
            rows[:, 1] = numbers[rows[:, 1]]
            yield rows

    write_sorted(folder / "exact.parquet", renumbered(segment.exact), 3)
    write_sorted(folder / "keys.parquet", renumbered(segment.keys), 2)
    return smaller
