"""Draws the mix of a decided run again, with another budget or other shares, from its decisions alone.

Steps are not run again and no text is read: what the steps dropped stays dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.cuts import SIZES, Cuts
from curate.decide.ensembles import with_ensembles
from curate.decide.fold import MIX
from curate.decide.population import Extended, Population, RunPopulation, starts
from curate.decide.rehydrate import for_mix
from curate.decide.stage import decide_key
from curate.dedup.rehydration import Rehydration
from curate.errors import RecipeError, RunError, did_you_mean
from curate.mix.draw import Drawn, draw
from curate.recipe import Recipe
from curate.tables import TableWriter, read_table

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run


def parse_shares(given: Iterable[str]) -> dict[str, float]:
    """Read shares as `code=0.3`; RecipeError for what is not.

    >>> parse_shares(["code=0.3", "a=b=0.1"])
    {'code': 0.3, 'a=b': 0.1}
    """
    shares = {}
    for text in given:
        name, _, share = text.rpartition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            name = ""
        if not name:
            raise RecipeError(f'"{text}" is not a share; write CLASS=SHARE, such as code=0.3')
    return shares


def with_shares(run: Run, recipe: Recipe, wanted: Mapping[str, float]) -> Recipe:
    """Return the recipe with new shares for some classes; the others divide the rest as they did before.

    As before means by their shares, or by what they hold where the mix has none. RecipeError for a class that there
    is not, or shares of more than 1.
    """
    held = {entry["domain"]: entry["available"] for entry in run.stage("decide")["mix"]}
    before = dict(recipe.mix.shares) or {name: float(tokens) for name, tokens in held.items()}
    for name in wanted:
        if name not in before and name not in held:
            raise RecipeError(f'no document has the {recipe.mix.by} "{name}"{did_you_mean(name, held)}')
    rest = {name: share for name, share in before.items() if name not in wanted}
    left = 1 - sum(wanted.values())
    if left < -1e-9 or min(wanted.values()) < 0:
        raise RecipeError(f"the shares add up to {sum(wanted.values()):g}; give each at least 0 and all at most 1")
    if left > 1e-9 and not sum(rest.values()):
        raise RecipeError(f"the shares add up to {sum(wanted.values()):g}, and there is no other class for the rest")
    scaled = {name: share * max(left, 0.0) / (sum(rest.values()) or 1.0) for name, share in rest.items()}
    return recipe.with_mix({"shares": {**scaled, **wanted}, "by": recipe.mix.by})


@dataclass(frozen=True)
class Reached:
    """The documents of a decided run as the mix sees them.

    `population` as it was measured; `trimmed` with sizes less what was cut, and ensembles; `alive` bool (n,): who
    reached the mix; `tokens` int64 (n,); `rehydration` float64 (n,): how often each stands for its duplicates, or None.
    """

    population: RunPopulation
    trimmed: Population
    alive: npt.NDArray[np.bool_]
    tokens: npt.NDArray[np.int64]
    rehydration: npt.NDArray[np.float64] | None


def reached(run: Run, recipe: Recipe, engine: Engine) -> Reached:
    """Return the documents of a decided run; RunError when it is not decided."""
    if not run.is_done("decide", run.stage("decide").get("key", "")):
        raise RunError(f"{run.path} is not decided yet; run: curate decide {run.path}")
    population = RunPopulation(run, engine, recipe.clean)
    begin = starts(population)
    alive = np.zeros(begin[-1], np.bool_)
    folder = cuts_folder(run)
    sizes, cluster_size = np.zeros((begin[-1], len(SIZES)), np.int64), np.ones(begin[-1], np.int64)
    for part, shard in enumerate(population.shards):
        window = slice(begin[part], begin[part + 1])
        decided = read_table(run.decisions_file(shard), ["dropped_by", "cluster_size"])
        alive[window] = pa.compute.fill_null(pa.compute.equal(decided["dropped_by"], MIX), True).to_numpy()
        cluster_size[window] = decided["cluster_size"].to_numpy()
        sizes[window] = population.columns(part).frame(SIZES).to_numpy()
        cuts = Cuts.of_step(folder, shard.name)
        sizes[window][cuts.rows] = cuts.sizes
    table = run.stage("decide").get("rehydration")
    weights = for_mix(recipe, table and Rehydration.of_table(table), lambda: cluster_size)
    trimmed = Extended(with_ensembles(population, recipe), {name: sizes[:, n] for n, name in enumerate(SIZES)})
    return Reached(population, trimmed, alive, sizes[:, SIZES.index("token_count")], weights)


def cuts_folder(run: Run) -> Path | None:
    """Return the folder that holds what all steps of a decided run cut; None where none did."""
    trims = list(run.stage("decide").get("trims", {}).values())
    return run.path / trims[-1]["folder"] if trims else None


def draw_again(run: Run, recipe: Recipe, engine: Engine) -> tuple[RunPopulation, Drawn, npt.NDArray[np.bool_]]:
    """Return the population of a decided run, its mix by another recipe, and who was alive before the mix."""
    found = reached(run, recipe, engine)
    return found.population, draw(found.trimmed, recipe, found.alive, found.tokens, found.rehydration), found.alive


def remix(run: Run, recipe: Recipe, engine: Engine) -> Drawn:
    """Draw the mix again and store it in the run's decisions; the steps of `recipe` must be those of the run."""
    _check_same_steps(run, recipe)
    population, drawn, alive = draw_again(run, recipe, engine)
    begin = starts(population)
    before = run.stage("decide")
    kept_facts = {name: value for name, value in before.items() if name not in ("done", "seconds", "key", "outdated")}
    with run.doing("decide", decide_key(run, recipe, before.get("index", {}).get("fingerprint"))) as stage:
        stage |= kept_facts
        for part, shard in enumerate(population.shards):
            window = slice(begin[part], begin[part + 1])
            table = _with_mix(read_table(run.decisions_file(shard)), drawn, alive[window], window)
            with TableWriter(run.decisions_file(shard)) as file:
                file.write(table)
        stage["steps"] = [step for step in before["steps"] if step["name"] != MIX]
        if recipe.mix.samples:
            stage["steps"].append({"name": MIX, "kind": "mix"})
        stage["mix"] = [asdict(allocation) for allocation in drawn.allocations]
        stage["files"] = before["files"] | run.seals(known=map(run.decisions_file, population.shards))
        run.set_recipe(recipe)
    return drawn


def _with_mix(table: pa.Table, drawn: Drawn, alive: npt.NDArray[np.bool_], window: slice) -> pa.Table:
    """Return decisions on a shard with another mix."""
    weight = drawn.weight[window].astype(np.int32)
    kept = alive & (weight > 0)
    left_out = pa.DictionaryArray.from_arrays(np.zeros(len(kept), np.int32), [MIX], mask=kept | ~alive).cast(
        pa.string()
    )
    dropped_by = pa.compute.if_else(pa.array(alive), left_out, table["dropped_by"].combine_chunks())
    domain = pa.DictionaryArray.from_arrays(drawn.domain.codes[window], pa.array(drawn.domain.names, pa.string()))
    columns: dict[str, Any] = {
        "kept": pa.array(kept),
        "dropped_by": dropped_by,
        "domain": domain.cast(pa.string()),
        "weight": pa.array(weight * kept),
    }
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _check_same_steps(run: Run, recipe: Recipe) -> None:
    same = replace(recipe, mix=run.recipe.mix, changes=run.recipe.changes)
    if same.fingerprint() != run.recipe.fingerprint():
        raise RunError(f"{run.path} was decided by other steps; run: curate decide {run.path} --recipe {recipe.name}")
