"""Band keys and hashes of a population's documents, as linking wants them: piece by piece, or some columns at once.

Links nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.columns import Columns, in_order, kept_by_part
from curate.dedup.clusters import Pieces, keys_within

if TYPE_CHECKING:
    from curate.decide.population import Population

Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """What documents are linked by: the keys of a band, a hash of 128 bits, or what short documents are compared by.

    `name` is the sketch column. Picklable.
    """

    kind: Literal["band", "hash", "short"]
    name: str

    @property
    def wide(self) -> bool:
        """Whether a key has 128 bits."""
        return self.kind == "hash"

    @property
    def names(self) -> list[str]:
        """The sketch columns that it is made from."""
        return [self.name, "short"] if self.kind == "band" else [self.name]

    def of(self, table: pa.Table, kept: Bools) -> U64 | tuple[U64, U64]:
        """Return the keys of the documents where `kept` is true, uint64 or a pair of halves; 0 links to nothing.

        Documents too short for a shingle have no band key: what becomes of them is not decided by bands.
        """
        if self.kind == "short":
            keys: U64 = table.column(0).fill_null(0).to_numpy()[kept].astype(np.uint64, copy=False)
            return keys
        if self.kind == "band":
            keys = table.column(0).to_numpy()[kept].astype(np.uint64, copy=False)
            short = table.column(1)
            return keys if short.null_count == len(short) else np.where(short.is_valid().to_numpy()[kept], 0, keys)
        column = table.column(0).combine_chunks()
        there = column.is_valid().to_numpy(zero_copy_only=False)[kept]
        both = halves(column)[kept]
        # Key 0 links to nothing, but the hash of no text is 0, and texts without text are equal.
        return np.where(there, np.maximum(both[:, 0], np.uint64(1)), np.uint64(0)), both[:, 1]

    def within(self, keys: U64 | tuple[U64, U64], groups: U64 | None) -> U64 | tuple[U64, U64]:
        """Make keys of documents in different `groups`, one a document, differ."""
        if groups is None:
            return keys
        return (keys_within(keys[0], groups), keys[1]) if isinstance(keys, tuple) else keys_within(keys, groups)


def band_columns(number: int) -> list[KeyColumn]:
    """Return the columns of so many bands."""
    return [KeyColumn("band", f"band_{band}") for band in range(number)]


def hash_of(name: str) -> KeyColumn:
    """Return the column of a hash of 128 bits, such as "exact"."""
    return KeyColumn("hash", name)


SHORT = KeyColumn("short", "short")


def key_pieces(population: Population, keep: Bools, column: KeyColumn, groups: U64 | None = None) -> Pieces:
    """Return the keys of the documents where `keep` is true; `groups` uint64 (kept,) keeps scopes apart."""

    def pieces() -> Iterator[U64 | tuple[U64, U64]]:
        for table, kept, window in _parts(population, keep, column.names):
            yield column.within(column.of(table, kept), None if groups is None else groups[window])

    return pieces


def key_columns(
    population: Population, keep: Bools, columns: Sequence[KeyColumn], groups: U64 | None, memory: int
) -> list[Pieces]:
    """Return several columns of keys; see `key_pieces`.

    As many are read at once as `memory` bytes hold, one at least: each part is opened once for all of these.
    """
    size = int(np.count_nonzero(keep)) * (16 if any(column.wide for column in columns) else 8)
    at_once = min(memory // max(size, 1), len(columns))
    if at_once < 2:
        return [key_pieces(population, keep, column, groups) for column in columns]
    held: dict[int, list[list[U64 | tuple[U64, U64]]]] = {}

    def pieces(number: int) -> Iterator[U64 | tuple[U64, U64]]:
        turn, place = divmod(number, at_once)
        if turn not in held:
            held.clear()
            held[turn] = _read(population, keep, columns[turn * at_once : (turn + 1) * at_once], groups)
        return (of_part[place] for of_part in held[turn])

    return [partial(pieces, number) for number in range(len(columns))]


def _read(
    population: Population, keep: Bools, columns: Sequence[KeyColumn], groups: U64 | None
) -> list[list[U64 | tuple[U64, U64]]]:
    """Return the keys of each part that has documents to keep, by column."""
    kept = kept_by_part(population, keep)
    ends = np.cumsum([np.count_nonzero(window) for window in kept.values()])
    scopes = [None] * len(ends) if groups is None else np.split(groups, ends[:-1])
    given = dict(zip(kept, zip(kept.values(), scopes, strict=True), strict=True))
    return in_order(population, _Keys(tuple(columns)), given)


@dataclass(frozen=True)
class _Keys:
    """Takes the keys of documents that are kept, by column; of different groups, where there are some, they differ."""

    columns: tuple[KeyColumn, ...]

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(name for column in self.columns for name in column.names))

    def __call__(self, columns: Columns, given: tuple[Bools, U64 | None]) -> list[U64 | tuple[U64, U64]]:
        kept, groups = given
        table = columns.sketches(self.names)
        return [column.within(column.of(table.select(column.names), kept), groups) for column in self.columns]


def short_documents(population: Population, keep: Bools) -> tuple[npt.NDArray[np.int64], U64]:
    """Return which of the documents where `keep` is true are too short for a shingle (places), and their keys."""
    places, found = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for table, kept, window in _parts(population, keep, ["short"]):
        keys = table.column(0).fill_null(0).to_numpy()[kept]
        places.append(np.flatnonzero(keys) + window.start)
        found.append(keys[keys != 0].astype(np.uint64))
    return np.concatenate(places), np.concatenate(found)


def halves(column: pa.Array) -> U64:
    """Return a column of 128-bit hashes as uint64 (n, 2); what a null holds is anything."""
    stored = column.buffers()[1]
    whole = np.zeros((0, 2), np.uint64) if stored is None else np.frombuffer(stored, np.uint64).reshape(-1, 2)
    return whole[column.offset : column.offset + len(column)]


def _parts(population: Population, keep: Bools, names: list[str]) -> Iterator[tuple[pa.Table, Bools, slice]]:
    """Yield (columns, where they are kept, which of all kept documents they are) of each part that keeps some."""
    begin = first = 0
    for part, size in enumerate(population.sizes):
        kept = keep[begin : begin + size]
        count = int(np.count_nonzero(kept))
        if count:
            yield population.columns(part).sketches(names), kept, slice(first, first + count)
        begin, first = begin + size, first + count
