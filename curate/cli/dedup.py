"""`curate dedup`: only deduplication, and how well it does: its S-curve, and its audit against brute force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.group import CommandGroup
from curate.cli.options import ENGINE, FORMAT, IGNORE_DISK, INDEX, JSON, MEMORY, READING, RUN, THREADS, Place, options

if TYPE_CHECKING:
    from curate.dedup.curves import Distribution
    from curate.storage import Location

_SHARE = click.FloatRange(0, 1, min_open=True)
_NUMBER = click.IntRange(min=1)
_BANDS = options(
    click.option("--bands", type=_NUMBER, help="Bands of a signature.  [default: 14]"),
    click.option("--rows", type=_NUMBER, help="Values in a band.  [default: 8]"),
    click.option("--find", type=_SHARE, metavar="SHARE", help="Choose bands and rows to find this share of pairs ..."),
)
_MINHASH = options(
    _BANDS,
    click.option("--at", type=_SHARE, metavar="SIMILARITY", help="... with this Jaccard similarity.  [default: 0.8]"),
    click.option("--permutations", type=_NUMBER, help="Most permutations for --find.  [default: 128]"),
    click.option("--seed", type=click.IntRange(min=0), help="Decides the permutations.  [default: 1]"),
    click.option("--ngram", type=_NUMBER, help="Words in a shingle.  [default: 5; 9 characters]"),
    click.option("--shingle", type=click.Choice(["word", "char"]), help="What shingles are made of.  [default: word]"),
    click.option(
        "--normalise", type=click.Choice(["none", "lower", "fineweb"]), help="Before shingling.  [default: lower]"
    ),
    click.option("--fold-numbers", is_flag=True, help="Let numbers count as 0."),
    click.option(
        "--verify",
        metavar="SIMILARITY",
        help="Needed with the survivor to be dropped: 0.8, containment, containment=0.9, or off.  [default: 0.7]",
    ),
    click.option(
        "--short",
        type=click.Choice(["exact", "keep", "drop"]),
        help="Documents with fewer words than a shingle.  [default: exact]",
    ),
)
_POLICY = options(
    click.option(
        "--keep", metavar="ORDER", help='Which copy stays, the first in this order.  [default: "char_count DESC"]'
    ),
    click.option("--within", metavar="COLUMN", multiple=True, help="Look inside equal values only; may be repeated."),
    click.option("--priority", metavar="SOURCE", multiple=True, help="Sources to keep copies from, in order."),
    click.option("--protect", metavar="SOURCE", multiple=True, help="Never drop from this source; may be repeated."),
    click.option("--alarm", type=_SHARE, help="Call out a source that loses more than this.  [default: 0.9]"),
)
_OWN = ("bands", "rows", "find", "at", "permutations", "seed", "ngram", "shingle", "normalise", "short")  # of minhash


@click.group(cls=CommandGroup)
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("--out", type=Place(), help="Run directory to make or go on with.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="METHOD",
    help="exact, url or minhash; may be repeated, in order.  [default: exact, minhash]",
)
@_POLICY
@click.option("--url-column", metavar="COLUMN", help="Holds the URL, for --method url.  [default: url]")
@_MINHASH
@click.option("--print-recipe", is_flag=True, help="Print the recipe that this is, and do nothing.")
@FORMAT
@THREADS
@MEMORY
@ENGINE
@INDEX
@READING
@IGNORE_DISK
@JSON
def dedup(
    inputs: tuple[str, ...],
    out: Location | None,
    methods: tuple[str, ...],
    url_column: str | None,
    fold_numbers: bool,
    verify: str | None,
    print_recipe: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Remove duplicates and nothing else.

    The same as `curate corpus` with a recipe of dedup steps only: the run at --out has the same report, resumes,
    and answers the same questions (curate explain, show, query). Texts are written as they came.

    \b
    Examples:
      curate dedup raw/*.jsonl.zst --out run
      curate dedup raw/ --out run --method minhash --find 0.95 --at 0.8 --keep "date DESC"
    """
    from curate.cli.stages import print_summary
    from curate.corpus import corpus
    from curate.dedup.recipe_text import dedup_recipe
    from curate.recipe import Recipe
    from curate.terminal import Bars

    chosen = methods or ("exact", "minhash")
    minhash = {key: given.pop(key) for key in _OWN}
    minhash |= {"fold_numbers": fold_numbers or None, "verify": _verify(verify)}
    every = {key: given.pop(key) for key in ("keep", "within", "priority", "protect", "alarm")}
    for method, keys in (("minhash", minhash), ("url", {"url_column": url_column})):
        used = [f"--{key.replace('_', '-')}" for key, value in keys.items() if value is not None]
        if used and method not in chosen:
            raise click.UsageError(f"{', '.join(used)}: for --method {method} only")
    text = dedup_recipe(chosen, every, {"minhash": minhash, "url": {"url_column": url_column}})
    recipe = Recipe.parse(text, "dedup")
    if print_recipe:
        click.echo(text, nl=False)
        return
    if not inputs or out is None:
        raise click.UsageError("Missing argument 'INPUT...'." if not inputs else "Missing option '--out'.")
    with Bars() as bars:
        run = corpus(inputs, out, recipe, progress=bars, **given)
    print_summary(run, as_json)


