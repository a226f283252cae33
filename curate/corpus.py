"""The whole way in one call: measure, decide, write, report; what is done already is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curate.engines.choose import opened
from curate.events import emit
from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES
from curate.progress import Progress

if TYPE_CHECKING:
    from curate.recipe import Recipe
    from curate.run import Run
    from curate.storage import Location


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
    with opened(threads, memory, engine, address, cpus_per_task, memory_per_task) as at_work:
        # Here, because a Ray of our own starts while it is imported.
        from curate.decide.stage import check_index
        from curate.pipeline import Options, check_disk, open_recipe, run_stages, start, working
        from curate.signals.plugins import load

        loaded = [load(plugin) for plugin in plugins]
        chosen = open_recipe(recipe, tokens)
        if index is not None:
            check_index(index, chosen)
        options = Options(
            text_column,
            id_column,
            None if tokenizer is None else str(tokenizer),
            skip_bad_files,
            max_record_bytes,
            max_expansion,
        )
        run = start(inputs, out, options, at_work, overwrite=overwrite)
        with working(run, at_work, loaded):
            if not ignore_disk:
                check_disk(run, chosen, threads)
            run_stages(run, chosen, at_work, progress or Progress(), index, format)
    for warning in run.report["warnings"]:
        emit("warning", message=warning)
    return run
