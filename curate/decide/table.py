"""The decisions as a table: one row a document, with its duplicate cluster and its survivor.

Decides nothing: says what the fold over the steps found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.columns import gather
from curate.decide.cuts import Cuts, as_lists
from curate.decide.failures import unpacked
from curate.decide.fold import Decisions
from curate.decide.population import Population, starts
from curate.decide.steps import Standing
from curate.dedup.membership import join
from curate.recipe import Recipe
from curate.storage import Location

if TYPE_CHECKING:
    import polars as pl


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


@dataclass(frozen=True, eq=False)
class PartDecisions:
    """What was decided about the documents of one part, one entry each in its order. Picklable.

    `dropped_by` int16: number of a step, -1 for none. `failed`: bits, as `Failures` has them. `domains`: their names,
    and of each document the number of its own. `cuts`: the folder of the last step that trimmed, and the name of the
    part.
    """

    steps: tuple[str, ...]
    filters: tuple[str, ...]
    dropped_by: npt.NDArray[np.int16]
    failed: npt.NDArray[np.uint8]
    clusters: dict[str, pa.Array]
    domains: tuple[list[str], npt.NDArray[Any]]
    weight: npt.NDArray[np.int32]
    cuts: tuple[Location, str] | None
    ensembles: dict[str, pa.Array]

    @staticmethod
    def of(
        population: Population, recipe: Recipe, decisions: Decisions, clusters: Clusters, part: int
    ) -> PartDecisions:
        """Take those on one part."""
        ensembles = [ensemble.name for ensemble in recipe.ensembles]
        begin, size = int(starts(population)[part]), population.sizes[part]
        window = slice(begin, begin + size)
        standing, drawn = decisions.standing, decisions.drawn
        trims = list(standing.trims.values())
        return PartDecisions(
            decisions.steps,
            decisions.filters,
            standing.dropped_by[window],
            standing.failures.parts[part],
            clusters.columns(begin, size),
            (drawn.domain.names, drawn.domain.codes[window]),
            drawn.weight[window].astype(np.int32),
            (trims[-1].folder, population.texts.names[part]) if trims else None,
            {name: population.columns(part).frame([name])[name].to_arrow() for name in ensembles},
        )

    def table(self, documents: pa.Table) -> pa.Table:
        """Return the decisions: one row a document; `documents` has doc, id and source. Ensembles come last."""
        kept = self.dropped_by < 0
        names, codes = self.domains
        steps = pa.array(self.steps, pa.string())
        return pa.table(
            {
                "doc": documents["doc"],
                "id": documents["id"],
                "source": documents["source"],
                "kept": kept,
                "dropped_by": pa.DictionaryArray.from_arrays(pa.array(self.dropped_by, mask=kept), steps).cast(
                    pa.string()
                ),
                "failed": _failed(unpacked(self.failed, len(kept)), self.filters),
                **self.clusters,
                "domain": pa.DictionaryArray.from_arrays(codes, names).cast(pa.string()),
                "weight": self.weight * kept,
                **({"cuts": _cuts(*self.cuts, len(kept))} if self.cuts else {}),
                **self.ensembles,
            }
        )


def who(table: pl.DataFrame) -> pa.Table:
    """Return doc, id and source of signals, as decisions have them."""
    return table.select("doc", "id", "source").to_arrow()


def _cuts(folder: Location, part: str, size: int) -> pa.Array:
    """Return what was cut from each document of a part, null where nothing was."""
    cuts = Cuts.of_step(folder, part).staying()
    place = np.full(size, -1, np.int64)
    place[cuts.rows] = np.arange(len(cuts.rows))
    return as_lists(cuts.ranges).take(pa.array(place, mask=place < 0))


def _failed(failed: npt.NDArray[np.bool_], names: tuple[str, ...]) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(failed.sum(axis=1))]).astype(np.int32)
    which = np.nonzero(failed)[1].astype(np.int32)
    values = pa.DictionaryArray.from_arrays(which, pa.array(names, pa.string())).cast(pa.string())
    return pa.ListArray.from_arrays(offsets, values)
