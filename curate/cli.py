"""The command line: every command parses, calls one function of the library, and prints.

Nothing heavy is imported before a command needs it, so that `curate --help` answers at once.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from curate import __version__
from curate.classifier.cli import classifier
from curate.errors import CurateError

if TYPE_CHECKING:
    from curate.run import Run

F = TypeVar("F", bound=Callable[..., Any])


class _Commands(click.Group):
    """Lists commands in the order of the data's way, and turns mistakes of the user into one clear message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CurateError as error:
            _fail(str(error))
        except KeyboardInterrupt:
            _fail("interrupted; the same command goes on where it stopped")
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            _fail(f"{error.strerror or error}{where}")


def _fail(message: str) -> None:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    sys.exit(1)


def _options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    return lambda command: functools.reduce(lambda made, decorate: decorate(made), reversed(decorators), command)


_INPUTS = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
_RUN = click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
_OUT = click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Run directory to make or go on with."
)
_RECIPE = click.option("--recipe", default="web", show_default=True, help="Shipped recipe or path of a .toml file.")
_THREADS = click.option("--threads", type=click.IntRange(min=1), help="Threads to use.  [default: all cores]")
_TOKENS = click.option("--tokens", help="Token budget of the mix, such as 300M, 10B or 1.5T.")
_FORMAT = click.option(
    "--format",
    type=click.Choice(["parquet", "jsonl.zst"]),
    help="Files of the mix.  [default: parquet, or what the run has]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_READING = _options(
    click.option("--text-column", default="text", show_default=True, help="Column that holds the text."),
    click.option("--id-column", default="id", show_default=True, help="Column that holds the id; made up when absent."),
    click.option("--tokenizer", type=click.Path(), help="tokenizer.json to count tokens exactly."),
    click.option("--skip-bad-files", is_flag=True, help="Go on when a file cannot be read; the report lists it."),
    click.option("--overwrite", is_flag=True, help="Delete the run at --out first."),
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="curate")
def main() -> None:
    """Turn a raw text corpus into a high-quality training mix, with a reason for every document kept or dropped.

    \b
    curate demo                              see it work on the texts of this Python
    curate corpus raw/*.jsonl.zst --out run  curate your own
    """


@main.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="curate-demo",
    show_default=True,
    help="Where to put it.",
)
@_THREADS
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
    _print_summary(run, as_json=False)


