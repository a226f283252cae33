"""`curate dedup`: only deduplication, and how well it does: its S-curve, and its audit against brute force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.group import CommandGroup
from curate.cli.options import FORMAT, INPUTS, JSON, OUT, READING, RUN, THREADS, options

if TYPE_CHECKING:
    from curate.dedup.curves import Distribution

_SHARE = click.FloatRange(0, 1, min_open=True)
_BANDS = options(
    click.option("--bands", type=click.IntRange(min=1), help="Bands of a signature; with --rows.  [default: 14]"),
    click.option("--rows", type=click.IntRange(min=1), help="Values in a band; with --bands.  [default: 8]"),
    click.option("--find", type=_SHARE, metavar="SHARE", help="Instead: share of similar pairs to find, with --at."),
)


@click.group(cls=CommandGroup)
@INPUTS
@click.option("--out", type=click.Path(path_type=Path), help="Run directory to make or go on with.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="METHOD",
    help="exact, url or minhash; may be repeated, in order.  [default: exact, minhash]",
)
@click.option("--ngram", type=click.IntRange(min=1), help="Words in a shingle.  [default: 5]")
@_BANDS
@click.option("--at", type=_SHARE, metavar="SIMILARITY", help="Similarity from which on --find holds.")
@click.option("--verify", metavar="SIMILARITY", help="Needed with the survivor to be dropped, or off.  [default: 0.7]")
@click.option("--keep", metavar="ORDER", help='Which copy stays, the first in this order.  [default: "char_count DESC"]')
@click.option("--within", metavar="COLUMN", multiple=True, help="Look inside equal values of it only; may be repeated.")
@click.option("--seed", type=click.IntRange(min=1), help="Decides the permutations.  [default: 1]")
@click.option("--print-recipe", is_flag=True, help="Print the recipe that this is, and do nothing.")
@FORMAT
@THREADS
@READING
@JSON
def dedup(
    inputs: tuple[str, ...],
    out: Path | None,
    methods: tuple[str, ...],
    keep: str | None,
    within: tuple[str, ...],
    print_recipe: bool,
    as_json: bool,
    verify: str | None,
    ngram: int | None,
    bands: int | None,
    rows: int | None,
    find: float | None,
    at: float | None,
    seed: int | None,
    **reading: Any,
) -> None:
    """Remove duplicates and nothing else.

    The same as `curate corpus` with a recipe of dedup steps only: the run at --out has the same report, resumes,
    and answers the same questions (curate explain, show, query). Texts are written as they came.

    \b
    Examples:
      curate dedup raw/*.jsonl.zst --out run
      curate dedup raw/ --out run --method minhash --find 0.95 --at 0.8 --keep "date DESC"
    """
    from curate.corpus import corpus
    from curate.dedup.recipe_text import dedup_recipe
    from curate.recipe import Recipe
    from curate.terminal import Bars

    minhash = {"ngram": ngram, "bands": bands, "rows": rows, "find": find, "at": at, "seed": seed}
    minhash["verify"] = _verify(verify)
    text = dedup_recipe(methods or ("exact", "minhash"), keep=keep, within=within, keys={"minhash": minhash})
    if print_recipe:
        click.echo(text, nl=False)
        return
    if out is None:
        raise click.UsageError("Missing option '--out'.")
    recipe = Recipe.parse(text, "dedup")
    with Bars() as bars_:
        run = corpus(inputs, out, recipe, progress=bars_, **reading)
    from curate.cli.stages import print_summary

    print_summary(run, as_json)
