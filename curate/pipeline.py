"""The stages one after the other, and what each needs to begin: inputs, recipe, an engine, room on the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.decide.stage import decide_run
from curate.engines.engine import Engine
from curate.errors import EngineError, RecipeError
from curate.kernels.warmup import ensure_compiled
from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES
from curate.measure.stage import measure_run
from curate.progress import Progress
from curate.recipe import Recipe, parse_count
from curate.report import report_run
from curate.run import STAGES, Run
from curate.shards import plan
from curate.signals.plugins import load
from curate.signals.tokens import TokenCounter
from curate.storage import Location, RemotePath, absolute, locate
from curate.write.stage import write_run


@dataclass(frozen=True)
class Options:
    """How inputs are read and where work is done."""

    text_column: str = "text"
    id_column: str = "id"
    tokenizer: str | None = None
    skip_bad_files: bool = False
    max_record_bytes: int = MAX_RECORD_BYTES
    max_expansion: int = MAX_EXPANSION

    def inputs(self) -> dict[str, Any]:
        """Return what decides how the inputs of a run are read."""
        return {
            "text_column": self.text_column,
            "id_column": self.id_column,
            "tokenizer": self.tokenizer,
            "max_record_bytes": self.max_record_bytes,
            "max_expansion": self.max_expansion,
        }


def open_recipe(recipe: Recipe | str | Path, tokens: int | str | None = None) -> Recipe:
    """Return a recipe given by name, path or value, with another token budget if there is one."""
    loaded = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    if not loaded.text:
        raise RecipeError("a run needs a recipe that can be stored: build it with Recipe.parse or Recipe.load")
    return loaded.with_tokens(parse_count(tokens))


def start(
    inputs: str | Location | Sequence[str | Location],
    out: str | Location,
    options: Options,
    engine: Engine,
    *,
    overwrite: bool = False,
) -> Run:
    """Plan the inputs and open or make the run directory for them; delete what is there when the engine is ready."""
    several = [inputs] if isinstance(inputs, str | Path | RemotePath) else list(inputs)
    if options.tokenizer:
        TokenCounter(options.tokenizer)  # to know that it can be read before anything is made
    shards, skip = plan(several), options.skip_bad_files
    if overwrite:
        engine.ready()
    return Run.create(out, options.inputs(), shards, overwrite=overwrite, skip_bad_files=skip)


def run_stages(
    run: Run, recipe: Recipe, engine: Engine, progress: Progress, index: str | Path | None, format: str | None
) -> None:
    """Measure, decide, write and report, where it is not done yet. The engine runs no task after this."""
    measure_stage(run, recipe, engine, progress)
    with progress.stage("decide", 0):
        decide_run(run, recipe, engine, index)
    with progress.stage("write", sum(shard.bytes for shard in run.measured)):
        write_run(run, recipe, engine, format=format, advance=progress.advance)
    with progress.stage("report", 0):
        report_run(run, recipe, engine, tasks_done=engine.end)


def measure_stage(run: Run, recipe: Recipe, engine: Engine, progress: Progress) -> None:
    """Measure what a recipe needs in a run."""
    ensure_compiled(progress.say)
    with progress.stage("measure", sum(shard.bytes for shard in run.shards)):
        measure_run(run, recipe, engine, progress.advance, progress.say)


def check_disk(run: Run, recipe: Recipe, threads: int | None, stages: Sequence[str] = STAGES) -> None:
    """Raise SpaceError when the disk of a run is too small for what its stages will write; see `curate.estimate`."""
    from curate.estimate.estimate import check_space  # which runs a sample with the functions of this module

    check_space(run, recipe, threads, stages=stages)


@contextmanager
def working(run: Run, engine: Engine, plugins: Sequence[str] = ()) -> Iterator[Engine]:
    """Hold a run for this process and make the engine ready to work on it.

    `plugins`, as `load` returned them, take the place of those that the run remembers; these are loaded otherwise.
    """
    with run.locked():
        run.manifest["threads"] = engine.cores
        if engine.elsewhere:
            _check_seen_elsewhere(run)
            run.path = locate(absolute(str(run.path)))  # tasks have another working directory
        if plugins:
            run.manifest["plugins"] = list(plugins)
            run.save()
        for plugin in run.manifest.get("plugins", []):
            load(plugin)
        tokenizer = run.manifest["inputs"]["tokenizer"]
        engine.ship([*run.manifest.get("plugins", []), *([tokenizer] if tokenizer else [])])
        yield engine


def _check_seen_elsewhere(run: Run) -> None:
    """Raise EngineError for a run or inputs that only this process can see."""
    places = [str(run.path), *(path for shard in run.shards for path in shard.paths)]
    hidden = next((place for place in places if place.startswith("memory://")), None)
    if hidden:
        raise EngineError(f"{hidden} is in the memory of this process, where tasks on Ray cannot see it")
