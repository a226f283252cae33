"""The whole way in one call: measure, decide, write, report; what is done already is not done again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.decide.stage import decide_run
from curate.engines.choose import Cluster, opened
from curate.engines.engine import Engine
from curate.errors import EngineError, RecipeError
from curate.events import emit
from curate.kernels.warmup import ensure_compiled
from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES
from curate.measure.stage import measure_run
from curate.recipe import Recipe, parse_count
from curate.report import report_run
from curate.run import STAGES, Run
from curate.shards import plan
from curate.signals.plugins import load
from curate.signals.tokens import TokenCounter
from curate.storage import Location, RemotePath, absolute, locate
from curate.write.stage import write_run


class Progress:
    """What a run tells about itself while it works; this one says nothing. The command line has one that draws."""

    def stage(self, name: str, total: int) -> Any:
        """Enter a stage of `total` bytes of input; used as a context manager."""
        return nullcontext()

    def advance(self, size: int) -> None:
        """Count bytes of input as done in this stage."""

    def say(self, message: str) -> None:
        """Tell the user something that is not a result."""


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
    inputs: str | Location | Sequence[str | Location], out: str | Location, options: Options, *, overwrite: bool = False
) -> Run:
    """Plan the inputs and open or make the run directory for them."""
    several = [inputs] if isinstance(inputs, str | Path | RemotePath) else list(inputs)
    if options.tokenizer:
        TokenCounter(options.tokenizer)  # to know that it can be read before anything is made
    skip = options.skip_bad_files
    return Run.create(out, options.inputs(), plan(several), overwrite=overwrite, skip_bad_files=skip)


def corpus(
    inputs: str | Location | Sequence[str | Location],
    out: str | Location,
    recipe: Recipe | str | Path = "web",
    *,
    tokens: int | str | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    index: str | Path | None = None,
    format: str | None = None,
    text_column: str = "text",
    id_column: str = "id",
    tokenizer: str | Path | None = None,
    skip_bad_files: bool = False,
    max_record_bytes: int = MAX_RECORD_BYTES,
    max_expansion: int = MAX_EXPANSION,
    overwrite: bool = False,
    ignore_disk: bool = False,
    plugins: Sequence[str | Path] = (),
    engine: str = "local",
    address: str | None = None,
    cpus_per_task: int | None = None,
    memory_per_task: int | str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Turn raw shards into a training mix and its report, in the run directory `out`.

    `inputs`: files, directories or globs, each optionally "source=INPUT"; they and `out` may be in an object store, as
    in "s3://bucket/raw/*.parquet". `recipe`: a shipped name, a path or a Recipe. `tokens`: budget of the mix, such as
    "1B". Called again with the same arguments it goes on where it was interrupted; with another recipe it repeats only
    the stages that the change affects. Where the disk may be too small a sample is run first, to refuse early, unless
    `ignore_disk`. `plugins`: files or modules with signals of your own; the run remembers them. `memory`: what deciding
    may take, such as "8GB" (half of the machine's); results do not depend on it. `index`: an index of earlier runs;
    what it has is dropped here. `max_record_bytes`, `max_expansion`: larger records are rejected, and a file that
    decompresses to more than so many times its size is an error. `engine`: "local" for threads of this process, or
    "ray": on the cluster at `address` (else RAY_ADDRESS, else a Ray of its own here), where a task has `cpus_per_task`
    cores (1) and is declared to need `memory_per_task` for each ("2GiB"); all nodes have to see inputs and `out` under
    the same names. Raises EngineError, InputError, PluginError, RecipeError, RunError or StorageError, each a
    CurateError that says what to do.
    """
    progress = progress or Progress()
    cluster = Cluster.asked_for(engine, address, cpus_per_task, memory_per_task)
    loaded = [load(plugin) for plugin in plugins]
    chosen = open_recipe(recipe, tokens)
    options = Options(
        text_column,
        id_column,
        None if tokenizer is None else str(tokenizer),
        skip_bad_files,
        max_record_bytes,
        max_expansion,
    )
    run = start(inputs, out, options, overwrite=overwrite)
    with working(run, threads, loaded, memory, cluster) as at_work:
        if not ignore_disk:
            check_disk(run, chosen, threads)
        measure_stage(run, chosen, at_work, progress)
        with progress.stage("decide", 0):
            decide_run(run, chosen, at_work, index)
        with progress.stage("write", sum(shard.bytes for shard in run.measured)):
            write_run(run, chosen, at_work, format=format, advance=progress.advance)
        with progress.stage("report", 0):
            report_run(run, chosen, at_work)
    for warning in run.report["warnings"]:
        emit("warning", message=warning)
    return run


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
def working(
    run: Run,
    threads: int | None,
    plugins: Sequence[str] = (),
    memory: int | str | None = None,
    cluster: Cluster | None = None,
) -> Iterator[Engine]:
    """Hold a run for this process and give the engine that works on it.

    `plugins`, as `load` returned them, take the place of those that the run remembers; these are loaded otherwise.
    """
    with run.locked(), opened(threads, memory, cluster) as engine:
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
