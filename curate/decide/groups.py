"""Groups of documents: equal values of some columns, as one hash a document.

Says nothing of what is done inside a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curate.decide.columns import Columns, in_order, kept_by_part
from curate.decide.population import Population
from curate.errors import RecipeError
from curate.kernels.hashing import murmur3

if TYPE_CHECKING:
    import polars as pl

Bools = npt.NDArray[np.bool_]


def group_keys(population: Population, alive: Bools, columns: Sequence[str]) -> npt.NDArray[np.uint64] | None:
    """Return a hash of the values of `columns` for each living document; None without columns."""
    if not columns:
        return None
    found = in_order(population, _Keys(tuple(columns)), kept_by_part(population, alive))
    return np.concatenate([np.zeros(0, np.uint64), *found])


@dataclass(frozen=True)
class _Keys:
    """Hashes the values of columns, of the documents that are kept."""

    names: tuple[str, ...]

    def __call__(self, columns: Columns, kept: Bools) -> npt.NDArray[np.uint64]:
        import polars as pl

        frame = columns.frame(self.names).filter(pl.Series(kept))
        # Each value with its length, and null as what no value is, so that no two groups can look alike.
        parts = [
            pl.when(pl.Series(frame[name].is_null()))
            .then(pl.lit("-"))
            .otherwise(pl.concat_str(text.str.len_bytes().cast(pl.String), pl.lit(":"), text))
            for name in self.names
            for text in [as_text(frame[name])]
        ]
        return murmur3_of(pl.select(pl.concat_str(parts)).to_series())


def as_text(values: pl.Series, null: str = "") -> pl.Series:
    """Return a column as strings; RecipeError for lists and objects, which name no group."""
    import polars as pl

    if values.dtype.is_nested():
        raise RecipeError(f'documents cannot be grouped by the column "{values.name}": it holds {values.dtype}')
    return values.cast(pl.String).fill_null(null)


def murmur3_of(values: pl.Series) -> npt.NDArray[np.uint64]:
    """Return the low 64 bits of the MurmurHash3 of each string."""
    from classifiers.arrow import as_strings

    return murmur3(as_strings(values))[:, 0]
