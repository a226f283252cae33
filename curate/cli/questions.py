"""Commands that answer questions about a run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curate.cli.options import JSON, RUN


@click.command()
@RUN
@click.argument("id")
@JSON
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


@click.command()
@RUN
@click.option("--dropped-by", metavar="STEP", help="Documents that this step dropped.")
@click.option("--kept", is_flag=True, help="Documents that were kept.")
@click.option("-n", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@JSON
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


@click.command()
@RUN
@click.argument("sql")
@JSON
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


@click.command()
@RUN
@JSON
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
