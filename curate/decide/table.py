"""The decisions as a table: one row a document, with its duplicate cluster and its survivor.

Decides nothing: says what the fold over the steps found.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.cuts import Cuts, as_lists
from curate.decide.fold import Decisions
from curate.decide.population import Population, gather, starts
from curate.decide.steps import Standing
from curate.decide.trims import Trimmed
from curate.dedup.membership import join
from curate.recipe import Recipe


class Clusters:
    """Duplicates of all steps together: for every document involved, its survivor, cluster and cluster size.

    A cluster is a survivor with all that were dropped for it, directly or through another duplicate; its number
    is the `doc` of its last survivor. Only documents in clusters of two or more are held.
    """

    def __init__(self, population: Population, standing: Standing) -> None:
        found = list(standing.duplicates.values())
        dropped = np.concatenate([d.dropped for d in found] or [np.zeros(0, np.int64)])
        similarity = np.concatenate([d.similarity for d in found] or [np.zeros(0, np.float32)])
        order = np.argsort(dropped, kind="stable")
        self._dropped, self._similarity = dropped[order], similarity[order]
        joined = join([d.dropped for d in found], [d.survivor for d in found])
        self.members, self._next, root, self._size = joined.members, joined.standing, joined.root, joined.size
        facts = gather(population, self.members, ["doc", "id"])
        self._cluster = facts["doc"].to_numpy()[root]
        self._ids = pa.array(facts["id"].to_arrow())
        self._known = list(standing.known.values())

    def columns(self, begin: int, size: int) -> dict[str, pa.Array]:
        """Return cluster, cluster_size, survivor and similarity of documents `begin` to `begin + size`."""
        low, high = np.searchsorted(self.members, [begin, begin + size])
        rows = self.members[low:high] - begin
        place = np.zeros(size, np.int64)
        place[rows] = np.arange(low, high)
        alone = np.ones(size, np.bool_)
        alone[rows] = False
        first, last = np.searchsorted(self._dropped, [begin, begin + size])
        gone = np.ones(size, np.bool_)  # true where there is no survivor to name
        gone[self._dropped[first:last] - begin] = False
        similarity = np.full(size, np.nan, np.float32)
        similarity[self._dropped[first:last] - begin] = self._similarity[first:last]
        if not len(self.members):
            nothing = {"cluster": pa.uint64(), "survivor": pa.large_string(), "similarity": pa.float32()}
            none = {name: pa.nulls(size, kind) for name, kind in nothing.items()}
            alone_here = {"cluster": none.pop("cluster"), "cluster_size": pa.array(np.ones(size, np.int64)), **none}
            return self._with_known(alone_here, begin, size)
        columns = {
            "cluster": pa.array(self._cluster[place], mask=alone),
            "cluster_size": pa.array(np.where(alone, 1, self._size[place])),
            "survivor": self._ids.take(pa.array(self._next[place], mask=gone)),
            "similarity": pa.array(similarity, mask=gone | np.isnan(similarity)),
        }
        return self._with_known(columns, begin, size)

    def _with_known(self, columns: dict[str, pa.Array], begin: int, size: int) -> dict[str, pa.Array]:
        """Name the documents of an index, as RUN:ID, that documents `begin` to `begin + size` were dropped for."""
        for match in self._known:
            low, high = np.searchsorted(match.documents, [begin, begin + size])
            if high > low:
                here = np.zeros(size, np.bool_)
                here[match.documents[low:high] - begin] = True
                similarity = match.similarity[low:high]
                found = {
                    "survivor": match.names.slice(low, high - low).cast(columns["survivor"].type),
                    "similarity": pa.array(similarity, pa.float32(), mask=np.isnan(similarity)),
                }
                for name, values in found.items():
                    columns[name] = pa.compute.replace_with_mask(columns[name], pa.array(here), values)
        return columns


def decision_table(
    population: Population, recipe: Recipe, decisions: Decisions, clusters: Clusters, part: int
) -> pa.Table:
    """Return the decisions on one part: one row a document, in its order; ensembles come last."""
    begin, size = int(starts(population)[part]), population.sizes[part]
    window = slice(begin, begin + size)
    made = [ensemble.name for ensemble in recipe.ensembles]
    base = population.frame(part, ["doc", "id", "source", *made]).to_arrow()
    dropped_by = decisions.standing.dropped_by[window].astype(np.int32)
    kept = dropped_by < 0
    domain = decisions.drawn.domain
    names = pa.array(decisions.steps, pa.string())
    trims = list(decisions.standing.trims.values())
    cuts = {"cuts": _cuts(trims[-1], population.texts.names[part], size)} if trims else {}
    return pa.table(
        {
            "doc": base["doc"],
            "id": base["id"],
            "source": base["source"],
            "kept": kept,
            "dropped_by": pa.DictionaryArray.from_arrays(pa.array(dropped_by, mask=kept), names).cast(pa.string()),
            "failed": _failed(decisions.standing.failed[window], decisions.filters),
            **clusters.columns(begin, size),
            "domain": pa.DictionaryArray.from_arrays(domain.codes[window], domain.names).cast(pa.string()),
            "weight": decisions.drawn.weight[window] * kept,
            **cuts,
            **{name: base[name] for name in made},
        }
    )


def _cuts(trimmed: Trimmed, part: str, size: int) -> pa.Array:
    """Return what was cut from each document of a part, null where nothing was."""
    cuts = Cuts.of_step(trimmed.folder, part).staying()
    place = np.full(size, -1, np.int64)
    place[cuts.rows] = np.arange(len(cuts.rows))
    return as_lists(cuts.ranges).take(pa.array(place, mask=place < 0))


def _failed(failed: npt.NDArray[np.bool_], names: tuple[str, ...]) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(failed.sum(axis=1))]).astype(np.int32)
    which = np.nonzero(failed)[1].astype(np.int32)
    values = pa.DictionaryArray.from_arrays(which, pa.array(names, pa.string())).cast(pa.string())
    return pa.ListArray.from_arrays(offsets, values)
