"""What each kind of step does to the documents still alive: filter, dedup, top, and the sampling of the mix.

Works on columns of a Population, never on text. The order of steps and what is written are `decide`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curate.dedup.clusters import candidate_clusters, exact_clusters, keys_within
from curate.dedup.survivors import best_of_clusters, verify
from curate.errors import RecipeError
from curate.kernels.hashing import murmur3
from curate.population import Population, Wanted, exact_hashes, gather, numeric, signal_column, sketch_column, starts
from curate.predicates import columns_of, expression, thresholds
from curate.recipe import Dedup, Filter, Recipe, Top

if TYPE_CHECKING:
    import polars as pl

    from curate.index import Match

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

ALIVE = -1
PARTITION_BYTES = 256 << 20  # of shingles that are verified at a time: what verification needs of memory


@dataclass
class Duplicates:
    """What a dedup step found, for the documents that it dropped: int64 numbers and float32 similarities."""

    dropped: Numbers
    survivor: Numbers
    similarity: npt.NDArray[np.float32]
    candidates: int = 0  # documents that shared a hash or a band with a better one
    spared: int = 0  # of these, kept because they are not similar enough


@dataclass
class Standing:
    """Where every document stands: all arrays have one entry a document.

    `dropped_by` int16: index of the step that dropped it, or ALIVE. `failed` bool (n, filters): filters that it
    does not meet, alive or not. `tokens` int64. `duplicates`: one entry a dedup step that has run; `known`: what
    the step dropped for documents of an index.
    """

    dropped_by: npt.NDArray[np.int16]
    failed: Bools
    tokens: Numbers
    duplicates: dict[str, Duplicates] = field(default_factory=dict)
    known: dict[str, Match] = field(default_factory=dict)

    @property
    def alive(self) -> Bools:
        """Documents that no step has dropped."""
        alive: Bools = self.dropped_by == ALIVE
        return alive

    def drop(self, documents: Numbers | Bools, step: int) -> None:
        """Drop documents that are alive."""
        self.dropped_by[documents] = step


def evaluate(name: str, sql: str, frame: pl.DataFrame) -> Bools:
    """Return where a predicate is true; null counts as false. RecipeError when it does not fit the columns."""
    import polars as pl

    frame = frame.select(columns_of(sql))
    for column, operator, number in thresholds(sql):
        if column in frame.columns and frame[column].dtype == pl.String:
            raise RecipeError(
                f'"{name}": `{column} {operator} {number:g}` compares a number with text: some values of {column} in '
                f"the inputs are strings; write CAST({column} AS DOUBLE) {operator} {number:g}"
            )
    try:
        met = frame.select(expression(sql).alias("met")).to_series()
        if met.dtype != pl.Boolean:
            raise RecipeError(f'"{name}": the predicate `{sql}` gives {met.dtype}, not true or false')
        if len(met) != len(frame):
            raise RecipeError(f'"{name}": the predicate `{sql}` must give one answer a document')
    except pl.exceptions.PolarsError as error:
        types = ", ".join(f"{column} {dtype}" for column, dtype in frame.schema.items())
        raise RecipeError(f'"{name}": cannot evaluate `{sql}` on {types}: {str(error).splitlines()[0]}') from None
    answer: Bools = met.fill_null(False).to_numpy()
    return answer


def failed_filters(population: Population, filters: Sequence[Filter]) -> Bools:
    """Return bool (n, filters): which filters each document fails, whatever dropped it first."""
    begin = starts(population)
    failed = np.zeros((begin[-1], len(filters)), np.bool_)
    columns = sorted({column for step in filters for column in step.columns})
    if not filters:
        return failed
    for part, size in enumerate(population.sizes):
        frame = population.frame(part, columns)
        for number, step in enumerate(filters):
            fails = ~evaluate(step.name, step.sql, frame)
            if step.where:
                fails &= evaluate(step.name, step.where, frame)
            failed[begin[part] : begin[part] + size, number] = fails
    return failed


def group_keys(population: Population, alive: Bools, columns: Sequence[str]) -> npt.NDArray[np.uint64] | None:
    """Return a hash of the values of `columns` for each living document; None without columns."""
    import polars as pl

    if not columns:
        return None
    frame = gather(population, np.flatnonzero(alive), list(columns))
    text = pl.concat_str([as_text(frame[column]) for column in columns], separator="\x1f")
    values = frame.select(text).to_series()
    keys: npt.NDArray[np.uint64] = murmur3_of(values)
    return keys


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


def keep_ranks(population: Population, documents: Numbers, step: Dedup) -> Numbers:
    """Return the position of each document in the order of the survivor policy, 0 the best.

    Ties are broken by text hash, then by document number hash, never by where a document is stored; nulls
    rank last.
    """
    columns = [name for name, _ in step.keep_order]
    frame = gather(population, documents, list(dict.fromkeys([*columns, "doc", "id", "source"])))
    everyone = np.zeros(sum(population.sizes), np.bool_)
    everyone[documents] = True
    exact = exact_hashes(population, everyone)
    import polars as pl

    frame = frame.with_columns(pl.Series("_hash", exact[:, 0]), pl.Series("_at", np.arange(len(documents))))
    by = [*columns, "_hash", "doc", "id", "source", "_at"]
    descending = [down for _, down in step.keep_order] + [False] * 5
    order = frame.sort(by, descending=descending, nulls_last=True)["_at"].to_numpy()
    ranks = np.empty(len(documents), np.int64)
    ranks[order] = np.arange(len(documents))
    return ranks


def dedup(population: Population, standing: Standing, step: Dedup) -> Duplicates:
    """Find the duplicates among the living documents and who stands for each."""
    alive = standing.alive
    numbers = np.flatnonzero(alive)
    groups = group_keys(population, alive, step.within)

    def scoped(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        return keys if groups is None else keys_within(keys, groups)

    bands = [f"band_{i}" for i in range(step.bands)] if step.method == "minhash" else []
    if step.method == "exact":
        hashes = exact_hashes(population, alive)
        low = np.maximum(hashes[:, 0], np.uint64(1))  # key 0 is not scoped, and the hash of no text is 0
        labels = exact_clusters(hashes[:, 1], scoped(low))
    else:
        labels = candidate_clusters((scoped(sketch_column(population, alive, band)) for band in bands), len(numbers))
    shared = np.bincount(labels, minlength=len(labels))[labels] > 1
    candidates = numbers[shared]
    if not len(candidates):
        return Duplicates(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    ranks = keep_ranks(population, candidates, step)
    labels = labels[shared]
    if step.method == "exact" or step.verify is None:
        survivor = best_of_clusters(labels, ranks)
        similarity = np.full(len(survivor), 1.0 if step.method == "exact" else np.nan, np.float32)
        spared = 0
    else:
        survivor, similarity, spared = _verified(
            population, candidates, labels, ranks, groups[shared] if groups is not None else None, step
        )
    gone = survivor >= 0
    clusters = len(np.unique(labels))
    return Duplicates(
        candidates[gone], candidates[survivor[gone]], similarity[gone], len(candidates) - clusters, spared
    )


def _verified(
    population: Population,
    candidates: Numbers,
    labels: npt.NDArray[np.uint32],
    ranks: Numbers,
    groups: npt.NDArray[np.uint64] | None,
    step: Dedup,
) -> tuple[Numbers, npt.NDArray[np.float32], int]:
    """Return the place of each candidate's survivor (-1: it survives), their similarity, and how many were spared."""
    chosen = np.zeros(sum(population.sizes), np.bool_)
    chosen[candidates] = True
    columns = [sketch_column(population, chosen, f"band_{i}") for i in range(step.bands)]
    keys = np.stack([keys_within(c, groups) if groups is not None else c for c in columns], axis=1)
    shingle_bytes = 4 * int(sketch_column(population, chosen, "shingles").sum())
    survivor = np.full(len(candidates), -1, np.int64)
    similarity = np.full(len(candidates), np.nan, np.float32)
    spared = 0
    partitions = 1 + shingle_bytes // PARTITION_BYTES
    for piece in population.shingles(Wanted(candidates, labels, keys), step.ngram, partitions):
        at = piece.doc.astype(np.int64)
        found = verify(labels[at], ranks[at], piece.band_keys, piece.values, piece.offsets, step.verify or 0.0)
        survivor[at] = np.where(found.survivor < 0, -1, at[found.survivor])
        similarity[at] = found.similarity
        spared += found.spared
    return survivor, similarity, spared


