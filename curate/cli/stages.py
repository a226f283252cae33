"""Commands that do the work: the whole way, and each stage by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.options import (
    ENGINE,
    FORMAT,
    IGNORE_DISK,
    INDEX,
    INPUTS,
    JSON,
    JSON_LOG,
    MEMORY,
    OUT,
    PLUGIN,
    READING,
    RECIPE,
    RUN,
    THREADS,
    TOKENS,
    Finite,
)  # fmt: skip

if TYPE_CHECKING:
    from curate.run import Run
    from curate.storage import Location


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="curate-demo",
    show_default=True,
    help="Where to put it.",
)
@THREADS
def demo(out: Path, threads: int | None) -> None:
    """Curate the texts of this Python installation, to see how it works.

    Documentation, licences, READMEs and docstrings of Python and its packages, through the default recipe.

    \b
    Example:
      curate demo --out /tmp/demo
    """
    from curate.corpus import corpus
    from curate.demo import write_corpus
    from curate.terminal import Bars, say

    say("Collecting the texts of this Python installation …")
    source = write_corpus(out / "input")
    with Bars() as bars:
        run = corpus([f"python={source}"], out / "run", threads=threads, progress=bars)
    print_summary(run, as_json=False)


@click.command()
@INPUTS
@OUT
@RECIPE
@TOKENS
@FORMAT
@THREADS
@MEMORY
@ENGINE
@INDEX
@READING
@IGNORE_DISK
@PLUGIN
@JSON
@JSON_LOG
def corpus(inputs: tuple[str, ...], out: Location, as_json: bool, **options: Any) -> None:
    """Turn raw shards into a training mix and a report.

    INPUT is a file, a directory or a glob: JSONL (.gz, .zst, .bz2), Parquet, Arrow, WET or .txt; name its source with
    source=INPUT. Inputs and --out may be in an object store. The same command again goes on where it stopped; another
    recipe repeats only what it affects.

    \b
    Examples:
      curate corpus raw/ --out run
      curate corpus web=crawl/*.jsonl.zst code=code/*.parquet --out run --recipe llama3 --tokens 10B
      curate corpus 's3://bucket/raw/*.jsonl.zst' --out s3://bucket/run
      curate corpus /shared/raw --out /shared/run --engine ray --address 10.0.0.1:6379
    """
    from curate.corpus import corpus as run_corpus
    from curate.terminal import Bars

    with Bars() as bars:
        run = run_corpus(inputs, out, progress=bars, **options)
    print_summary(run, as_json)


@click.command()
@INPUTS
@OUT
@RECIPE
@THREADS
@ENGINE
@READING
@IGNORE_DISK
@PLUGIN
@JSON_LOG
def measure(
    inputs: tuple[str, ...],
    out: Location,
    recipe: str,
    threads: int | None,
    overwrite: bool,
    ignore_disk: bool,
    plugins: tuple[str, ...],
    engine: str,
    address: str | None,
    cpus_per_task: int | None,
    memory_per_task: str | None,
    **reading: Any,
) -> None:
    """Measure the signals and sketches that a recipe needs (stage 1).

    \b
    Example:
      curate measure raw/*.parquet --out run --recipe fineweb
    """
    from curate.engines.choose import opened
    from curate.pipeline import Options, check_disk, measure_stage, open_recipe, start, working
    from curate.signals.plugins import load
    from curate.terminal import Bars

    with opened(threads, None, engine, address, cpus_per_task, memory_per_task) as at_work:
        loaded = [load(plugin) for plugin in plugins]
        chosen = open_recipe(recipe)
        run = start(inputs, out, Options(**reading), at_work, overwrite=overwrite)
        with working(run, at_work, loaded), Bars() as bars:
            if not ignore_disk:
                check_disk(run, chosen, threads, ["measure"])
            measure_stage(run, chosen, at_work, bars)
    counts = run.stage("measure")["counts"]
    click.echo(
        f"{counts['documents']:,} documents measured, {counts['rejected']:,} records rejected: {run.path}/signals"
    )


@click.command()
@RUN
@click.option("--recipe", help="Another recipe.  [default: the run's own]")
@TOKENS
@THREADS
@PLUGIN
@MEMORY
@ENGINE
@INDEX
@click.option("--no-index", is_flag=True, help="Leave out the index that the run was decided with.")
@JSON_LOG
def decide(
    run: Location,
    recipe: str | None,
    tokens: str | None,
    threads: int | None,
    memory: str | None,
    index: Path | None,
    no_index: bool,
    plugins: tuple[str, ...],
    **engine: Any,
) -> None:
    """Decide which documents of a measured run are kept (stage 2).

    A run that was decided with an index is decided with it again, as it is by then.

    \b
    Example:
      curate decide run --recipe stricter.toml
    """
    import polars as pl

    from curate.decide.stage import decide_run
    from curate.engines.choose import opened
    from curate.pipeline import open_recipe, working
    from curate.run import Run
    from curate.signals.plugins import load

    found = Run(run)
    before = found.stage("decide").get("index", {}).get("path")
    loaded = [load(plugin) for plugin in plugins]
    with opened(threads, memory, **engine) as at_work, working(found, at_work, loaded):
        chosen = None if no_index else index or before
        decide_run(found, open_recipe(recipe or found.recipe, tokens), at_work, chosen)
    kept, n = found.decisions().select(pl.col("kept").sum(), n=pl.len()).collect().row(0)
    click.echo(f"{kept:,} of {n:,} documents kept: {found.path}/decisions")


@click.command()
@RUN
@FORMAT
@THREADS
@ENGINE
@JSON_LOG
def write(run: Location, format: str | None, threads: int | None, **engine: Any) -> None:
    """Write the mix of a decided run (stage 3).

    \b
    Example:
      curate write run --format jsonl.zst
    """
    from curate.engines.choose import opened
    from curate.pipeline import working
    from curate.run import Run
    from curate.write.stage import write_run

    found = Run(run)
    with opened(threads, **engine) as at_work, working(found, at_work):
        write_run(found, found.recipe, at_work, format=format)
    click.echo(f"{sum(found.stage('write')['documents'].values()):,} documents written: {found.path}/mix")


@click.command()
@RUN
@click.option(
    "--price-per-core-hour",
    "price",
    type=Finite(min=0),
    metavar="MONEY",
    help="Price of an hour of one core, in any currency: the report then says what a TB of raw text costs.",
)
@THREADS
@JSON
@JSON_LOG
def report(run: Location, price: float | None, threads: int | None, as_json: bool) -> None:
    """Write the report of a decided run again and print its summary (stage 4).

    \b
    Examples:
      curate report run --price-per-core-hour 0.04
      curate report run --json | jq .output
    """
    from curate.engines.local import Local
    from curate.pipeline import working
    from curate.report import report_run
    from curate.run import Run

    found = Run(run)
    with working(found, Local(threads)) as engine:
        report_run(found, found.recipe, engine, price)
    print_summary(found, as_json)


def print_summary(run: Run, as_json: bool) -> None:
    """Print what a finished run kept and dropped, as a table or as the report's JSON."""
    from curate.terminal import summary

    if as_json:
        click.echo(json.dumps(run.report, ensure_ascii=False))
    else:
        summary(run.report, run.path)
