"""`curate audit`: does the mix train a better model?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.audit.sizes import DEFAULT_SIZE, SIZES, STEPS
from curate.cli.options import JSON, JSON_LOG, THREADS, Place, named_files_option

if TYPE_CHECKING:
    from curate.storage import Location

PROXIES = ("ngram", "transformer", "both")


def _shares(context: Any, parameter: Any, given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for one in given:
        source, _, share = one.rpartition("=")
        try:
            found[source] = float(share)
        except ValueError:
            raise click.BadParameter(f"{one}: write --heldout-share SOURCE=0.1") from None
    return found


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=Place())
@named_files_option(
    "--reference",
    "references",
    "books=books/*.jsonl",
    "Clean texts to predict, from another source than the corpus; can be repeated.",
)
@click.option(
    "--heldout-share",
    "heldout",
    multiple=True,
    metavar="SOURCE=SHARE",
    callback=_shares,
    help="Keep a share of a source of the run out of training and predict it; can be repeated.",
)
@named_files_option(
    "--corpus", "corpora", "other=mix/*.parquet", "A mix that another tool made, to compare; can be repeated."
)
@named_files_option(
    "--tasks",
    "tasks",
    "arc=arc.jsonl",
    "Questions, JSON lines with question, choices and answer; can be repeated.",
    metavar="NAME=FILE",
)
@click.option("--sample", default="20MB", show_default=True, help="Text that each model is trained on.")
@click.option("--reference-sample", default="1MB", show_default=True, help="Text of each reference to predict.")
@click.option(
    "--proxy",
    type=click.Choice(PROXIES),
    default="ngram",
    show_default=True,
    help="Model to train; both: also how far they agree. The transformer needs PyTorch and looks at no steps.",
)
@click.option(
    "--proxy-size",
    type=click.Choice(list(SIZES)),
    default=DEFAULT_SIZE,
    show_default=True,
    help="Parameters of the transformer.",
)
@click.option(
    "--proxy-steps",
    type=click.IntRange(min=1),
    default=STEPS,
    show_default=True,
    help="Steps that the transformer is trained for, of 1,024 tokens for 1M to 8,192 for 30M.",
)
@click.option("--proxy-tokenizer", type=click.Path(), help="tokenizer.json of the transformer.  [default: bytes]")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Models for each arm.")
@click.option("--steps/--no-steps", default=True, help="Find out what each step bought.  [default: with one RUN]")
@click.option("--memory", default="1GB", show_default=True, help="Memory for the counts of all models at work.")
@click.option("--text-column", default="text", show_default=True, help="Column of references and corpora.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the result to this JSON file too.")
@THREADS
@JSON
@JSON_LOG
def audit(
    runs: tuple[Location, ...],
    references: dict[str, list[str]],
    heldout: dict[str, float],
    corpora: dict[str, list[str]],
    tasks: dict[str, list[str]],
    sample: str,
    reference_sample: str,
    proxy: str,
    proxy_size: str,
    proxy_steps: int,
    proxy_tokenizer: str | None,
    seeds: int,
    steps: bool,
    memory: str,
    text_column: str,
    out: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train small models on raw text, random documents and the mix, and see which predicts clean references best.

    Samples have equal bytes; documents near a reference are left out. Bits per byte: lower is better. With one RUN,
    also what each step bought, and the answer goes into the run's report. With several RUNs their mixes are compared.

    \b
    Examples:
      curate audit run --reference books=books.jsonl.zst --reference wiki=wiki/*.parquet
      curate audit run --heldout-share textbooks=0.1 --tasks arc=arc.jsonl
      curate audit run --reference books=books.jsonl.zst --proxy both --proxy-size 1M --seeds 1
      curate audit run stricter --corpus other=other-mix/*.parquet --reference books=books.jsonl.zst
    """
    from functools import partial

    from curate.audit.audit import audit as train_and_compare
    from curate.audit.audit import store
    from curate.audit.second_opinion import second_opinion
    from curate.audit.terminal import audit_tables
    from curate.audit.transformer import TransformerProxy
    from curate.run import Run
    from curate.shards import atomic_bytes
    from curate.terminal import Bars

    twice = [name for name, files in tasks.items() if len(files) > 1]
    if twice:
        raise click.UsageError(f"--tasks {twice[0]} is given twice; give each file a name of its own")
    found = [Run(path) for path in runs]
    transformer = None
    if proxy != "ngram":
        transformer = TransformerProxy(proxy_size, proxy_steps, proxy_tokenizer, threads)
    with Bars() as bars:
        asked = partial(
            train_and_compare,
            found[0],
            {name: [f"{name}={one}" for one in files] for name, files in references.items()},
            others=found[1:],
            corpora={name: [f"{name}={one}" for one in files] for name, files in corpora.items()},
            heldout=heldout,
            tasks={name: files[0] for name, files in tasks.items()},
            sample=sample,
            seeds=seeds,
            memory=memory,
            threads=threads,
            text_column=text_column,
            reference_bytes=reference_sample,
            progress=bars,
        )
        if proxy == "transformer":
            result = asked(proxy=transformer, steps=False)
        else:
            result = asked(steps=steps and len(found) == 1)
        if proxy == "both":
            result["second"] = second_opinion(result, asked(proxy=transformer, steps=False))
        if len(found) == 1:
            store(found[0], result, threads)
    if out:
        atomic_bytes(out, json.dumps(result, indent=1, ensure_ascii=False).encode())
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        audit_tables(result, found[0].path if len(found) == 1 else None)
