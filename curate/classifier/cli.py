"""`curate classifier …`: train, evaluate, score, inspect and label; each command calls one function and prints.

Like `cli`, it imports nothing heavy before a command needs it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curate.classifier import cli_models
from curate.errors import InputError


@click.group()
def classifier() -> None:
    """Train, evaluate, use and look into fastText classifiers.

    \b
    Example:
      curate classifier --help
    """


_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_TEXT_COLUMN = click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")


@classifier.command()
@click.option("--positive", multiple=True, metavar="INPUT", help="Documents of the label `positive`; may be repeated.")
@click.option("--negative", multiple=True, metavar="INPUT", help="Documents of the label `negative`; may be repeated.")
@click.option("--label", multiple=True, metavar="NAME=INPUT", help="Documents of a label of your own; may be repeated.")
@click.option("--positive-label", metavar="NAME", help="Which --label a score is of, when nothing else is said.")
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="Model file: .ftz (quantised) or .bin."
)
@_TEXT_COLUMN
@click.option(
    "--max-per-label", type=click.IntRange(min=2), help="Documents of a label to use at most.  [default: all]"
)
@click.option("--balance/--no-balance", default=True, show_default=True, help="Use as many documents of every label.")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 0.4, min_open=True),
    default=0.1,
    show_default=True,
    help="Share to hold out for the metrics; as much again is held out to calibrate and autotune on.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides samples and parts.")
@click.option("--dim", type=click.IntRange(min=1), help="Columns of the model.  [default: 16]")
@click.option("--epoch", type=click.IntRange(min=1), help="Times to go through the documents.  [default: 5]")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="Learning rate.  [default: 0.2]")
@click.option("--word-ngrams", type=click.IntRange(min=1), help="Words in a row that are a feature.  [default: 2]")
@click.option("--minn", type=click.IntRange(min=0), help="Shortest character n-gram.  [default: 0]")
@click.option("--maxn", type=click.IntRange(min=0), help="Longest character n-gram, 0 for none.  [default: 0]")
@click.option("--bucket", type=click.IntRange(min=1), help="Places for n-grams.  [default: 1048576]")
@click.option("--min-count", type=click.IntRange(min=1), help="Rarer words are left out.  [default: 2]")
@click.option("--loss", type=click.Choice(["softmax", "hs", "ns", "ova"]), help="Loss.  [default: softmax]")
@click.option(
    "--autotune",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="Look for the parameters that are not given, for about this long.",
)
@click.option("--quantize/--no-quantize", default=None, help="Make the model small.  [default: by the name of --out]")
@click.option(
    "--cutoff",
    type=click.IntRange(min=0),
    default=100_000,
    show_default=True,
    help="Words and n-grams that a quantised model keeps; 0 for all.",
)
@click.option(
    "--calibrate",
    type=click.Choice(["isotonic", "platt", "none"]),
    default="isotonic",
    show_default=True,
    help="How scores are made readable as probabilities.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="With more than one the model differs from run to run.",
)
@click.option("--overwrite", is_flag=True, help="Replace a model and card that are there.")
@_JSON
def train(
    positive: tuple[str, ...],
    negative: tuple[str, ...],
    label: tuple[str, ...],
    positive_label: str | None,
    out: Path,
    overwrite: bool,
    quantize: bool | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a fastText classifier from labelled documents and write its card (JSON) beside it.

    INPUT is a file, a directory or a glob, optionally source=INPUT, as for `curate corpus`. Which documents are used
    and held out is decided by hashes of their texts; near-duplicates of one another are never on both sides.

    \b
    Examples:
      curate classifier train --positive books/ --negative web/*.jsonl.zst -o good.ftz
      curate classifier train --label math=math/ --label code=src/ --label other=web/ -o domain.ftz --autotune 300
    """
    from curate.classifier.terminal import trained
    from curate.classifier.train import Choices, train_classifier
    from curate.terminal import say

    names = {
        "dim": "dim", "epoch": "epoch", "lr": "lr", "word_ngrams": "wordNgrams", "minn": "minn", "maxn": "maxn",
        "bucket": "bucket", "min_count": "minCount", "loss": "loss",
    }  # fmt: skip
    given = {fasttext: options.pop(name) for name, fasttext in names.items()}
    parameters = {name: value for name, value in given.items() if value is not None}
    inputs, scored = _inputs(positive, negative, label, positive_label)
    choices = Choices(parameters=parameters, quantise=quantize, **options)
    card = train_classifier(inputs, out, positive=scored, choices=choices, overwrite=overwrite, say=say)
    if as_json:
        click.echo(json.dumps(card, ensure_ascii=False))
    else:
        trained(card, out)


def _inputs(
    positive: tuple[str, ...], negative: tuple[str, ...], label: tuple[str, ...], positive_label: str | None
) -> tuple[dict[str, list[str]], str | None]:
    """Return inputs by label, and the label that scores are of."""
    from curate.classifier.labelled import parse_labelled

    if label and (positive or negative):
        raise InputError("give either --positive and --negative, or --label NAME=INPUT for each label")
    if label:
        return parse_labelled(label, "--label"), positive_label
    if not positive or not negative:
        raise InputError("give --positive INPUT and --negative INPUT, or --label NAME=INPUT for at least two labels")
    if positive_label:
        raise InputError("--positive-label goes with --label NAME=INPUT; with --positive the label is `positive`")
    return {"negative": list(negative), "positive": list(positive)}, "positive"


@classifier.command()
@click.argument("model", metavar="MODEL")
@click.option(
    "--labelled",
    multiple=True,
    required=True,
    metavar="NAME=INPUT",
    help="Documents whose label is NAME, a label of the model; may be repeated.",
)
@click.option("--positive", metavar="LABEL", help="Label to rank by.  [default: the model's own]")
@_TEXT_COLUMN
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with plots to this file.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads to use.  [default: all cores]")
@_JSON
def evaluate(
    model: str, labelled: tuple[str, ...], positive: str | None, html: Path | None, as_json: bool, **options: Any
) -> None:
    """Judge a classifier on documents of known label.

    Ranking, accuracy and confusion by source and language, calibration, and for each share of tokens kept the
    threshold with its precision and recall. MODEL is a shipped one or a fastText file.

    \b
    Example:
      curate classifier evaluate good.ftz --labelled positive=books/ --labelled negative=web/ --html good.html
    """
    from curate.classifier.evaluate import evaluate as judge
    from curate.classifier.labelled import parse_labelled
    from curate.classifier.terminal import evaluated

    given = parse_labelled(labelled, "--labelled")
    if html is not None:
        from curate.shards import plan, refuse_inputs

        for inputs in given.values():
            refuse_inputs([html], plan(inputs))
    result = judge(model, given, positive=positive, **options)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        evaluated(result)
    if html is not None:
        from curate.report.evaluation import evaluation_page
        from curate.shards import atomic_bytes

        atomic_bytes(html, evaluation_page(result).encode())


for command in (cli_models.label, cli_models.score, cli_models.inspect):
    classifier.add_command(command)