def outside_top(population: Population, standing: Standing, step: Top) -> Numbers:
    """Return the living documents below the best `share` of tokens, overall or in each group.

    Documents are taken from the best score down while their tokens fit into the share; ties go by document
    number hash, documents without a score come last.
    """
    alive = standing.alive
    numbers = np.flatnonzero(alive)
    if not len(numbers):
        return numbers
    score = numeric(step.name, signal_column(population, alive, step.by))
    doc = signal_column(population, alive, "doc")
    groups = group_keys(population, alive, step.within)
    groups = np.zeros(len(numbers), np.uint64) if groups is None else groups
    order = np.lexsort((doc, -np.nan_to_num(score, nan=-np.inf), groups))
    tokens = standing.tokens[numbers[order]]
    running = np.cumsum(tokens)
    first = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1]])
    size = np.diff(np.r_[first, len(order)])
    before = np.repeat(running[first] - tokens[first], size)
    total = np.repeat(np.add.reduceat(tokens, first), size)
    target = step.share * total if step.tokens is None else np.full(len(total), step.tokens)
    inside = (running - before) <= target + 0.5
    inside[first] = True  # a group keeps its best document, however long
    return np.sort(numbers[order[~inside]])


def domains(population: Population, recipe: Recipe) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Return the domain of every document as a code, and the names of the codes, sorted.

    A document is in the first of the recipe's [domains] whose predicate it meets; without [domains] its domain
    is the value of the mix's `by` column. What is left over is "other".
    """
    import polars as pl

    begin = starts(population)
    values: list[pl.Series] = []
    columns = sorted({column for _, sql in recipe.domains for column in columns_of(sql)})
    for part in range(len(population.sizes)):
        if recipe.domains and recipe.mix.by == "domain":
            frame = population.frame(part, columns)
            answer = pl.Series(["other"], dtype=pl.String).new_from_index(0, len(frame))
            for name, sql in reversed(recipe.domains):
                met = evaluate(name, sql, frame)
                answer = pl.select(pl.when(pl.Series(met)).then(pl.lit(name)).otherwise(answer)).to_series()
        else:
            answer = as_text(population.frame(part, [recipe.mix.by]).to_series(), "other")
        values.append(answer)
    names = sorted({name for series in values for name in series.unique()})
    codes = np.zeros(begin[-1], np.int32)
    for part, series in enumerate(values):
        codes[begin[part] : begin[part + 1]] = series.replace_strict(
            names, list(range(len(names))), return_dtype=pl.Int32
        )
    return codes, names
