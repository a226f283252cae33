"""Stage 2: which documents are kept. A fold over the recipe's steps, on columns only, in seconds.

Text is touched only to verify near-duplicates, and only theirs, and by steps that trim.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import curate
from curate.conservation import check_decided
from curate.decide.ensembles import with_ensembles
from curate.decide.fold import MIX, decide_population
from curate.decide.population import MemoryPopulation, RunPopulation
from curate.decide.table import Clusters, PartDecisions, who
from curate.decide.trims import forget_others
from curate.errors import RunError
from curate.measure.plan import Plan, check_known
from curate.measure.stored import stored_metadata
from curate.measure.texts import Measured, as_frame, measure_texts, with_urls
from curate.meter import Meter
from curate.recipe import Recipe, fingerprint
from curate.storage import each, is_remote, remembering, remove_tree
from curate.tables import TableWriter, read_footer, read_table

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.index import Index
    from curate.run import Run
    from curate.shards import Shard

_ITEMS_A_CORE = 4  # shards whose decisions are described at a time


def decide_key(run: Run, recipe: Recipe, index: str | None = None) -> str:
    """Return a hash of everything that the decisions on a run depend on; `index`: fingerprint of the index used."""
    facts = [curate.__version__, recipe.fingerprint(), run.stage("measure")["key"]]
    return fingerprint(facts if index is None else [*facts, index])


def decide_run(run: Run, recipe: Recipe, engine: Engine, index: str | Path | None = None) -> None:
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


def check_index(path: str | Path, recipe: Recipe) -> None:
    """Raise RunError where a recipe cannot be decided with an index: there is none, or it was made otherwise."""
    with _opened(path, recipe):
        pass


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


def _decide(run: Run, recipe: Recipe, engine: Engine, index: Index | None) -> None:
    from curate.index.manifest import origin_of

    origin = origin_of(run)
    state = index.manifest.fingerprint(origin) if index else None
    key = decide_key(run, recipe, state)
    if run.is_done("decide", key):
        return
    with run.doing("decide", key) as stage, remembering(run.path / "signals", run.path / "sketches"):
        _look_at_footers(run)
        population = RunPopulation(run, engine, recipe.clean)
        shutil.rmtree(population.scratch, ignore_errors=True)  # of a run that was killed
        for abandoned in ("scratch", "shingles"):
            remove_tree(run.path / "state" / abandoned)
        (run.path / "decisions").mkdir(exist_ok=True)
        extended = with_ensembles(population, recipe)
        known = None
        if index:
            population.scratch.mkdir(parents=True, exist_ok=True)
            known = partial(index.matches, extended, memory=engine.memory, folder=population.scratch, origin=origin)

        decisions = decide_population(extended, recipe, known, Meter(run.path, "decide").say)
        trims = decisions.standing.trims
        shutil.rmtree(population.scratch, ignore_errors=True)
        clusters = Clusters(population, decisions.standing)
        wanted = {run.decisions_file(shard) for shard in population.shards}
        for old in (run.path / "decisions").glob("*.parquet"):
            if old not in wanted:
                old.unlink(missing_ok=True)
        for some in _in_turns(range(len(population.shards)), _ITEMS_A_CORE * engine.cores):
            decided = [
                _Decided(population.shards[part], PartDecisions.of(extended, recipe, decisions, clusters, part))
                for part in some
            ]
            for _ in engine.run(partial(_write, run), decided):
                pass
        for _ in engine.run(partial(_check, run), population.shards):
            pass
        stage["steps"] = [{"name": step.name, "kind": step.kind} for step in recipe.steps]
        if recipe.mix.samples:
            stage["steps"].append({"name": MIX, "kind": "mix"})
        known_there = {name: {"in_index": len(match.documents)} for name, match in decisions.standing.known.items()}
        stage["duplicates"] = {
            name: found.facts | known_there.get(name, {}) for name, found in decisions.standing.duplicates.items()
        }
        if index:
            matched = {name: len(match.documents) for name, match in decisions.standing.known.items()}
            stage["index"] = {"path": str(index.path.absolute()), "matched": matched, "fingerprint": state}
        stage["rehydration"] = decisions.rehydration and decisions.rehydration.table()
        stage["trims"] = {name: {"folder": run.name_of(found.folder), **found.facts} for name, found in trims.items()}
        forget_others(population.texts, trims.values())
        stage["mix"] = [asdict(allocation) for allocation in decisions.drawn.allocations]
        left = [*wanted, *(path for found in trims.values() for path in found.files(population.texts.names))]
        stage["files"] = run.seals("decisions", "cuts", known=left)
        run.set_recipe(recipe)


@dataclass(frozen=True, eq=False)
class _Decided:
    """The decisions on one shard, on their way to its file. Picklable."""

    shard: Shard
    decisions: PartDecisions


def _write(run: Run, item: _Decided, workers: Workers) -> None:
    import polars as pl

    documents = who(pl.DataFrame(pl.from_arrow(read_table(run.signals_file(item.shard), ["doc", "id", "source"]))))
    with TableWriter(run.decisions_file(item.shard)) as file:
        file.write(item.decisions.table(documents))


def _in_turns(items: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    """Cut a row of items where it is too long to be described all at a time."""
    return (items[begin : begin + most] for begin in range(0, len(items), most))


def _look_at_footers(run: Run) -> None:
    """Ask a store for all footers at once: columns are read one after the other, and each would wait for its own."""
    if is_remote(run.path):
        tables = [file_of(shard) for shard in run.measured for file_of in (run.signals_file, run.sketches_file)]
        for _ in each(read_footer, tables):
            pass


def _check(run: Run, shard: Shard, workers: Workers) -> None:
    check_decided(run, shard)


def _check_measured(run: Run, recipe: Recipe) -> None:
    stage = run.stage("measure")
    if not stage.get("done") or not run.is_done("measure", stage["key"]):
        raise RunError(f"{run.path} is not measured to the end; run: curate corpus INPUT --out {run.path}")
    there, needed = Plan.from_dict(stage["plan"]), Plan.of(recipe, run.manifest["inputs"]["tokenizer"])
    unmeasured = [name for name in needed.metadata if name not in there.metadata]
    if unmeasured:
        check_known(recipe, unmeasured, {name for shard in run.measured for name in stored_metadata(run, shard).names})
    if there.covers(needed):
        changed = [what for what, state in needed.states().items() if stage.get("states", {}).get(what) != state]
        if changed:
            raise RunError(
                f"{', '.join(changed)} changed since {run.path} was measured; to measure again: "
                f"curate corpus INPUT --out {run.path} --recipe {recipe.name}"
            )
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
    clusters = Clusters(population, decisions.standing)
    table = PartDecisions.of(population, recipe, decisions, clusters, 0).table(
        who(population.columns(0).frame(["doc", "id", "source"]))
    )
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
