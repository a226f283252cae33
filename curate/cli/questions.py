"""Commands that answer questions about a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from curate.cli.options import JSON, RUN, Place

if TYPE_CHECKING:
    from curate.storage import Location


@click.command()
@RUN
@click.argument("id")
@JSON
def explain(run: Location, id: str, as_json: bool) -> None:
    """Say what became of a document and why: every step with its rule and values, its survivor, its text.

    \b
    Example:
      curate explain run doc-17
    """
    from curate.engines.local import Local
    from curate.questions.explain import explain as look_up
    from curate.questions.terminal import explanation
    from curate.run import Run

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
@click.option("--near", metavar="STEP", help="Documents nearest to the threshold of this step, on both sides.")
@click.option("-n", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@JSON
def show(run: Location, dropped_by: str | None, kept: bool, near: str | None, count: int, as_json: bool) -> None:
    """Show some documents that a step dropped, some that were kept, or the borderline ones of a step.

    What made the difference is highlighted in the text.

    \b
    Examples:
      curate show run --dropped-by gopher_dup_lines -n 3 | less -R
      curate show run --near top_quality
    """
    from curate.engines.local import Local
    from curate.questions.show import near as look_near
    from curate.questions.show import show as look_up
    from curate.questions.terminal import sample
    from curate.run import Run

    if kept + (dropped_by is not None) + (near is not None) != 1:
        raise click.UsageError("say one of --dropped-by STEP, --kept and --near STEP")
    found = look_near(Run(run), near, count, Local()) if near else look_up(Run(run), dropped_by, count, Local())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    for document in found:
        sample(document)


@click.command()
@RUN
@click.argument("sql")
@JSON
def query(run: Location, sql: str, as_json: bool) -> None:
    """Answer an SQL question about a run; the tables are `signals` and `decisions`.

    \b
    Example:
      curate query run "SELECT dropped_by, COUNT(*) AS n FROM decisions GROUP BY dropped_by ORDER BY n DESC"
    """
    from curate.questions.query import query as ask
    from curate.questions.terminal import table
    from curate.run import Run

    answer = ask(Run(run), sql)
    click.echo(json.dumps(answer.to_dicts(), ensure_ascii=False, default=str)) if as_json else table(answer)


@click.command()
@click.argument("run_a", metavar="RUN_A", type=Place())
@click.argument("run_b", metavar="RUN_B", type=Place())
@click.option("-n", "count", type=click.IntRange(min=0), default=4, show_default=True, help="Samples of each kind.")
@JSON
def diff(run_a: Location, run_b: Location, count: int, as_json: bool) -> None:
    """Say what a change of recipe does: documents that RUN_B gains and loses against RUN_A, by step.

    \b
    Example:
      curate diff run-web run-stricter
    """
    from curate.engines.local import Local
    from curate.questions.compare import compare
    from curate.questions.terminal import comparison
    from curate.run import Run

    found = compare(Run(run_a), Run(run_b), count, Local())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    comparison(found, (str(run_a), str(run_b)))


@click.command()
@RUN
@click.argument("filter", required=False)
@click.option("--signal", help="Which comparison to move, where the filter has several.")
@click.option("--operator", type=click.Choice(["<=", ">=", "<", ">", "="]), help="Likewise.")
@click.option("--at", multiple=True, type=float, metavar="THRESHOLD", help="Thresholds to try.  [default: quantiles]")
@JSON
def tune(
    run: Location,
    filter: str | None,
    signal: str | None,
    operator: str | None,
    at: tuple[float, ...],
    as_json: bool,
) -> None:
    """Say what another threshold of a filter would keep, without running anything again.

    Without FILTER it lists the thresholds of the run.

    \b
    Examples:
      curate tune run gopher_dup_lines
      curate tune run english --signal language_score --at 0.5 --at 0.8
    """
    from dataclasses import asdict

    from curate.questions.terminal import sweep
    from curate.questions.tune import tunable
    from curate.questions.tune import tune as look_up
    from curate.run import Run

    found = Run(run)
    if filter is None:
        listed = [
            dict(zip(("filter", "signal", "operator", "threshold"), one, strict=True)) for one in tunable(found.recipe)
        ]
        if as_json:
            click.echo(json.dumps(listed))
            return
        for one in listed:
            click.echo(f"{one['filter']:30} {one['signal']} {one['operator']} {one['threshold']:g}")
        return
    answer = look_up(found, filter, signal, at, operator)
    click.echo(json.dumps(asdict(answer))) if as_json else sweep(answer)


@click.command()
@RUN
@JSON
def status(run: Location, as_json: bool) -> None:
    """Say which stages of a run are done, and how far the running one is.

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
        note = _progress(stage["progress"]) if "progress" in stage else stage["note"]
        click.echo(f"{stage['stage']:8} {stage['state']:12} {stage['seconds']:8.1f} s  {note}")


def _progress(progress: dict[str, Any]) -> str:
    """Say how far a running stage is: bytes of input, rate, time left; or the step it is at."""
    from curate.terminal import size

    if not progress["total_bytes"]:
        return str(progress["doing"])
    done, total = progress["done_bytes"], progress["total_bytes"]
    left = "" if progress["left"] is None else f", about {progress['left'] / 60:.0f} minutes left"
    return f"{size(done)} of {size(total)}, {size(progress['rate'])} a second{left}"
