"""`curate mix`: the mix of a decided run again, with shares that are given, searched for, or learnt from losses."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.options import JSON, RUN, THREADS, TOKENS, named_files_option, options

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.recipe import Recipe
    from curate.run import Run
    from curate.storage import Location

_WAYS = ("--share", "--search", "--regmix", "--regmix-samples")

_SEARCH = options(
    click.option("--search", is_flag=True, help="Find the shares that make the references most likely."),
    named_files_option(
        "--reference",
        "references",
        "books=books/*.jsonl",
        "Texts that a model of the mix should predict well; can be repeated.",
    ),
    click.option(
        "--objective",
        type=click.Choice(["mean", "worst"]),
        default="mean",
        show_default=True,
        help="Of several references or losses, what is minimised.",
    ),
    click.option(
        "--sample", default="5MB", show_default=True, help="Text of each class that --search trains a model on."
    ),
    click.option(
        "--regmix",
        type=click.Path(path_type=Path),
        metavar="TABLE",
        help="Find the shares by a regression on losses that you measured: CSV or Parquet, a column a class.",
    ),
    click.option("--loss", "losses", multiple=True, metavar="COLUMN", help="Loss in TABLE; can be repeated."),
    click.option(
        "--regmix-samples",
        type=click.IntRange(min=1),
        metavar="N",
        help="Print N random mixes as CSV, to train small models on for --regmix.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of --regmix and --regmix-samples."),
)  # fmt: skip


@click.command()
@RUN
@TOKENS
@click.option(
    "--share", "shares", multiple=True, metavar="CLASS=SHARE", help="Share of a class; the others keep theirs."
)
@click.option("--max-epochs", type=float, help="How often a class may be seen.")
@_SEARCH
@click.option("--dry-run", is_flag=True, help="Print the mix; leave the run as it is.")
@THREADS
@JSON
def mix(
    run: Location, tokens: str | None, max_epochs: float | None, dry_run: bool, threads: int | None, **how: Any
) -> None:
    """Draw the mix of a decided run again, with another budget or other shares, in seconds.

    Steps are not run again; `curate write RUN` then writes the new mix.

    \b
    Examples:
      curate mix run --tokens 2B
      curate mix run --share code=0.3 --share math=0.2 --dry-run
      curate mix run --tokens 2B --search --reference books=books/*.jsonl.zst --reference news=news.parquet
      curate mix run --tokens 2B --regmix-samples 64 > mixes.csv
      curate mix run --tokens 2B --regmix losses.csv --loss books --loss news
    """
    from dataclasses import asdict

    from curate.engines.local import Local
    from curate.mix.remix import draw_again, remix
    from curate.pipeline import working
    from curate.recipe import parse_count
    from curate.run import Run
    from curate.terminal import allocations

    _check(how)
    found = Run(run)
    recipe = found.recipe.with_tokens(parse_count(tokens))
    if max_epochs is not None:
        recipe = recipe.with_mix({"max_epochs": max_epochs})
    with working(found, Local(threads)) as engine:
        if how["regmix_samples"]:
            _print_samples(found, recipe, engine, how["regmix_samples"], how["seed"])
            return
        recipe, facts = _with_shares(found, recipe, engine, how)
        drawn = draw_again(found, recipe, engine)[1] if dry_run else remix(found, recipe, engine)
    if how["as_json"]:
        entries = [asdict(entry) for entry in drawn.allocations]
        click.echo(json.dumps({**facts, "mix": entries} if facts else entries, ensure_ascii=False))
        return
    allocations(drawn.allocations)
    if not dry_run:
        click.echo(f"The decisions hold this mix now; to write it: curate write {found.path}")


def _check(how: dict[str, Any]) -> None:
    """Refuse options that contradict one another, or of which one is of no use without another."""
    ways = dict(zip(_WAYS, (how["shares"], how["search"], how["regmix"], how["regmix_samples"]), strict=True))
    given = [name for name, value in ways.items() if value]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} each give shares of their own; use one")
    for one, other, needs in (
        ("search", "references", "--search needs texts to predict: --reference NAME=FILES"),
        ("references", "search", "--reference is for --search"),
        ("regmix", "losses", "--regmix needs the column with the loss: --loss COLUMN"),
        ("losses", "regmix", "--loss is for --regmix"),
    ):
        if how[one] and not how[other]:
            raise click.UsageError(needs)


def _with_shares(run: Run, recipe: Recipe, engine: Engine, how: dict[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """Return the recipe with the shares that are asked for, and what is to be said of them; print it unless as JSON."""
    from curate.mix.remix import parse_shares, with_shares

    if how["search"]:
        return _searched(run, recipe, engine, how)
    if how["regmix"]:
        return _learnt(run, recipe, engine, how)
    return (with_shares(run, recipe, parse_shares(how["shares"])) if how["shares"] else recipe), {}


def _searched(run: Run, recipe: Recipe, engine: Engine, how: dict[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    from curate.memory import parse_size
    from curate.search.search import search
    from curate.search.terminal import as_dict, print_search
    from curate.terminal import say

    sample, objective = parse_size(how["sample"]), how["objective"]
    references = {name: [f"{name}={one}" for one in files] for name, files in how["references"].items()}
    found = search(run, recipe, references, engine, objective=objective, sample=sample, say=say)
    if not how["as_json"]:
        print_search(found)
    return found.recipe, {"search": as_dict(found)}


def _learnt(run: Run, recipe: Recipe, engine: Engine, how: dict[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    from dataclasses import asdict

    from curate.mix.remix import reached
    from curate.search.budget import budget_of
    from curate.search.regmix import regmix
    from curate.search.terminal import print_regmix

    budget = budget_of(run, recipe, reached(run, recipe, engine))
    found = regmix(budget, how["regmix"], how["losses"], how["objective"], how["seed"])
    if not how["as_json"]:
        print_regmix(found)
    return budget.with_shares(found.shares["found"]), {"regmix": asdict(found)}


def _print_samples(run: Run, recipe: Recipe, engine: Engine, count: int, seed: int) -> None:
    from curate.mix.remix import reached
    from curate.search.budget import budget_of, rounded
    from curate.search.regmix import candidates

    budget = budget_of(run, recipe, reached(run, recipe, engine))
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(budget.names)
    table.writerows(rounded(shares).tolist() for shares in candidates(budget, count, seed))
