"""Ask an index about documents that may not be part of any run yet.

Changes neither the index nor the run; inputs are measured into a directory that is deleted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from curate.decide.columns import gather
from curate.decide.population import Population, RunPopulation
from curate.engines.engine import Engine
from curate.engines.local import Local
from curate.errors import RunError
from curate.index.index import Index
from curate.index.manifest import Parameters, origin_of
from curate.measure.stage import measure_run
from curate.recipe import Dedup, Recipe
from curate.run import MANIFEST, Run
from curate.shards import plan
from curate.storage import locate

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Answer:
    """What an index knows of `documents` documents: `matches` has id, source, run, known_id, similarity, kind."""

    documents: int
    matches: pl.DataFrame


def query(
    index: str | Path,
    inputs: Sequence[str],
    *,
    verify: float = 0.7,
    threads: int | None = None,
    memory: int | str | None = None,
    text_column: str = "text",
    id_column: str = "id",
) -> Answer:
    """Look up every document of some inputs, or of one measured run, in an index.

    RunError when the index cannot answer for them, InputError when they cannot be read.
    """
    opened = Index(index)
    engine = Local(threads, memory)
    if len(inputs) == 1 and (locate(inputs[0]) / MANIFEST).is_file():
        run = Run(inputs[0])
        with run.locked():
            return _ask(opened, run, run.recipe.clean, engine, verify, origin_of(run))
    recipe = _recipe(opened.manifest.parameters, opened.clean)
    with tempfile.TemporaryDirectory() as folder:
        reading = {"text_column": text_column, "id_column": id_column, "tokenizer": None}
        run = Run.create(folder, reading, plan(list(inputs)))
        measure_run(run, recipe, engine, lambda size: None)
        return _ask(opened, run, recipe.clean, engine, verify, ())


def _recipe(parameters: Parameters, clean: tuple[str, ...]) -> Recipe:
    """Return the recipe that measures what the index compares."""
    lines = [f"clean = {list(clean)!r}", "[[steps]]", 'dedup = "exact"', f"within = {list(parameters.exact_within)}"]
    if parameters.minhash:
        lines += ["[[steps]]", 'dedup = "minhash"', f"within = {list(parameters.minhash_within)}"]
        lines += [f"{name} = {_toml(value)}" for name, value in parameters.minhash]
    return Recipe.parse("\n".join(lines), "index")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


def _ask(
    index: Index, run: Run, clean: tuple[str, ...], engine: Engine, verify: float, origin: tuple[str, ...]
) -> Answer:
    import polars as pl

    population: Population = RunPopulation(run, engine, clean)
    n = sum(population.sizes)
    parameters = index.manifest.parameters
    minhash = dict(parameters.minhash or ())
    steps = [Dedup("exact", "exact", within=parameters.exact_within)]
    if minhash:
        known = {name: value for name, value in minhash.items() if name in Dedup.__dataclass_fields__}
        steps.append(Dedup("minhash", "minhash", within=parameters.minhash_within, verify=verify, **known))
        measured = dict(run.stage("measure")["plan"]["minhash"] or ())
        if measured != minhash:
            raise RunError(
                f"{run.path} was sketched with {measured or 'no signatures'}, the index {index.path} with {minhash}"
            )
    alive = np.ones(n, np.bool_)
    frames = []
    population.scratch.mkdir(parents=True, exist_ok=True)
    for step in steps:
        match = index.matches(population, alive, step, memory=engine.memory, folder=population.scratch, origin=origin)
        if len(match.documents):
            facts = gather(population, match.documents, ["id", "source"])
            frames.append(
                facts.with_columns(
                    run=pl.Series(match.run, dtype=pl.String),
                    known_id=pl.Series(match.id, dtype=pl.String),
                    similarity=pl.Series(match.similarity),
                    kind=pl.lit(step.method),
                    at=pl.Series(match.documents),
                )
            )
            alive[match.documents] = False
    schema = {"id": pl.String, "source": pl.String, "run": pl.String, "known_id": pl.String, "similarity": pl.Float32}
    empty = pl.DataFrame(schema={**schema, "kind": pl.String, "at": pl.Int64})
    return Answer(n, pl.concat([empty, *frames], how="vertical_relaxed").sort("at").drop("at"))
