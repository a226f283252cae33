"""Stage 2: which documents are kept. A fold over the recipe's steps, on columns only, in seconds.

Every step sees the documents still alive and gives those that it drops its name. Text is touched only to verify
near-duplicates, and only theirs, and by steps that trim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import curate
from curate.conservation import check_decided
from curate.decide.cuts import SIZES, Cuts, as_lists
from curate.decide.ensembles import with_ensembles
from curate.decide.population import MemoryPopulation, Population, RunPopulation, gather, signal_column, starts
from curate.decide.rehydrate import cluster_sizes, for_mix, of_standing
from curate.decide.steps import Standing, dedup, failed_filters, outside_top, where
from curate.decide.trims import Trimmed, forget_others, resized, trim
from curate.dedup.membership import join
from curate.dedup.rehydration import Rehydration
from curate.errors import RunError
from curate.measure.plan import Plan, check_known
from curate.measure.stage import Measured, as_frame, measure_texts, with_urls
from curate.meter import Meter
from curate.mix.draw import Drawn, draw
from curate.recipe import Dedup, Filter, LineDedup, Recipe, SubstringDedup, Top, fingerprint
from curate.tables import TableWriter

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.local import Local, Workers
    from curate.index import Index, Match
    from curate.run import Run
    from curate.shards import Shard

MIX = "mix"  # what documents left out of the mix are dropped by


@dataclass(frozen=True)
class Decisions:
    """The outcome for every document of a population; see `Standing` for the arrays."""

    steps: tuple[str, ...]
    filters: tuple[str, ...]
    standing: Standing
    drawn: Drawn
    rehydration: Rehydration | None  # weights by cluster size, where the recipe allows to know them


def decide_population(
    population: Population,
    recipe: Recipe,
    known: Callable[[npt.NDArray[np.bool_], Dedup], Match] | None = None,
    say: Callable[[str], None] = lambda step: None,
) -> Decisions:
    """Apply a recipe's steps and its mix to a population that has the columns of the recipe's ensembles.

    `known` tells which living documents a dedup step drops for documents of an index, before it compares the rest.
    `say` is told the name of each step as it begins.
    """
    filters = [step for step in recipe.steps if isinstance(step, Filter)]
    begin = starts(population)
    everyone = np.ones(begin[-1], np.bool_)
    standing = Standing(
        dropped_by=np.full(begin[-1], -1, np.int16),
        failed=failed_filters(population, filters),
        tokens=signal_column(population, everyone, "token_count").astype(np.int64),
    )
    for number, step in enumerate(recipe.steps):
        say(step.name)
        if isinstance(step, Filter):
            standing.drop(standing.alive & standing.failed[:, filters.index(step)], number)
        elif isinstance(step, Dedup):
            if known and step.method != "url":
                match = standing.known[step.name] = known(standing.alive, step)
                standing.drop(match.documents, number)
            found = standing.duplicates[step.name] = dedup(population, standing, step)
            standing.drop(found.gone, number)
        elif isinstance(step, LineDedup | SubstringDedup):
            population = _trim(population, recipe, standing, number)
        elif isinstance(step, Top):
            standing.drop(outside_top(population, standing, step), number)
    repeats = of_standing(standing, recipe.steps)
    weights = for_mix(recipe, repeats, partial(cluster_sizes, standing))
    drawn = draw(population, recipe, standing.alive, standing.tokens, weights)
    standing.drop(standing.alive & (drawn.weight == 0), len(recipe.steps))
    steps = tuple(step.name for step in recipe.steps) + ((MIX,) if recipe.mix.samples else ())
    return Decisions(steps, tuple(step.name for step in filters), standing, drawn, repeats)


def _trim(population: Population, recipe: Recipe, standing: Standing, number: int) -> Population:
    """Apply a step that trims; return the population with the sizes that its documents have then."""
    step = recipe.steps[number]
    assert isinstance(step, LineDedup | SubstringDedup)
    chosen = where(population, step.name, step.where)
    earlier = list(standing.trims.values())
    trimmed = standing.trims[step.name] = trim(
        population, recipe, step, standing.alive, chosen, earlier[-1] if earlier else None
    )
    standing.drop(trimmed.dropped, number)
    population = resized(population, trimmed)
    standing.tokens = trimmed.sizes[:, SIZES.index("token_count")]
    filters = [other for other in recipe.steps if isinstance(other, Filter)]
    judged = [other for other in filters if other in recipe.steps[number:] and set(other.columns) & set(SIZES)]
    if judged:
        standing.failed[:, [filters.index(other) for other in judged]] = failed_filters(population, judged)
    return population


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


def decide_key(run: Run, recipe: Recipe, index_key: str | None = None) -> str:
    """Return a hash of everything that the decisions on a run depend on."""
    facts = [curate.__version__, recipe.fingerprint(), run.stage("measure")["key"]]
    return fingerprint([*facts, index_key] if index_key else facts)


def decide_run(run: Run, recipe: Recipe, engine: Local, index: str | Path | None = None) -> None:
    """Decide a measured run; nothing is done when it was decided with the same recipe on the same signals.

    `index`: an index of earlier runs; the dedup steps drop what is in it already.
    RunError when the run was not measured, or not all that the recipe needs, or when the index was made otherwise.
    """
    _check_measured(run, recipe)
    with ExitStack() as stack:
        opened = None
        if index is not None:
            opened = stack.enter_context(_opened(index, recipe))
        _decide(run, recipe, engine, opened)


@contextmanager
def _opened(path: str | Path, recipe: Recipe) -> Iterator[Index]:
    """Open an index for the dedup steps of a recipe; nobody can change it meanwhile."""
    from curate.index import Index

    index = Index(path)
    steps = [*recipe.dedups("exact"), *recipe.dedups("minhash")]
    if not steps:
        raise RunError(f'recipe "{recipe.name}" has no dedup step, so the index {path} would change nothing')
    index.check(steps, Plan.of(recipe).minhash, f'recipe "{recipe.name}"')
    with index.reading():
        yield index


def _decide(run: Run, recipe: Recipe, engine: Local, index: Index | None) -> None:
    index_key = index.manifest.fingerprint(run.input_key()) if index else None
    key = decide_key(run, recipe, index_key)
    if run.is_done("decide", key):
        return
    with run.doing("decide", key) as stage:
        population = RunPopulation(run, engine, recipe.clean)
        (run.path / "decisions").mkdir(exist_ok=True)
        extended = with_ensembles(population, recipe)
        known = None
        if index:
            lookup = index.matches
            (run.path / "state").mkdir(exist_ok=True)

            def known(alive: npt.NDArray[np.bool_], step: Dedup) -> Match:
                scratch, inputs = run.path / "state", run.input_key()
                return lookup(extended, alive, step, memory=engine.memory, folder=scratch, inputs=inputs)

        decisions = decide_population(extended, recipe, known, Meter(run.path, "decide").say)
        trims = decisions.standing.trims
        clusters = Clusters(population, decisions.standing)
        wanted = {run.decisions_file(shard) for shard in population.shards}
        for old in (run.path / "decisions").glob("*.parquet"):
            if old not in wanted:
                old.unlink()
        for part, shard in enumerate(population.shards):
            with TableWriter(run.decisions_file(shard)) as file:
                file.write(decision_table(extended, recipe, decisions, clusters, part))
        for _ in engine.run(partial(_check, run), population.shards):
            pass
        stage["steps"] = [{"name": step.name, "kind": step.kind} for step in recipe.steps]
        if recipe.mix.samples:
            stage["steps"].append({"name": MIX, "kind": "mix"})
        stage["duplicates"] = {name: found.facts for name, found in decisions.standing.duplicates.items()}
        if index:
            matched = {name: len(match.documents) for name, match in decisions.standing.known.items()}
            stage["index"] = {"path": str(index.path.absolute()), "matched": matched, "key": index_key}
        stage["rehydration"] = decisions.rehydration and decisions.rehydration.table()
        stage["trims"] = {
            name: {"folder": found.folder.relative_to(run.path).as_posix(), **found.facts}
            for name, found in trims.items()
        }
        forget_others(population.texts, trims.values())
        stage["mix"] = [asdict(allocation) for allocation in decisions.drawn.allocations]
        stage["files"] = run.seals("decisions", "cuts")
        run.set_recipe(recipe)


def _check(run: Run, shard: Shard, workers: Workers) -> None:
    check_decided(run, shard)


def _check_measured(run: Run, recipe: Recipe) -> None:
    stage = run.stage("measure")
    if not stage.get("done") or not run.is_done("measure", stage["key"]):
        raise RunError(f"{run.path} is not measured to the end; run: curate corpus INPUT --out {run.path}")
    there, needed = Plan.from_dict(stage["plan"]), Plan.of(recipe, run.manifest["inputs"]["tokenizer"])
    if there.covers(needed):
        return
    missing = sorted({*needed.signals, *needed.metadata} - {*there.signals, *there.metadata})
    missing += sorted(use.signal for use in set(needed.classifiers) - set(there.classifiers))
    missing += sorted(use.name for use in set(needed.word_lists) - set(there.word_lists))
    missing += sorted(use.name for use in set(needed.distributions) - set(there.distributions))
    what = f"has no {', '.join(missing)}" if missing else "was cleaned or sketched in another way"
    raise RunError(
        f'recipe "{recipe.name}" needs what {run.path} was not measured for: it {what}; '
        f"run: curate corpus INPUT --out {run.path} --recipe {recipe.name}"
    )


def decide(texts: Any, recipe: Recipe | str = "web") -> pl.DataFrame:
    """Decide texts in memory: one row a text with kept, dropped_by, failed, cluster, survivor, domain, weight.

    `texts`: strings, or a polars DataFrame with a column "text" (and "id", if it has one). Deduplication and
    the mix look at these texts only.
    """
    import polars as pl

    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    population = with_ensembles(MemoryPopulation(measure_frame(texts, recipe)), recipe)
    decisions = decide_population(population, recipe)
    table = decision_table(population, recipe, decisions, Clusters(population, decisions.standing), 0)
    return pl.DataFrame(pl.from_arrow(table))


def measure_frame(texts: Any, recipe: Recipe | str) -> Measured:
    """Measure texts in memory for a recipe, with their sketches."""
    import polars as pl

    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    plan = Plan.of(recipe)
    frame = as_frame(texts)
    check_known(recipe, plan.metadata, set(frame.columns))
    ids = frame["id"].cast(pl.String).to_arrow() if "id" in frame.columns else None
    measured = measure_texts(frame["text"], ids, plan)
    fill = {"source": pl.lit("memory"), "shard": pl.lit("memory"), "row": pl.int_range(pl.len())}
    frame = frame.with_columns(**{name: value for name, value in fill.items() if name not in frame.columns})
    signals = measured.signals
    for name in (*fill, *plan.metadata):
        signals = signals.append_column(name, frame[name].to_arrow())
    sketches = with_urls(measured.sketches, plan, lambda name: frame[name].to_arrow())
    return Measured(signals, sketches, measured.cleaned)
