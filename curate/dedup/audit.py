"""How well a minhash step did: a sample of its documents is compared all with all, exactly.

Changes nothing in the run. What is drawn is in `audit_sample`, the arithmetic in `audit_figures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.columns import gather, signal_column, sketch_column
from curate.decide.duplicates import keep_ranks
from curate.decide.population import RunPopulation
from curate.dedup.audit_figures import components, precision_by_similarity, purity, ratio, recall_by_similarity, share
from curate.dedup.audit_sample import draw
from curate.dedup.clusters import candidate_clusters
from curate.dedup.curves import Distribution
from curate.dedup.step_population import StepPopulation, shingles_of
from curate.dedup.survivors import similarity_of_pairs
from curate.dedup.truth import MAX_DOCUMENTS, Pairs, all_pairs
from curate.errors import CurateError
from curate.kernels.shingling import Shingling

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

FLOOR = 0.3  # pairs below it are only looked at when the bands made them candidates
DEFAULT_THRESHOLD = 0.8  # where a step is not verified
CHECKED = 500  # dropped documents of a sample whose survivors are looked up


def audit_run(
    run: Run,
    engine: Engine,
    *,
    step: str | None = None,
    sample: int = 5000,
    threshold: float | None = None,
    min_shingles: int = 1,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare a sample of the documents that a minhash step looked at, and return the figures, JSON-like.

    Documents shorter than a shingle are left out: bands do not decide on them. Where the step verifies containment,
    so does the audit, among pairs of Jaccard 0.3 and more and candidates.
    `sample` (how it was drawn), `recall` (of pairs, by similarity), `candidates` (precision of the bands),
    `removals` (recall and precision), `clusters` (purity). Shares come with 95% intervals, computed as if pairs were
    independent; pages of one template are not. Raises RunError for a run without such a step, CurateError for a
    sample above 50,000.
    """
    _check_size(sample)
    seen = StepPopulation.of(run, engine, step)
    limit = threshold or seen.step.verify or DEFAULT_THRESHOLD
    view = _View.of(seen, engine, sample, min_shingles, seed)
    near = view.near(limit)
    true = components(len(view.documents), view.pairs.left[near], view.pairs.right[near])
    return {
        "step": {"name": seen.step.name, "bands": seen.step.bands, "rows": seen.step.rows, "ngram": seen.step.ngram},
        "threshold": limit,
        "sample": {
            "documents": len(view.documents),
            "of": view.drawable,
            "census": view.census,
            "short": int(seen.is_short(seen.seen).sum()),
            "in_buckets": int((view.weight > 0).sum()),
            "pairs_compared": view.pairs.compared,
        },
        "recall": view.recall(),
        "candidates": view.candidates(limit),
        "removals": {**view.removal_recall(limit), "precision": view.removal_precision(limit)},
        "clusters": view.purity(true),
    }


def distribution(run: Run, engine: Engine, *, sample: int = 5000) -> Distribution:
    """Return how similar the pairs of a sample of a run's documents are, all of its documents or drawn by hash."""
    _check_size(sample)
    population = RunPopulation(run, engine, run.recipe.clean)
    steps = run.recipe.dedups("minhash")
    everyone = np.ones(sum(population.sizes), np.bool_)
    chosen = draw(signal_column(population, everyone, "doc"), None, sample, 0).places
    sets = shingles_of(population, chosen, steps[0].shingling if steps else Shingling())
    pairs = all_pairs(sets.values, sets.offsets, np.zeros((len(chosen), 0), np.uint64), floor=1.1)
    said = f"{len(chosen):,} of the {len(everyone):,} documents of {run.path}, all {pairs.compared:,} pairs compared"
    return Distribution(said, pairs.histogram.astype(np.float64))


def _check_size(sample: int) -> None:
    if sample > MAX_DOCUMENTS:
        raise CurateError(
            f"--sample {sample:,}: all pairs of a sample are compared, {sample * (sample - 1) // 2:,} here; "
            f"the most is {MAX_DOCUMENTS:,} documents"
        )


