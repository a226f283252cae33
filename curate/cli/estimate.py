"""`curate estimate`: what a run will take, before it is made."""

from __future__ import annotations

import json
from typing import Any

import click

from curate.cli.options import INPUTS, JSON, PLUGIN, RECIPE, SAMPLED, THREADS, Finite, Place


@click.command()
@INPUTS
@RECIPE
@THREADS
@click.option("--tokens", default="15T", show_default=True, help="Also estimate for so many tokens of such text.")
@click.option("--cores", type=click.IntRange(min=1), help="Cores for that many.  [default: the threads]")
@click.option("--seconds", type=Finite(1, 600), default=20, show_default=True, help="Time to spend, about.")
@click.option("--price-per-core-hour", type=Finite(min=0), help="To show a cost, in your currency.")
@click.option(
    "--out",
    type=Place(),
    default=".",
    show_default=True,
    help="Where the run would be made, for its free space.",
)
@SAMPLED
@PLUGIN
@JSON
def estimate(inputs: tuple[str, ...], recipe: str, tokens: str, as_json: bool, **options: Any) -> None:
    """Say what a run over INPUT will take, stage by stage, without making it.

    Time, memory, disk, bytes shuffled and money: for all of INPUT, and for --tokens of such text on --cores, with 95%
    intervals. Runs a sample of the inputs in a temporary directory and scales what it took. Exits with 1 when the disk
    is too small.

    \b
    Example:
      curate estimate raw/*.jsonl.zst --recipe fineweb --tokens 15T --cores 4096 --price-per-core-hour 0.04
    """
    from curate.estimate.estimate import estimate as estimate_run
    from curate.estimate.terminal import estimate_tables
    from curate.recipe import parse_count
    from curate.terminal import Bars, say, size

    wanted = parse_count(tokens)
    say("Running a sample of the inputs …")
    with Bars() as bars:
        found = estimate_run(inputs, recipe, tokens=wanted, progress=bars, **options)
    if as_json:
        click.echo(json.dumps(found))
    else:
        estimate_tables(found)
    if not found["fits"]:
        click.echo(
            f"error: the run takes {size(found['whole']['disk'])} of disk, {size(found['free_disk'])} are free at "
            f"{options['out']}",
            err=True,
        )
        raise SystemExit(1)
