"""Columns of the documents of a part, and what is read of them: by tasks, a part or some small ones each.

What is looked for is said in a `Look`; where the parts are, and who looks, is the population's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.errors import RecipeError
from curate.measure.texts import Measured
from curate.shards.schema import fit
from curate.storage import Location
from curate.tables import read_table

if TYPE_CHECKING:
    import polars as pl

    from curate.decide.population import Population

Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]
Result = TypeVar("Result", covariant=True)


class Columns(Protocol):
    """The documents of one part. Picklable."""

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """Return signals, one row a document."""
        ...

    def sketches(self, names: Sequence[str]) -> pa.Table:
        """Return sketches, in the same order."""
        ...


class Look(Protocol[Result]):
    """What is taken from the columns of each part. Picklable."""

    @property
    def names(self) -> Sequence[str]:
        """The columns that are looked at."""
        ...

    def __call__(self, columns: Columns, given: Any, /) -> Result:
        """Look at one part; `given` is what was said of it."""
        ...


@dataclass(frozen=True, eq=False)
class MeasuredColumns:
    """Of documents in memory."""

    measured: Measured

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """Return signals, one row a document."""
        import polars as pl

        return pl.DataFrame(pl.from_arrow(self.measured.signals.select(list(names))))

    def sketches(self, names: Sequence[str]) -> pa.Table:
        """Return sketches, in the same order."""
        return self.measured.sketches.select(list(names))


@dataclass(frozen=True, eq=False)
class StoredColumns:
    """Of a measured shard. `metadata`: what its metadata are in the mix; in each shard they may be of another type."""

    signals_file: Location
    sketches_file: Location
    metadata: pa.Schema

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """Return signals, one row a document."""
        import polars as pl

        frame = pl.DataFrame(pl.from_arrow(read_table(self.signals_file, names)))
        metadata = pa.schema([field for field in self.metadata if field.name in names])
        if not metadata:
            return frame
        stored = read_table(self.signals_file, metadata.names)
        same = pl.DataFrame(pl.from_arrow(fit(stored, metadata, len(stored))))
        return frame.with_columns(same.get_columns())

    def sketches(self, names: Sequence[str]) -> pa.Table:
        """Return sketches, in the same order."""
        return read_table(self.sketches_file, names)


@dataclass(frozen=True, eq=False)
class MadeColumns:
    """Others, and columns made from them: one array of the documents each."""

    base: Columns
    made: Mapping[str, npt.NDArray[Any]]

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """Return signals and made columns, one row a document."""
        import polars as pl

        made = [pl.Series(name, self.made[name]) for name in names if name in self.made]
        stored = [name for name in names if name not in self.made]
        frame = self.base.frame(stored).hstack(made) if stored else pl.DataFrame(made)
        return frame.select(names)

    def sketches(self, names: Sequence[str]) -> pa.Table:
        """Return sketches, in the same order."""
        return self.base.sketches(names)


@dataclass(frozen=True)
class _Rows:
    """Takes signals of the documents at some places."""

    names: tuple[str, ...]

    def __call__(self, columns: Columns, places: Numbers) -> pl.DataFrame:
        return columns.frame(self.names)[places]


@dataclass(frozen=True)
class _Values:
    """Takes one column, signal or sketch, as an array of the documents that are kept."""

    name: str
    of: Callable[[Columns, str], npt.NDArray[Any]]
    dtype: type[np.generic] | None = None  # that they are given in; None as they are
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", (self.name,))

    def __call__(self, columns: Columns, kept: Bools) -> npt.NDArray[Any]:
        values = self.of(columns, self.name)
        values = values if kept.all() else values[kept]
        return values if self.dtype is None else values.astype(self.dtype)


def gather(population: Population, documents: Numbers, names: Sequence[str]) -> pl.DataFrame:
    """Return signals of the numbered documents (ascending), one row each."""
    import polars as pl

    found = in_order(population, _Rows(tuple(names)), places_by_part(population, documents))
    return pl.concat(found, how="vertical_relaxed") if found else population.columns(0).frame(names).clear()


def sketch_column(population: Population, keep: Bools, name: str) -> npt.NDArray[Any]:
    """Return one sketch column of the documents where `keep` is true."""
    return _column(population, keep, _Values(name, _sketch))


def signal_column(
    population: Population, keep: Bools, name: str, dtype: type[np.generic] | None = None
) -> npt.NDArray[Any]:
    """Return one numeric signal of the documents where `keep` is true; null becomes NaN in a float column."""
    return _column(population, keep, _Values(name, _signal, dtype))


def exact_hashes(population: Population, keep: Bools) -> U64:
    """Return uint64 (kept, 2): the 128-bit text hashes of the documents where `keep` is true."""
    return hash_column(population, keep, "exact")


def hash_column(population: Population, keep: Bools, name: str) -> U64:
    """Return a sketch column of 128-bit hashes, uint64 (kept, 2); 0 and 0 for null."""
    return _column(population, keep, _Values(name, _hashes)).reshape(-1, 2).astype(np.uint64, copy=False)


def nullable_column(population: Population, keep: Bools, name: str) -> tuple[U64, Bools]:
    """Return a sketch column of whole numbers, uint64 (kept,) with 0 for null, and where there is one."""
    found = _column(population, keep, _Values(name, _zero_for_null))
    return found.astype(np.uint64), found != 0


def _signal(columns: Columns, name: str) -> npt.NDArray[Any]:
    return columns.frame([name]).to_series().to_numpy()


def _sketch(columns: Columns, name: str) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = columns.sketches([name]).column(0).to_numpy()
    return values


def _zero_for_null(columns: Columns, name: str) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = columns.sketches([name]).column(0).fill_null(0).to_numpy()
    return values


def _hashes(columns: Columns, name: str) -> npt.NDArray[Any]:
    column = columns.sketches([name]).column(0).combine_chunks()
    if column.null_count:
        column = column.fill_null(bytes(16))
    stored = column.buffers()[1]
    whole = np.zeros((0, 2), np.uint64) if stored is None else np.frombuffer(stored, np.uint64).reshape(-1, 2)
    return whole[column.offset : column.offset + len(column)]


def _column(population: Population, keep: Bools, values: _Values) -> npt.NDArray[Any]:
    """Return a column of the documents where `keep` is true; of the type of the first part where there are none."""
    parts = kept_by_part(population, keep)
    if not population.sizes:
        return np.zeros(0)
    if not parts:
        return values(population.columns(0), np.zeros(population.sizes[0], np.bool_))
    ends = dict(zip(parts, np.cumsum([np.count_nonzero(kept) for kept in parts.values()]).tolist(), strict=True))
    whole: npt.NDArray[Any] | None = None  # filled as parts come: to keep all and join them would take twice the memory
    for part, found in population.look(values, parts):
        if whole is None:
            whole = np.empty((max(ends.values()), *found.shape[1:]), found.dtype)
        elif found.dtype != whole.dtype:
            whole = whole.astype(np.result_type(whole, found))
        whole[ends[part] - len(found) : ends[part]] = found
    assert whole is not None
    return whole


def every_part(population: Population) -> dict[int, None]:
    """Return all parts, of which nothing is said."""
    return dict.fromkeys(range(len(population.sizes)))


def kept_by_part(population: Population, keep: Bools) -> dict[int, Bools]:
    """Return of each part that has such documents which of its documents are those where `keep` is true."""
    windows = np.split(keep, np.cumsum(population.sizes)[:-1])
    return {part: window for part, window in enumerate(windows) if window.any()}


def places_by_part(population: Population, documents: Numbers) -> dict[int, Numbers]:
    """Return of each part that has such documents the places in it of the numbered documents (ascending)."""
    begin = np.concatenate([[0], np.cumsum(population.sizes)]).astype(np.int64)
    cuts = np.searchsorted(documents, begin)
    return {
        part: documents[cuts[part] : cuts[part + 1]] - begin[part]
        for part in range(len(population.sizes))
        if cuts[part + 1] > cuts[part]
    }


def in_order(population: Population, look: Look[Result], parts: Mapping[int, Any]) -> list[Result]:
    """Return what a look finds in some parts, in their order."""
    found = dict(population.look(look, parts))
    return [found[part] for part in sorted(found)]


def numeric(name: str, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return a column as float64; RecipeError, naming the step, when it holds something else than numbers."""
    if values.dtype.kind not in "biuf":
        if all(value is None for value in values):
            return np.full(len(values), np.nan)
        raise RecipeError(f'"{name}": documents can only be ranked by a column of numbers')
    return values.astype(np.float64)