def _verify(given: str | None) -> float | bool | str | dict[str, float] | None:
    """Read --verify as the recipe has it: a similarity, off, containment, or containment=0.9."""
    if given is None or given in ("off", "containment"):
        return None if given is None else given != "off" and given
    measure, equals, number = given.rpartition("=")
    try:
        return {measure: float(number)} if equals else float(number)
    except ValueError:
        raise click.UsageError(
            f"--verify {given}: give a similarity such as 0.7, containment, containment=0.9, or off"
        ) from None


@dedup.command()
@_BANDS
@click.option(
    "--at",
    type=_SHARE,
    default=0.8,
    show_default=True,
    metavar="SIMILARITY",
    help="Similarity from which on pairs are wanted.",
)
@click.option("--permutations", type=_NUMBER, help="Most permutations to spend.  [default: 128]")
@click.option("--run", type=Place(), help="Count the cost over a sample of this run's documents.")
@click.option("--sample", type=click.IntRange(min=2), default=5000, show_default=True, help="Documents of that sample.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Write the curves to this SVG file.")
@JSON
def curve(
    bands: int | None,
    rows: int | None,
    find: float | None,
    at: float,
    permutations: int | None,
    run: Location | None,
    sample: int,
    svg: Path | None,
    as_json: bool,
) -> None:
    """Show which share of the pairs a choice of bands and rows finds, by similarity, and what it costs.

    Plots the S-curve beside the default's and the one that datasketch would choose, and counts the extra candidates:
    pairs below the wanted similarity that are compared for nothing.

    \b
    Examples:
      curate dedup curve --bands 14 --rows 8
      curate dedup curve --find 0.95 --at 0.8 --run run
    """
    from curate.dedup.bands import PERMUTATIONS, choose
    from curate.dedup.curve_chart import in_svg
    from curate.dedup.curves import WEB_PAGES, explain_choice
    from curate.dedup.terminal import curves
    from curate.recipe import Dedup

    if find is not None and (bands or rows):
        raise click.UsageError("give either --bands and --rows, or --find with --at")
    if (bands is None) != (rows is None):
        raise click.UsageError("--bands and --rows belong together")
    if permutations is not None and find is None:
        raise click.UsageError("--permutations is the most that --find may spend; give --find")
    if find is not None:
        bands, rows = choose(find, at, permutations or PERMUTATIONS)
        permutations = permutations or PERMUTATIONS
    default = Dedup("", "minhash")
    pairs = WEB_PAGES if run is None else _of_run(run, sample)
    found = explain_choice(bands or default.bands, rows or default.rows, at=at, permutations=permutations, pairs=pairs)
    found["find"] = find
    if svg:
        choices = {name: (choice["bands"], choice["rows"]) for name, choice in found["choices"].items()}
        svg.write_text(in_svg(choices, at), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found))
    else:
        curves(found)


def _of_run(path: Location, sample: int) -> Distribution:
    from curate.dedup.audit import distribution
    from curate.engines.local import Local
    from curate.pipeline import working
    from curate.run import Run

    found = Run(path)
    with working(found, Local(None)) as engine:
        return distribution(found, engine, sample=sample)


@dedup.command()
@RUN
@click.option("--step", metavar="NAME", help="The minhash step to audit.  [default: the first]")
@click.option(
    "--sample", type=click.IntRange(min=2), default=5000, show_default=True, help="Documents to compare, all with all."
)
@click.option(
    "--threshold", type=_SHARE, help="Similarity that makes a duplicate.  [default: the step's verify, or 0.8]"
)
@click.option(
    "--min-shingles", type=click.IntRange(min=1), default=1, show_default=True, help="Leave out documents with fewer."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides the sample.")
@click.option(
    "--pairs",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Judge by labelled pairs in this JSONL file instead.",
)
@THREADS
@JSON
def audit(
    run: Location,
    pairs: Path | None,
    step: str | None,
    sample: int,
    threshold: float | None,
    min_shingles: int,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compare a sample of a run's documents all with all, and say what deduplication found and missed.

    The sample is read again and every pair compared exactly, n * (n - 1) / 2 of them: recall and precision of the
    bands by similarity beside the S-curve, of removals, and purity of clusters. The run is not changed. With --pairs,
    known pairs {"a", "b", "jaccard"} are looked up instead, by id.

    \b
    Examples:
      curate dedup audit run
      curate dedup audit run --sample 20000 --threshold 0.8 --json
      curate dedup audit run --pairs labelled.pairs.jsonl.zst
    """
    from curate.dedup.audit import audit_run
    from curate.dedup.labelled_pairs import audit_pairs
    from curate.dedup.terminal import audit_tables, pair_tables
    from curate.engines.local import Local
    from curate.pipeline import working
    from curate.run import Run

    found = Run(run)
    with working(found, Local(threads)) as engine:
        if pairs is not None:
            known = audit_pairs(found, engine, pairs, step=step, threshold=threshold, min_shingles=min_shingles)
        else:
            known = audit_run(
                found, engine, step=step, sample=sample, threshold=threshold, min_shingles=min_shingles, seed=seed
            )
    if as_json:
        click.echo(json.dumps(known))
    elif pairs is not None:
        pair_tables(known)
    else:
        audit_tables(known)
