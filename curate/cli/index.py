"""Commands around an index of earlier runs: add, ask, merge, forget."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curate.cli.options import JSON, MEMORY, RUN, THREADS

if TYPE_CHECKING:
    from curate.storage import Location

INDEX = click.argument("index", metavar="INDEX", type=click.Path(path_type=Path))


@click.group()
def index() -> None:
    """Remember the kept documents of runs, so that the next crawl is deduplicated against them.

    \b
    Example:
      curate corpus crawl-1/ --out run1
      curate index add seen run1
      curate corpus crawl-2/ --out run2 --index seen
    """


@index.command()
@INDEX
@RUN
@click.option("--name", help="What matches call the run.  [default: the name of its directory]")
@click.option("--signatures-only", is_flag=True, help="For a new index: keep no shingles; similarities are estimates.")
@THREADS
@MEMORY
@JSON
def add(
    index: Path,
    run: Location,
    name: str | None,
    signatures_only: bool,
    threads: int | None,
    memory: str | None,
    as_json: bool,
) -> None:
    """Add the kept documents of a run; makes the index if there is none.

    \b
    Example:
      curate index add seen run1 --name crawl-2024-10
    """
    from curate.engines.local import Local
    from curate.index import Index
    from curate.kernels.warmup import ensure_compiled
    from curate.pipeline import working
    from curate.run import Run
    from curate.terminal import say

    found = Run(run)
    ensure_compiled(say)
    with working(found, Local(threads, memory)) as engine:
        entry = Index.add(index, found, engine, name=name, signatures_only=signatures_only)
    if as_json:
        click.echo(json.dumps(None if entry is None else asdict(entry)))
    elif entry is None:
        click.echo(f"{index} has {run} already; nothing was done")
    else:
        click.echo(f"{entry.documents:,} documents of {entry.run} added: {index}, {entry.bytes / 1e6:,.1f} MB")


@index.command()
@INDEX
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT|RUN...")
@click.option("--verify", type=click.FloatRange(0, 1, min_open=True), default=0.7, show_default=True,
              help="Similarity from which on a document counts as known.")  # fmt: skip
@click.option("-n", "count", type=click.IntRange(min=0), default=20, show_default=True, help="How many to print.")
@click.option("--out", type=click.Path(path_type=Path), help="Parquet file to write all matches to.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@click.option("--id-column", default="id", show_default=True, help="Column that holds the id; made up when absent.")
@THREADS
@MEMORY
@JSON
def query(
    index: Path,
    inputs: tuple[str, ...],
    verify: float,
    count: int,
    out: Path | None,
    text_column: str,
    id_column: str,
    threads: int | None,
    memory: str | None,
    as_json: bool,
) -> None:
    """Say which documents of some inputs, or of a measured run, the index knows: run, id and similarity.

    Inputs are cleaned by the recipe of the first run in the index. Nothing is changed.

    \b
    Example:
      curate index query seen new.jsonl.zst -n 3
    """
    from curate.index.query import query as ask
    from curate.kernels.warmup import ensure_compiled
    from curate.questions.terminal import table
    from curate.terminal import say

    ensure_compiled(say)
    found = ask(
        index, inputs, verify=verify, threads=threads, memory=memory, text_column=text_column, id_column=id_column
    )
    if out is not None:
        found.matches.write_parquet(out)
    shown = found.matches.head(count)
    if as_json:
        answer = {"documents": found.documents, "matched": len(found.matches), "matches": shown.to_dicts()}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(f"{len(found.matches):,} of {found.documents:,} documents are in the index")
    if len(shown):
        table(shown)


@index.command()
@INDEX
@click.argument("others", nargs=-1, required=True, metavar="OTHER...", type=click.Path(path_type=Path))
@JSON
def merge(index: Path, others: tuple[Path, ...], as_json: bool) -> None:
    """Take over the runs of other indices; those stay as they are.

    \b
    Example:
      curate index merge seen seen-by-the-other-team
    """
    from curate.index import Index

    added = Index(index).merge([Index(other) for other in others])
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in added], ensure_ascii=False))
        return
    click.echo(f"{len(added)} runs with {sum(entry.documents for entry in added):,} documents added: {index}")


@index.command()
@INDEX
@click.option("--run", help="A run, by its name in the index.")
@click.option("--source", help="A source, of every run.")
@JSON
def forget(index: Path, run: str | None, source: str | None, as_json: bool) -> None:
    """Remove a run or a source; nothing of its documents stays in the index.

    \b
    Example:
      curate index forget seen --source forum
    """
    from curate.index import Index

    if (run is None) == (source is None):
        raise click.UsageError("say either --run NAME or --source NAME")
    forgotten = Index(index).forget(run=run, source=source)
    click.echo(json.dumps({"forgotten": forgotten}) if as_json else f"{forgotten:,} documents forgotten: {index}")


@index.command()
@INDEX
@JSON
def info(index: Path, as_json: bool) -> None:
    """Say what an index holds and how it was sketched.

    \b
    Example:
      curate index info seen
    """
    import polars as pl

    from curate.index import Index
    from curate.questions.terminal import table

    manifest = Index(index).manifest
    if as_json:
        entries = [asdict(entry) for entry in manifest.entries]
        click.echo(json.dumps({"parameters": asdict(manifest.parameters), "runs": entries}, ensure_ascii=False))
        return
    chosen = manifest.parameters
    kinds = ", ".join(f"{name} {value}" for name, value in chosen.minhash or ()) or "exact duplicates only"
    click.echo(kinds + ("; signatures only" if chosen.signatures_only else ""))
    rows = [
        {"run": entry.run, "documents": entry.documents, "MB": round(entry.bytes / 1e6, 1), "recipe": entry.recipe,
         "sources": ", ".join(f"{name} {count:,}" for name, count in entry.sources.items())}
        for entry in manifest.entries
    ]  # fmt: skip
    if rows:
        table(pl.DataFrame(rows))