@main.command()
@_INPUTS
@_OUT
@_RECIPE
@_TOKENS
@_FORMAT
@_THREADS
@_READING
@_JSON
def corpus(inputs: tuple[str, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Turn raw shards into a training mix and a report.

    INPUT is a file, a directory or a glob: JSONL (.gz, .zst, .bz2), Parquet, Arrow, WET or .txt; name its source with
    source=INPUT. The same command again goes on where it stopped; another recipe repeats only what it affects.

    \b
    Examples:
      curate corpus raw/ --out run
      curate corpus web=crawl/*.jsonl.zst code=code/*.parquet --out run --recipe llama3 --tokens 10B
    """
    from curate.corpus import corpus as run_corpus
    from curate.terminal import Bars

    with Bars() as bars:
        run = run_corpus(inputs, out, progress=bars, **options)
    _print_summary(run, as_json)


@main.command()
@_INPUTS
@_OUT
@_RECIPE
@_THREADS
@_READING
def measure(
    inputs: tuple[str, ...], out: Path, recipe: str, threads: int | None, overwrite: bool, **reading: Any
) -> None:
    """Measure the signals and sketches that a recipe needs (stage 1).

    \b
    Example:
      curate measure raw/*.parquet --out run --recipe fineweb
    """
    from curate.corpus import Options, measure_stage, open_recipe, start, working
    from curate.terminal import Bars

    chosen = open_recipe(recipe)
    run = start(inputs, out, Options(**reading), overwrite=overwrite)
    with working(run, threads) as engine, Bars() as bars:
        measure_stage(run, chosen, engine, bars)
    counts = run.stage("measure")["counts"]
    click.echo(
        f"{counts['documents']:,} documents measured, {counts['rejected']:,} records rejected: {run.path}/signals"
    )


@main.command()
@_RUN
@click.option("--recipe", help="Another recipe.  [default: the run's own]")
@_TOKENS
@_THREADS
def decide(run: Path, recipe: str | None, tokens: str | None, threads: int | None) -> None:
    """Decide which documents of a measured run are kept (stage 2).

    \b
    Example:
      curate decide run --recipe stricter.toml
    """
    import polars as pl

    from curate.corpus import open_recipe, working
    from curate.decide import decide_run
    from curate.run import Run

    found = Run(run)
    with working(found, threads) as engine:
        decide_run(found, open_recipe(recipe or found.recipe, tokens), engine)
    kept, n = found.decisions().select(pl.col("kept").sum(), n=pl.len()).collect().row(0)
    click.echo(f"{kept:,} of {n:,} documents kept: {found.path}/decisions")


@main.command()
@_RUN
@_FORMAT
@_THREADS
def write(run: Path, format: str | None, threads: int | None) -> None:
    """Write the mix of a decided run (stage 3).

    \b
    Example:
      curate write run --format jsonl.zst
    """
    from curate.corpus import working
    from curate.run import Run
    from curate.write import write_run

    found = Run(run)
    with working(found, threads) as engine:
        write_run(found, found.recipe, engine, format=format)
    click.echo(f"{sum(found.stage('write')['documents'].values()):,} documents written: {found.path}/mix")


@main.command()
@_RUN
@_THREADS
@_JSON
def report(run: Path, threads: int | None, as_json: bool) -> None:
    """Write the report of a decided run again and print its summary (stage 4).

    \b
    Example:
      curate report run --json | jq .output
    """
    from curate.corpus import working
    from curate.report import report_run
    from curate.run import Run

    found = Run(run)
    with working(found, threads) as engine:
        report_run(found, found.recipe, engine)
    _print_summary(found, as_json)


@main.command()
@_RUN
@click.argument("id")
@_JSON
def explain(run: Path, id: str, as_json: bool) -> None:
    """Say what became of a document and why: every step with its rule and values, its survivor, its text.

    \b
    Example:
      curate explain run doc-17
    """
    from curate.engines.local import Local
    from curate.lookup import explain as look_up
    from curate.run import Run
    from curate.terminal import explanation

    found = look_up(Run(run), id, Local())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    for document in found:
        explanation(document)


@main.command()
@_RUN
@click.option("--dropped-by", metavar="STEP", help="Documents that this step dropped.")
@click.option("--kept", is_flag=True, help="Documents that were kept.")
@click.option("-n", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@_JSON
def show(run: Path, dropped_by: str | None, kept: bool, count: int, as_json: bool) -> None:
    """Show some documents that a step dropped, with what made the difference, or some that were kept.

    \b
    Example:
      curate show run --dropped-by gopher_dup_lines -n 3 | less -R
    """
    from curate.engines.local import Local
    from curate.lookup import show as look_up
    from curate.run import Run
    from curate.terminal import sample

    if kept == (dropped_by is not None):
        raise click.UsageError("say either --dropped-by STEP or --kept")
    found = look_up(Run(run), dropped_by, count, Local())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    for document in found:
        sample(document)


@main.command()
@_RUN
@click.argument("sql")
@_JSON
def query(run: Path, sql: str, as_json: bool) -> None:
    """Answer an SQL question about a run; the tables are `signals` and `decisions`.

    \b
    Example:
      curate query run "SELECT dropped_by, COUNT(*) AS n FROM decisions GROUP BY dropped_by ORDER BY n DESC"
    """
    from curate.lookup import query as ask
    from curate.run import Run
    from curate.terminal import table

    answer = ask(Run(run), sql)
    click.echo(json.dumps(answer.to_dicts(), ensure_ascii=False, default=str)) if as_json else table(answer)


@main.command()
@_RUN
@_JSON
def status(run: Path, as_json: bool) -> None:
    """Say which stages of a run are done.

    \b
    Example:
      curate status run
    """
    from curate.run import Run

    stages = Run(run).status()
    if as_json:
        click.echo(json.dumps(stages))
        return
    for stage in stages:
        click.echo(f"{stage['stage']:8} {stage['state']:12} {stage['seconds']:8.1f} s  {stage['note']}")


@main.command()
@click.argument("name", required=False)
@_JSON
def recipes(name: str | None, as_json: bool) -> None:
    """List the shipped recipes, or print one to copy and edit.

    \b
    Example:
      curate recipes fineweb > mine.toml
    """
    from curate.recipe import Recipe, shipped

    if name:
        click.echo(Recipe.load(name).text, nl=False)
        return
    found = {item: Recipe.load(item).description for item in shipped()}
    if as_json:
        click.echo(json.dumps(found))
        return
    for item, description in found.items():
        click.echo(f"{item:10} {description}{'  (default)' if item == 'web' else ''}")


@main.command()
@click.argument("name", required=False)
@_JSON
def signals(name: str | None, as_json: bool) -> None:
    """List the signals that a recipe can use, or explain one.

    \b
    Example:
      curate signals gopher_dup_5gram
    """
    import classifiers
    from curate.signals import registry, signal

    model = (name or "").removesuffix("_score")
    if model in classifiers.shipped():
        card = classifiers.load(model).card
        click.echo(json.dumps(card, ensure_ascii=False, indent=None if as_json else 1))
        return
    chosen = [signal(name)] if name else list(registry().values())
    if as_json:
        click.echo(json.dumps([entry.as_dict() for entry in chosen], ensure_ascii=False))
        return
    for entry in chosen:
        if name:
            for key, value in entry.as_dict().items():
                click.echo(f"{key:11} {value}")
        else:
            click.echo(f"{entry.name:28} {entry.unit:24} {entry.definition}")
    if not name:
        click.echo(
            "\nClassifiers give more: language, language_score, quality, domain, domain_score, or your own (see docs)."
        )


main.add_command(classifier)


def _print_summary(run: Run, as_json: bool) -> None:
    from curate.terminal import summary

    if as_json:
        click.echo(json.dumps(run.report, ensure_ascii=False))
    else:
        summary(run.report, run.path)


if __name__ == "__main__":
    main()
