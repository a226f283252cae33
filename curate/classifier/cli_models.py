"""`curate classifier label`, `score` and `inspect`: the commands that use a model or ask one.

Each parses, calls one function, and prints; nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

_INPUTS = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
_TEXT = click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
_ID = click.option(
    "--id-column", default="id", show_default=True, help="Column that holds the id; made up when absent."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def _show_rubric(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from curate.classifier.labelling import shipped_rubric

        click.echo(shipped_rubric(), nl=False)
        context.exit()


@click.command()
@_INPUTS
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Parquet file to write.")
@click.option(
    "--endpoint",
    envvar="CURATE_ENDPOINT",
    show_envvar=True,
    required=True,
    help="OpenAI-compatible endpoint, such as http://localhost:8000/v1.",
)
@click.option("--model", required=True, help="Name of the model at the endpoint.")
@click.option("--rubric", type=click.Path(path_type=Path), help="File with the prompt.  [default: --show-rubric]")
@click.option("--sample", default=1000, show_default=True, type=click.IntRange(min=1), help="Documents to label.")
@click.option(
    "--max-chars", default=8000, show_default=True, type=click.IntRange(min=1), help="Characters of a text to send."
)
@click.option("--concurrency", default=8, show_default=True, type=click.IntRange(1, 512), help="Requests at a time.")
@click.option("--requests-per-minute", type=click.FloatRange(min=0, min_open=True), help="Limit.  [default: none]")
@click.option("--retries", default=5, show_default=True, type=click.IntRange(min=0), help="Tries after the first.")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds to wait for an answer.",
)
@click.option(
    "--split",
    type=click.FloatRange(0, 5),
    help="Also write OUT.positive.parquet (scores of at least this) and OUT.negative.parquet, to train on.",
)
@_TEXT
@_ID
@_JSON
@click.option(
    "--show-rubric",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_rubric,
    help="Print the shipped rubric, to copy and edit, and exit.",
)
def label(
    inputs: tuple[str, ...],
    out: Path,
    rubric: Path | None,
    sample: int,
    max_chars: int,
    concurrency: int,
    split: float | None,
    text_column: str,
    id_column: str,
    as_json: bool,
    **connection: Any,
) -> None:
    """Let a language model score documents from 0 to 5, as labels to train a classifier on.

    The key is read from CURATE_API_KEY or OPENAI_API_KEY and never written anywhere. Answers are kept in a cache beside
    OUT: the same command goes on where it stopped, and a larger --sample asks only for what is new.

    \b
    Example:
      curate classifier label web/*.jsonl.zst --out labels.parquet --sample 20000 --split 3 \\
          --endpoint http://localhost:8000/v1 --model my-model
      curate classifier train --positive labels.positive.parquet --negative labels.negative.parquet -o edu.ftz
    """
    from curate.classifier import labelling
    from curate.classifier.counter import Counter
    from curate.shards import ReadOptions, plan, refuse_inputs
    from curate.terminal import say

    prompt = labelling.read_rubric(rubric)
    if out.suffix != ".parquet":
        raise click.UsageError(f"--out {out}: labels are a Parquet file; give it a name that ends in .parquet")
    client = _client(**connection)
    say("Choosing documents …")
    options = ReadOptions(text_column, id_column, metadata=False)
    refuse_inputs([out], plan(inputs))
    documents = labelling.sample(inputs, sample, max_chars, options)
    out.parent.mkdir(parents=True, exist_ok=True)
    with Counter("labelling", len(documents)) as counter:
        found = labelling.label(
            documents,
            out,
            client,
            rubric=prompt,
            concurrency=concurrency,
            split=split,
            advance=counter.advance,
        )
    _print_labels(found, as_json)


def _client(endpoint: str, model: str, requests_per_minute: float | None, retries: int, timeout: float) -> Any:
    import os

    from curate.classifier.chat import Client

    key = os.environ.get("CURATE_API_KEY") or os.environ.get("OPENAI_API_KEY")
    return Client(endpoint, model, key, timeout=timeout, retries=retries, per_minute=requests_per_minute)


def _print_labels(found: Any, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps(asdict(found) | {"files": [str(path) for path in found.files]}))
        return
    click.echo(f"{found.documents:,} documents, {found.asked:,} of them asked for now")
    for score, count in found.scores.items():
        click.echo(f"  score {score:3} {count:8,}")
    for reason, count in found.unusable.items():
        click.echo(f"  no score: {reason} {count:,}")
    click.echo("\n".join(str(path) for path in found.files))


@click.command()
@click.argument("model")
@_INPUTS
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Directory for the files of scores.")
@click.option("--label", help="Label to score.  [default: the model's positive one, else the most probable]")
@click.option("--top-k", type=click.IntRange(min=1), help="The best K labels of each document, with their scores.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads to use.  [default: all cores]")
@_TEXT
@_ID
@_JSON
def score(
    model: str,
    inputs: tuple[str, ...],
    out: Path,
    label: str | None,
    top_k: int | None,
    threads: int | None,
    text_column: str,
    id_column: str,
    as_json: bool,
) -> None:
    """Score documents with a classifier: a Parquet file for every shard.

    MODEL is a shipped name (language, quality, domain) or a fastText file (.bin, .ftz). Columns: id, source, shard, row
    and the score. The same command again scores only what is new or has changed.

    \b
    Examples:
      curate classifier score quality web/*.parquet --out scores
      curate classifier score language web/ --out languages --top-k 3
    """
    from dataclasses import asdict

    from curate.classifier.counter import Counter
    from curate.classifier.scoring import score_files
    from curate.engines.local import Local
    from curate.shards import ReadOptions, plan

    with Counter("scoring", sum(shard.bytes for shard in plan(inputs))) as counter:
        found = score_files(
            model,
            inputs,
            out,
            label=label,
            top_k=top_k,
            options=ReadOptions(text_column, id_column, metadata=False),
            engine=Local(threads),
            advance=counter.advance,
        )
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    already = f"; {found.skipped:,} were scored already" if found.skipped else ""
    rejected = f"; {found.rejected:,} records are no documents" if found.rejected else ""
    count = found.scored + found.skipped
    shards = "1 shard" if count == 1 else f"{count:,} shards"
    click.echo(f"{found.documents:,} documents in {shards}{already}{rejected}: {out}")


@click.command()
@click.argument("model")
@click.option("--text", help="Text to explain the score of.")
@click.option("--file", type=click.Path(path_type=Path), help="File with the text to explain the score of.")
@click.option("--label", help="Label to explain.  [default: the model's positive one, else the most probable]")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=1), help="Words and n-grams to show.")
@_JSON
def inspect(model: str, text: str | None, file: Path | None, label: str | None, top: int, as_json: bool) -> None:
    """Say what a classifier is made of, and which words moved the score of a text.

    What each word and n-gram adds to the log-odds is exact: the parts sum to the whole.

    \b
    Examples:
      curate classifier inspect quality
      curate classifier inspect quality --text "The river rises in the hills."
    """
    from dataclasses import asdict

    from classifiers import ClassifierError
    from classifiers.explain import describe, explain
    from curate.classifier.inspection import print_description, print_explanation
    from curate.errors import RecipeError

    if text is not None and file is not None:
        raise click.UsageError("give --text or --file, not both")
    if file is not None:
        text = file.read_text(encoding="utf-8", errors="replace")
    try:
        description = describe(model)
        explanation = None if text is None else explain(model, text, label)
    except ClassifierError as error:
        raise RecipeError(str(error)) from None
    if as_json:
        result = description | ({} if explanation is None else {"explanation": asdict(explanation)})
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    print_description(description)
    if explanation is not None:
        print_explanation(explanation, top)
