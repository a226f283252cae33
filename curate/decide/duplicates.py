"""What a dedup step does to the documents still alive: which are duplicates, and who stands for each.

Works on columns of a Population, never on text. What is reported of a step is put together in
`curate.decide.duplicate_facts`; the algorithms are in `curate.dedup`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.decide.columns import exact_hashes, gather, sketch_column
from curate.decide.groups import group_keys
from curate.decide.population import Population
from curate.decide.shingle_tasks import Wanted
from curate.dedup.clusters import Linked, exact_clusters, keys_within
from curate.dedup.keys import KeyColumn, band_columns, hash_of, short_documents
from curate.dedup.survivors import best_of_clusters
from curate.dedup.urls import sketch_name
from curate.dedup.verification import Likeness, Verification
from curate.recipe import Dedup

if TYPE_CHECKING:
    from curate.decide.steps import Standing

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

PARTITION_BYTES = 256 << 20  # of shingles that are verified at a time, where the memory allows it
VERIFYING = 8  # part of the memory of a task that one partition of verification may take


@dataclass
class Short:
    """Documents with fewer words than a shingle: how many there were, and how many of them the step dropped."""

    documents: int = 0
    dropped: int = 0


@dataclass
class Duplicates:
    """What a dedup step found.

    `dropped`, `survivor` int64 and `similarity` float32: the documents that were dropped, which one stands for each,
    and how similar they are (NaN: nobody looked). `outright` int64: documents dropped for being short, for which
    none stands. `near` float32: the best similarity seen of documents that verification spared.
    """

    dropped: Numbers
    survivor: Numbers
    similarity: F32
    candidates: int = 0  # documents that shared a hash or a band with a better one, and may be dropped
    spared: int = 0  # of these, kept because they are not similar enough
    protected: int = 0  # documents that were kept because of their source only
    crowded: int = 0  # of the spared those that were not compared with all that share a band with them, …
    uncompared: int = 0  # … and how many they were not compared with
    outright: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    near: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    short: Short = field(default_factory=Short)  # with some words
    empty: Short = field(default_factory=Short)  # without any
    unfolded: F32 | None = None  # similarity of the pairs with numbers as they are, where the step folds numbers
    facts: dict[str, Any] = field(default_factory=dict)  # for the report

    @property
    def gone(self) -> Numbers:
        """All documents that the step drops."""
        return np.concatenate([self.dropped, self.outright])


def dedup(population: Population, standing: Standing, step: Dedup) -> Duplicates:
    """Find the duplicates among the living documents and who stands for each."""
    from curate.decide.duplicate_facts import facts_of

    alive = standing.alive
    scope = Scope(population, alive, step)
    found = {"exact": _exact, "url": _url, "minhash": _minhash}[step.method](scope)
    found.facts = facts_of(population, alive, step, found)
    return found


class Scope:
    """The documents that a step looks at, and the groups inside which it looks for duplicates."""

    def __init__(self, population: Population, alive: Bools, step: Dedup) -> None:
        self.population, self.alive, self.step = population, alive, step
        self.numbers = np.flatnonzero(alive)
        self.groups = group_keys(population, alive, step.within) if len(self.numbers) else None

    def link(self, columns: list[KeyColumn]) -> Linked:
        """Return the clusters of living documents that share a key; documents are places in `numbers`."""
        return self.population.link(columns, self.alive, self.groups)


@dataclass
class Candidates:
    """Living documents in clusters of two or more: places in `scope.numbers`, clusters, order and protection."""

    places: Numbers
    labels: U32
    ranks: Numbers
    protected: Bools

    @staticmethod
    def of(scope: Scope, places: Numbers, labels: U32) -> Candidates:
        """Take those of the documents `places` whose label another one has too."""
        shared = np.bincount(labels, minlength=len(labels))[labels] > 1 if len(labels) else np.zeros(0, np.bool_)
        places = places[shared]
        documents = scope.numbers[places]
        return Candidates(
            places,
            labels[shared],
            keep_ranks(scope.population, documents, scope.step),
            protected_documents(scope.population, documents, scope.step),
        )

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def droppable(self) -> int:
        """How many of them are not the best of their cluster."""
        return len(self) - int(np.count_nonzero(np.bincount(self.labels)))


def _exact(scope: Scope) -> Duplicates:
    linked = scope.link([hash_of("exact")])
    return _unverified(scope, linked.documents, linked.labels, 1.0)


def _url(scope: Scope) -> Duplicates:
    linked = scope.link([hash_of(sketch_name(scope.step.url_column))])
    return _unverified(scope, linked.documents, linked.labels, np.nan)


def _minhash(scope: Scope) -> Duplicates:
    step = scope.step
    linked = scope.link(band_columns(step.bands))
    if step.verify is None:
        found = _unverified(scope, linked.documents, linked.labels, np.nan)
    else:
        found = _verified(scope, Candidates.of(scope, linked.documents, linked.labels))
    return _with_short(scope, found, *short_documents(scope.population, scope.alive))


def _unverified(scope: Scope, places: Numbers, labels: U32, similarity: float) -> Duplicates:
    """Keep the best of each cluster; `similarity` is what the others are known to have to it."""
    candidates = Candidates.of(scope, places, labels)
    survivor = best_of_clusters(candidates.labels, candidates.ranks, candidates.protected)
    gone = survivor >= 0
    documents = scope.numbers[candidates.places]
    shielded = candidates.droppable - int(gone.sum())
    return Duplicates(
        documents[gone],
        documents[survivor[gone]],
        np.full(int(gone.sum()), similarity, np.float32),
        candidates=candidates.droppable - shielded,
        protected=shielded,
    )


def _verified(scope: Scope, candidates: Candidates) -> Duplicates:
    """Keep what no better document is similar enough to, by comparing shingles."""
    step, documents = scope.step, scope.numbers[candidates.places]
    m = len(candidates)
    nothing = Duplicates(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    if not m:
        return replace(nothing, unfolded=np.zeros(0, np.float32) if step.fold_numbers else None)
    chosen = np.zeros(len(scope.alive), np.bool_)
    chosen[documents] = True
    groups = None if scope.groups is None else scope.groups[candidates.places]
    # Beside its shingles a document has its band keys, and verifying needs as much again to find them.
    needed = 4 * int(sketch_column(scope.population, chosen, "shingles").sum(dtype=np.int64)) + 24 * step.bands * m
    share = scope.population.task_memory // VERIFYING
    partitions = 1 + needed // min(PARTITION_BYTES, max(share, 1))
    wanted = Wanted(documents, candidates.labels, step.bands, groups, candidates.ranks, candidates.protected)
    judge = Verification(step.verify or 0.0, step.measure)
    survivor, similarity, near = (
        np.full(m, -1, np.int64),
        np.full(m, np.nan, np.float32),
        np.full(m, np.nan, np.float32),
    )
    spared = shielded = crowded = uncompared = 0
    for at, found in scope.population.judged(wanted, step.shingling, partitions, judge):
        survivor[at], similarity[at], near[at] = found.survivor, found.similarity, found.near
        spared, shielded = spared + found.spared, shielded + found.protected
        crowded, uncompared = crowded + found.crowded, uncompared + found.uncompared
    gone = survivor >= 0
    seen = (survivor < 0) & ~candidates.protected & ~np.isnan(near)
    made = Duplicates(
        documents[gone],
        documents[survivor[gone]],
        similarity[gone],
        candidates=candidates.droppable - shielded,
        spared=spared,
        protected=shielded,
        near=near[seen],
        crowded=crowded,
        uncompared=uncompared,
    )
    return replace(made, unfolded=_unfolded(scope, made, partitions)) if step.fold_numbers else made


def _unfolded(scope: Scope, found: Duplicates, partitions: int) -> F32:
    """How similar each dropped document is to its survivor when numbers count as they are written."""
    documents = np.union1d(found.dropped, found.survivor)
    dropped = np.searchsorted(documents, found.dropped)
    survivor = np.searchsorted(documents, found.survivor)
    head = np.arange(len(documents))
    head[dropped] = survivor  # a pair is in one cluster, so in one partition
    similarity = np.zeros(len(dropped), np.float32)
    wanted = Wanted(documents, head.astype(np.uint32))
    pair_of = np.full(len(documents), -1, np.int64)
    pair_of[dropped] = np.arange(len(dropped))
    shingling = scope.step.shingling._replace(fold_numbers=False)
    for members, likeness in scope.population.judged(wanted, shingling, partitions, Likeness(scope.step.measure)):
        similarity[pair_of[members]] = likeness
    return similarity


def _with_short(scope: Scope, found: Duplicates, places: Numbers, keys: U64) -> Duplicates:
    """Add what becomes of documents with fewer words than a shingle, by the policy `short`."""
    documents = scope.numbers[places]
    chosen = np.zeros(len(scope.alive), np.bool_)
    chosen[documents] = True
    is_empty = sketch_column(scope.population, chosen, "shingles") == 0
    found.short, found.empty = Short(int((~is_empty).sum())), Short(int(is_empty.sum()))
    gone = np.zeros(0, np.int64)
    if scope.step.short == "drop":
        protected = protected_documents(scope.population, documents, scope.step)
        found.outright = gone = documents[~protected]
    elif scope.step.short == "exact":
        same = keys if scope.groups is None else keys_within(keys, scope.groups[places])
        exact = _unverified(scope, places, exact_clusters(np.where(is_empty, 1, 0).astype(np.uint64), same), 1.0)
        gone = exact.dropped
        found.dropped = np.concatenate([found.dropped, exact.dropped])
        found.survivor = np.concatenate([found.survivor, exact.survivor])
        found.similarity = np.concatenate([found.similarity, exact.similarity])
        found.protected += exact.protected
    empty = int(is_empty[np.searchsorted(documents, gone)].sum())
    found.empty.dropped, found.short.dropped = empty, len(gone) - empty
    return found


def keep_ranks(population: Population, documents: Numbers, step: Dedup) -> Numbers:
    """Return the position of each document in the order of the survivor policy, 0 the best.

    Protected sources come first, then the order of `priority`, sources not named there last, then `keep`. Ties
    are broken by text hash, then by `doc` (a hash of id and text), then by source, never by where a document is
    stored; nulls and NaN rank last.
    """
    columns = [name for name, _ in step.keep_order]
    frame = gather(population, documents, list(dict.fromkeys([*columns, "doc", "source"])))
    chosen = np.zeros(sum(population.sizes), np.bool_)
    chosen[documents] = True
    exact = exact_hashes(population, chosen)
    trust = {source: number for number, source in enumerate(step.priority)}
    keys = [
        ~frame["source"].is_in(list(step.protect)).to_numpy(),
        frame["source"].replace_strict(trust, default=len(trust), return_dtype=pl.UInt32).to_numpy(),
        *(_places(frame[name], down) for name, down in step.keep_order),
        exact[:, 0],
        frame["doc"].to_numpy(),
        _places(frame["source"], False),
    ]
    del frame
    order = np.lexsort(keys[::-1])  # the last key comes first; equal documents stay in their order
    ranks = np.empty(len(documents), np.int64)
    ranks[order] = np.arange(len(documents))
    return ranks


def _places(values: pl.Series, descending: bool) -> U32:
    """Return the place of each value among all that there are, equal ones at the same; null and NaN come last."""
    if values.dtype.is_float():
        values = values.fill_nan(None)
    elif values.dtype == pl.Boolean:
        values = values.cast(pl.UInt8)
    last = len(values) + 1
    if values.null_count() == len(values):
        return np.full(len(values), last, np.uint32)
    return values.rank("dense", descending=descending).fill_null(last).to_numpy()


def protected_documents(population: Population, documents: Numbers, step: Dedup) -> Bools:
    """Tell which documents are of a source that the step never drops from."""
    if not step.protect:
        return np.zeros(len(documents), np.bool_)
    protected: Bools = gather(population, documents, ["source"])["source"].is_in(list(step.protect)).to_numpy()
    return protected