@dataclass(frozen=True)
class _View:
    """The sample, and all that is known of it; arrays go by the sample's order unless said otherwise."""

    seen: StepPopulation
    documents: I64  # numbers in the run
    drawable: int
    census: bool
    weight: npt.NDArray[np.float64]
    pairs: Pairs
    sizes: I64  # shingles of each document
    ranks: I64  # in the order of the survivor policy, 0 the best
    labels: npt.NDArray[np.uint32]  # of all seen documents: their candidate cluster
    places: I64  # of the sample among all seen documents

    @staticmethod
    def of(seen: StepPopulation, engine: Engine, size: int, min_shingles: int, seed: int) -> _View:
        groups = seen.groups()
        many = sketch_column(seen.population, seen.seen, "shingles") >= max(min_shingles, 1)
        enough = np.flatnonzero(many & ~seen.is_short(seen.seen))
        doc = signal_column(seen.population, seen.seen, "doc")[enough]
        # With one band nothing would be left to judge if it drew the sample.
        first_band = seen.band(0, groups)[enough] if seen.step.bands > 1 else None
        drawn = draw(doc, first_band, size, seed)
        places = enough[drawn.places]
        documents = seen.numbers[places]
        labels = candidate_clusters((seen.band(b, groups) for b in range(seen.step.bands)), len(seen.numbers))
        sets = seen.shingles(documents)
        keys = seen.band_keys(documents, groups[places])
        pairs = all_pairs(sets.values, sets.offsets, keys, floor=FLOOR, groups=groups[places], threads=engine.threads)
        ranks = keep_ranks(seen.population, documents, seen.step)
        sizes = np.diff(sets.offsets)
        return _View(seen, documents, len(enough), drawn.census, drawn.weight, pairs, sizes, ranks, labels, places)

    @property
    def dropped(self) -> Bools:
        """Whether the step dropped a document."""
        return self.seen.dropped[self.documents]

    @property
    def judged(self) -> npt.NDArray[np.integer]:
        """How many bands each pair agrees in, the one that drew the sample left out."""
        drawn = self.pairs.drawn if self.judged_bands < self.seen.step.bands else np.zeros(1, np.bool_)
        return self.pairs.matches - drawn.astype(np.uint16)

    @property
    def judged_bands(self) -> int:
        """Bands that had no part in drawing the sample."""
        return self.seen.step.bands - int(not self.census and bool(self.weight.any()))

    @cached_property
    def measured(self) -> npt.NDArray[np.float64]:
        """What the step verifies of each pair: Jaccard, or the share of the worse one's shingles in the better."""
        pairs = self.pairs
        if self.seen.step.measure == "jaccard":
            return pairs.similarity
        both = self.sizes[pairs.left] + self.sizes[pairs.right]
        common = pairs.similarity * both / (1.0 + pairs.similarity)
        worse = np.where(self.ranks[pairs.left] > self.ranks[pairs.right], pairs.left, pairs.right)
        return common / self.sizes[worse]

    def near(self, threshold: float) -> Bools:
        """Tell which pairs are similar enough to be duplicates."""
        enough: Bools = self.measured >= threshold - 1e-9
        return enough

    def recall(self) -> dict[str, Any]:
        """Recall of pairs by similarity; judged by the bands that did not draw the sample."""
        step = self.seen.step
        by = recall_by_similarity(self.pairs.similarity, self.judged, self.judged_bands, step.rows, step.bands)
        return {"judged_bands": self.judged_bands, "by_similarity": by}

    def candidates(self, threshold: float) -> dict[str, Any]:
        """How similar the pairs are that the bands propose.

        In a sample, the pairs of drawn buckets stand for all candidates: one that agrees in m bands is m times as
        likely to be met in a bucket of any band, so it counts 1 / m.
        """
        pairs = self.pairs
        by_buckets = self.judged_bands < self.seen.step.bands
        if by_buckets:
            chosen = pairs.drawn & (self.weight[pairs.left] > 0) & (self.weight[pairs.right] > 0)
        else:
            chosen = pairs.matches > 0
        left, similarity = pairs.left[chosen], pairs.similarity[chosen]
        good = self.near(threshold)[chosen]
        if by_buckets:
            weight = self.weight[left] / pairs.matches[chosen]
            bucket = components(len(self.documents), left, pairs.right[chosen])[left]
            precision, interval = ratio(good, weight, bucket)
        else:
            weight = np.ones(len(similarity))
            whole = share(int(good.sum()), len(good))
            precision, interval = whole["share"], whole["interval"]
        return {
            "pairs": len(similarity),
            "precision": precision,
            "interval": interval,
            "by_similarity": precision_by_similarity(similarity, weight),
        }

    def removal_recall(self, threshold: float) -> dict[str, Any]:
        """Of the documents with a better duplicate that stayed, how many went; chains without one apart.

        In a sample, documents are left out whose better duplicate shares the drawing band with them: they came
        together because they were found.
        """
        n = len(self.documents)
        near = self.near(threshold)
        left, right, ranks = self.pairs.left[near], self.pairs.right[near], self.ranks
        swap = ranks[left] < ranks[right]
        better, worse = np.where(swap, left, right), np.where(swap, right, left)
        has_better, has_survivor, found_by_draw = (np.zeros(n, np.bool_) for _ in range(3))
        has_better[worse] = True
        stays = ~self.dropped[better]
        has_survivor[worse[stays]] = True
        if self.judged_bands < self.seen.step.bands:
            together = self.pairs.drawn[near]
            found_by_draw[worse[stays & together]] = True
        if self.seen.step.protect:
            source = gather(self.seen.population, self.documents, ["source"])["source"]
            has_better &= ~source.is_in(list(self.seen.step.protect)).to_numpy()  # the others are never dropped
            has_survivor &= has_better
        fair = has_survivor & ~found_by_draw
        return {
            "recall": share(int((fair & self.dropped).sum()), int(fair.sum())),
            "recall_of_all": share(int((has_survivor & self.dropped).sum()), int(has_survivor.sum())),
            "only_better_ones_that_went": {
                "documents": int((has_better & ~has_survivor).sum()),
                "kept": int((has_better & ~has_survivor & ~self.dropped).sum()),
            },
        }

    def removal_precision(self, threshold: float) -> dict[str, Any]:
        """Of dropped documents of the sample, how many are similar enough to the survivor that the run names."""
        gone = self.documents[self.dropped][:CHECKED]
        survivor = _survivors(self.seen, gone)
        known = survivor >= 0
        everyone = np.unique(np.concatenate([gone[known], survivor[known]]))
        sets = self.seen.shingles(everyone)
        left, right = np.searchsorted(everyone, gone[known]), np.searchsorted(everyone, survivor[known])
        similarity = similarity_of_pairs(sets.values, sets.offsets, left, right, self.seen.step.measure)
        found = share(int((similarity >= threshold - 1e-6).sum()), len(similarity))
        lowest = float(similarity.min()) if len(similarity) else None
        return {**found, "lowest": lowest, "not_looked_up": int((~known).sum())}

    def purity(self, true: I64) -> dict[str, Any]:
        """Purity of the candidate clusters and of those that the run made, of which the sample holds every document."""
        sizes = np.bincount(self.labels, minlength=len(self.labels))
        mine = self.labels[self.places].astype(np.int64)
        whole = np.bincount(mine, minlength=len(sizes))[mine] == sizes[mine]
        final, size = _final_clusters(self.seen, self.documents)
        held = np.bincount(np.maximum(final, 0), minlength=int(final.max(initial=-1)) + 1)
        complete = held[np.maximum(final, 0)] == size
        return {"candidate": purity(mine, whole, true), "final": purity(final, complete, true)}


