"""The documents that a dedup step of a finished run looked at, and what it knew of them.

Reads signals, sketches and decisions; compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.columns import nullable_column, sketch_column
from curate.decide.groups import group_keys
from curate.decide.population import RunPopulation, starts
from curate.decide.shingle_tasks import Wanted
from curate.dedup.candidates import taken
from curate.dedup.clusters import keys_within
from curate.errors import RunError, did_you_mean
from curate.kernels.shingling import Shingling
from curate.measure.plan import Plan
from curate.recipe import Dedup, Recipe
from curate.tables import read_table

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

Bools = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Shingles:
    """Shingle sets of some documents, in their order: see `curate.kernels.shingles.ShingleSets`."""

    values: npt.NDArray[np.uint32]
    offsets: I64


@dataclass(frozen=True)
class StepPopulation:
    """A decided run seen from one minhash step.

    `seen` bool (documents of the run,): those that no earlier step had dropped. `dropped` bool: those that this
    one dropped. `numbers` int64: the numbers of the seen ones, ascending; arrays "of the seen" go by their order.
    """

    run: Run
    recipe: Recipe
    step: Dedup
    population: RunPopulation
    seen: Bools
    dropped: Bools
    numbers: I64

    @staticmethod
    def of(run: Run, engine: Engine, name: str | None) -> StepPopulation:
        """Open a run at a minhash step, the first without a name.

        Raises RunError when the run is not decided or has no such step.
        """
        if not run.is_done("decide", run.stage("decide").get("key", "")):
            raise RunError(f"{run.path} is not decided yet; run: curate decide {run.path}")
        recipe = run.recipe
        steps = {step.name: step for step in recipe.dedups("minhash")}
        if not steps:
            raise RunError(f'recipe "{recipe.name}" of {run.path} has no minhash step, and only these are audited')
        if name is not None and name not in steps:
            known = ", ".join(steps)
            raise RunError(f'{run.path} has no minhash step "{name}"{did_you_mean(name, steps)} (it has: {known})')
        needed = Plan.of(recipe, run.manifest["inputs"]["tokenizer"])
        if not Plan.from_dict(run.stage("measure")["plan"]).covers(needed):
            raise RunError(f"{run.path} was measured by another version of curate; run: curate corpus with its inputs")
        step = steps[name] if name else next(iter(steps.values()))
        order = [entry["name"] for entry in run.stage("decide")["steps"]]
        population = RunPopulation(run, engine, recipe.clean)
        seen, dropped = np.empty(sum(population.sizes), np.bool_), np.empty(sum(population.sizes), np.bool_)
        later = pa.array(order[order.index(step.name) :])
        for begin, table in _decisions(run, population, ["dropped_by"]):
            column = table["dropped_by"]
            reached = pa.compute.or_kleene(pa.compute.is_null(column), pa.compute.is_in(column, value_set=later))
            window = slice(begin, begin + len(table))
            seen[window] = reached.to_numpy()
            dropped[window] = pa.compute.fill_null(pa.compute.equal(column, step.name), False).to_numpy()
        return StepPopulation(run, recipe, step, population, seen, dropped, np.flatnonzero(seen))

    def groups(self) -> U64:
        """Return the scope of each seen document, uint64: pairs of different ones are never compared."""
        found = group_keys(self.population, self.seen, self.step.within)
        return np.zeros(len(self.numbers), np.uint64) if found is None else found

    def band(self, number: int, groups: U64, keep: Bools | None = None) -> U64:
        """Return the keys of a band, of the seen documents or those where `keep` is true, salted with their `groups`.

        Documents with fewer words than a shingle have key 0: the step compares them as wholes, not by bands.
        """
        chosen = self.seen if keep is None else keep
        keys = sketch_column(self.population, chosen, f"band_{number}")
        keys = np.where(self.is_short(chosen), np.uint64(0), keys)
        return keys_within(keys, groups) if self.step.within else keys

    def is_short(self, keep: Bools) -> Bools:
        """Tell which of the documents where `keep` is true have fewer words than a shingle."""
        return nullable_column(self.population, keep, "short")[1]

    def band_keys(self, documents: I64, groups: U64) -> U64:
        """Return the band keys of numbered documents (ascending), uint64 (n, bands); `groups` are theirs."""
        keep = np.zeros(len(self.seen), np.bool_)
        keep[documents] = True
        columns = [self.band(number, groups, keep) for number in range(self.step.bands)]
        return np.stack(columns, axis=1) if len(documents) else np.zeros((0, self.step.bands), np.uint64)

    def shingles(self, documents: I64) -> Shingles:
        """Read numbered documents (ascending) again and return their shingle sets."""
        return shingles_of(self.population, documents, self.step.shingling)

    def decisions(self, columns: list[str]) -> Iterator[tuple[int, pa.Table]]:
        """Yield (number of its first document, decisions) for each part of the run."""
        return _decisions(self.run, self.population, columns)


def _decisions(run: Run, population: RunPopulation, columns: list[str]) -> Iterator[tuple[int, pa.Table]]:
    begin = starts(population)
    for part, shard in enumerate(population.shards):
        yield int(begin[part]), read_table(run.decisions_file(shard), columns)


def shingles_of(population: RunPopulation, documents: I64, shingling: Shingling) -> Shingles:
    """Read numbered documents (ascending) of a run again and return their sets of shingles."""
    wanted = Wanted(documents, np.zeros(len(documents), np.uint32))
    [piece] = population.shingles(wanted, shingling, 1)
    return Shingles(*taken(piece.values, piece.offsets, piece.sets[np.argsort(piece.doc, kind="stable")]))
