"""Train a classifier from labelled shards: sample, split, train, calibrate, evaluate, and write model and card.

Each of these steps is elsewhere; here is their order, and what the card says.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import classifiers
import curate
from classifiers import calibration
from classifiers.card import write_card
from classifiers.train import DEFAULTS, train
from curate.classifier.evaluate import evaluate_labelled, open_model
from curate.classifier.judged import judge_labelled, ranked
from curate.classifier.labelled import Labelled, gather
from curate.classifier.splits import split
from curate.engines.local import Local
from curate.errors import InputError, RunError
from curate.shards import plan, refuse_inputs
from curate.shards.atomic import explain_write_errors

CUTOFF = 100_000


@dataclass(frozen=True)
class Choices:
    """How to train.

    `parameters`: keyword arguments of fastText's `train_supervised`; the others are `classifiers.train.DEFAULTS`, or
    looked for when `autotune` gives seconds. `quantise` None: yes for a model.ftz, no for a model.bin. `cutoff`: words
    and n-grams that a quantised model keeps, 0 for all. `test_share` of the documents is held out to judge by, and
    once more as much to calibrate and tune on. `seed` decides what is sampled, held out, and how training starts.
    With more than one thread the model differs from run to run.
    """

    text_column: str = "text"
    max_per_label: int | None = None
    balance: bool = True
    test_share: float = 0.1
    seed: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)
    autotune: int | None = None
    quantise: bool | None = None
    cutoff: int = CUTOFF
    calibrate: Literal["isotonic", "platt", "none"] = "isotonic"
    threads: int = 1


def train_classifier(
    inputs: Mapping[str, Sequence[str]],
    out: Path,
    *,
    positive: str | None = None,
    choices: Choices | None = None,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Train on `inputs` (by label), write `out` (.ftz or .bin) and the card beside it, and return the card.

    `positive` is the label that `score` means by default. The metrics in the card are of the held-out part, which was
    neither trained, tuned nor calibrated on.
    Raises InputError for inputs, labels or a name of `out` that will not do, RunError where `out` is there already
    and `overwrite` is not set, or cannot be written.
    """
    choices = choices or Choices()
    quantise = _check_out(out, choices.quantise, overwrite)
    for given in inputs.values():
        refuse_inputs((out, out.with_suffix(".json")), plan(given))
    if positive is not None and positive not in inputs:
        raise InputError(f'"{positive}" cannot be the positive label; the labels are {", ".join(inputs)}')
    say("reading labelled documents …")
    documents, found = gather(
        inputs,
        text_column=choices.text_column,
        max_per_label=choices.max_per_label,
        balance=choices.balance,
        seed=choices.seed,
        engine=Local(choices.threads),
    )
    say(f"{len(documents):,} documents; looking for near-duplicates to split them …")
    validates = choices.calibrate != "none" or choices.autotune is not None
    shares = {"test": choices.test_share} | ({"validation": choices.test_share} if validates else {})
    parts = split(documents, shares, choices.seed)
    say(f"training on {len(parts['train']):,} …")
    with explain_write_errors(out):
        made = _train(out, parts, choices, quantise)
    card: dict[str, Any] = {
        "name": out.stem,
        **({"positive": positive} if positive else {}),
        "data": {label: asdict(facts) for label, facts in found.items()},
        "parts": {name: part.counts() for name, part in parts.items()},
        "sampling": {
            "text_column": choices.text_column,
            "max_per_label": choices.max_per_label,
            "balance": choices.balance,
            "test_share": choices.test_share,
            "seed": choices.seed,
        },
        **made,
    }
    card["versions"]["curate"] = curate.__version__
    with explain_write_errors(out):
        write_card(out, card)
        model = open_model(out)
        if choices.calibrate != "none" and ranked(model, positive):
            say(f"calibrating on {len(parts['validation']):,} …")
            card["calibration"] = _calibration(model, parts["validation"], positive, choices)
        model.card = card
        say(f"evaluating on {len(parts['test']):,} held out …")
        card["metrics"] = evaluate_labelled(model, parts["test"], positive, choices.threads)
        write_card(out, card)
    return card


def _check_out(out: Path, quantise: bool | None, overwrite: bool) -> bool:
    """Return whether to quantise, which the name of the file says too."""
    if out.suffix not in (".ftz", ".bin"):
        raise InputError(f"{out}: name the model .ftz (quantised) or .bin (not), as fastText does")
    quantised = out.suffix == ".ftz"
    if quantise is not None and quantise != quantised:
        other = out.with_suffix(".bin" if quantised else ".ftz")
        raise InputError(f"{out}: a {'quantised' if quantise else 'dense'} model is named {other.name}")
    if out.is_dir():
        raise InputError(f"{out}: is a directory; give the name of the model file")
    with explain_write_errors(out):  # before hours of training, not after
        out.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(out.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(out.parent))
    for path in (out, out.with_suffix(".json")):
        if path.exists() and not overwrite:
            raise RunError(f"{path}: is there already; choose another name, or say --overwrite")
    return quantised


def _train(out: Path, parts: Mapping[str, Labelled], choices: Choices, quantise: bool) -> dict[str, Any]:
    parameters = choices.parameters | {"seed": choices.seed % 2**31}
    if choices.autotune is None:
        parameters = DEFAULTS | parameters
    shrink = {"cutoff": choices.cutoff, "retrain": choices.cutoff > 0, "epoch": 1, "qnorm": True, "dsub": 2}
    tuned = parts["validation"] if choices.autotune is not None else None
    learned = parts["train"]
    try:
        return train(
            learned.texts,
            learned.labels,
            learned.codes,
            out,
            parameters,
            validation=None if tuned is None else (tuned.texts, tuned.codes),
            autotune_seconds=choices.autotune or 0,
            quantise=shrink if quantise else None,
            threads=choices.threads,
        )
    except classifiers.ClassifierError as error:
        raise InputError(str(error)) from None


def _calibration(
    model: classifiers.Model, documents: Labelled, positive: str | None, choices: Choices
) -> dict[str, Any]:
    """Fit a calibration of each label that is ranked, against all others, to documents not trained on."""
    assert choices.calibrate != "none"
    judged = judge_labelled(model, documents, positive, choices.threads)
    fitted = {
        model.labels[code]: calibration.fit(choices.calibrate, judged.scores[:, column], judged.truth == code)
        for column, code in enumerate(ranked(model, positive))
    }
    return {"method": choices.calibrate, "documents": len(documents), "labels": fitted}