def _survivors(seen: StepPopulation, documents: I64) -> I64:
    """Return the number of the survivor of each dropped document, int64; -1 where its id names several or none."""
    ids = np.full(len(documents), None, object)
    for begin, table in seen.decisions(["survivor"]):
        low, high = np.searchsorted(documents, [begin, begin + len(table)])
        ids[low:high] = table["survivor"].take(pa.array(documents[low:high] - begin)).to_pylist()
    found = numbers_of(seen, {name for name in ids.tolist() if name is not None})
    return np.array([found.get(name, -1) for name in ids.tolist()], np.int64)


def numbers_of(seen: StepPopulation, ids: set[str]) -> dict[str, int]:
    """Return the numbers of documents by id, of those that the step looked at; -1 for an id that several share."""
    wanted = pa.array(sorted(ids), pa.large_string())
    found: dict[str, int] = {}
    for begin, table in seen.decisions(["id"]):
        column = table["id"].cast(pa.large_string()).combine_chunks()
        rows = np.flatnonzero(pa.compute.is_in(column, value_set=wanted).to_numpy(zero_copy_only=False))
        rows = rows[seen.seen[begin + rows]]
        for row, name in zip(rows.tolist(), column.take(pa.array(rows)).to_pylist(), strict=True):
            found[name] = -1 if name in found else begin + row
    return found


def _final_clusters(seen: StepPopulation, documents: I64) -> tuple[I64, I64]:
    """Return the cluster of each document as a small number (-1: none) and how many seen documents it has."""
    everyone: list[npt.NDArray[np.uint64]] = []
    for begin, table in seen.decisions(["cluster"]):
        window = seen.seen[begin : begin + len(table)]
        everyone.append(table["cluster"].fill_null(0).to_numpy()[window])
    clusters = np.concatenate([np.zeros(0, np.uint64), *everyone])
    names, labels, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    mine = labels[np.searchsorted(seen.numbers, documents)]
    none = names[mine] == 0
    return np.where(none, -1, mine), np.where(none, 0, sizes[mine])
