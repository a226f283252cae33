"""Judge a classifier on labelled documents: ranking, labels, calibration and thresholds, by source and language.

The arithmetic is `classifiers.evaluation`; here documents are read, scored and counted, and the figures put together
as one dictionary that the terminal, the page and JSON show.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import classifiers
import curate
from classifiers import evaluation
from classifiers.arrow import as_strings
from curate.classifier.judged import F32, I32, I64, Judged, judge, judge_labelled, language_model, ranked
from curate.classifier.labelled import Labelled, labelled_shards
from curate.engines.local import Local
from curate.engines.workers import Workers
from curate.errors import InputError, did_you_mean
from curate.shards import Batch, ReadOptions, Reject, Shard, read

UNKNOWN = "(none)"  # shown for documents without any feature that a model knows


def open_model(name: str | Path) -> classifiers.Model:
    """Load a classifier; InputError where it cannot be."""
    try:
        return classifiers.load(name)
    except classifiers.ClassifierError as error:
        raise InputError(str(error)) from None


def evaluate(
    model: str | Path,
    inputs: Mapping[str, Sequence[str]],
    *,
    positive: str | None = None,
    text_column: str = "text",
    threads: int | None = None,
) -> dict[str, Any]:
    """Judge a classifier on documents of known label: `inputs` by name of a label of the model.

    `positive` is the label that is ranked by, the model's own by default. Raises InputError for a model, a label or an
    input that does not exist or cannot be read.
    """
    found = open_model(model)
    chosen = positive_label(found, positive)
    for label in inputs:
        if label not in found.labels:
            hint = did_you_mean(label, found.labels) or f"; it has {', '.join(found.labels[:20])}"
            raise InputError(f'{found.path}: no label "{label}" to evaluate{hint}')
    shards = [(label, shard) for label, some in labelled_shards(inputs).items() for shard in some]
    names = sorted({shard.source for _, shard in shards})
    task = functools.partial(
        _judge_shard, model=found, names=names, options=ReadOptions(text_column, metadata=False), positive=chosen
    )
    judged = dict(Local(threads).run(task, shards))
    parts = [part for item in shards for part in judged[item][0]]
    for label in inputs:
        if not any(len(part.truth) for item in shards if item[0] == label for part in judged[item][0]):
            raise InputError(f'label "{label}": no documents in {", ".join(inputs[label])}')
    rejected = sum(count for _, count in judged.values())
    about = {"path": str(found.path), "sha256": file_hash(found.path), "labels": len(found.labels)}
    return {
        "curate": curate.__version__,
        "model": about,
        "rejected": rejected,
        **figures(found, Judged.concat(parts), names, chosen),
    }


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file as it is now."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def evaluate_labelled(
    model: classifiers.Model, documents: Labelled, positive: str | None, threads: int | None = None
) -> dict[str, Any]:
    """Judge a classifier on documents in memory."""
    return figures(model, judge_labelled(model, documents, positive, threads), documents.source_names, positive)


def positive_label(model: classifiers.Model, given: str | None) -> str | None:
    """Return the label to rank by: the one given, else the model's own, else None. InputError for an unknown one."""
    if given is not None and given not in model.labels:
        hint = did_you_mean(given, model.labels) or f"; it has {', '.join(model.labels[:20])}"
        raise InputError(f'{model.path}: no label "{given}"{hint}')
    return given or model.positive


def _judge_shard(
    item: tuple[str, Shard],
    workers: Workers,
    *,
    model: classifiers.Model,
    names: list[str],
    options: ReadOptions,
    positive: str | None,
) -> tuple[list[Judged], int]:
    label, shard = item
    rejects: list[Reject] = []
    code, source = model.labels.index(label), names.index(shard.source)

    def one(batch: Batch) -> Judged:
        n = len(batch)
        of = np.full(n, code, np.int32), np.full(n, source, np.int32)
        return judge(as_strings(batch.texts), *of, model, positive)

    parts = list(workers.map(one, read(shard, options, on_reject=rejects.append)))
    return parts, len(rejects)


def figures(model: classifiers.Model, judged: Judged, sources: list[str], positive: str | None) -> dict[str, Any]:
    """Return everything that is said about the classifier, ready for JSON."""
    labels = model.labels
    counts = evaluation.confusion(judged.truth, judged.predicted, len(labels))
    scored = evaluation.label_scores(counts)
    languages = [*language_model().labels, UNKNOWN]
    return {
        "documents": len(judged.truth),
        "tokens": int(judged.tokens.sum()),
        "accuracy": scored.accuracy,
        "macro_f1": scored.macro_f1,
        "labels": [
            {
                "label": labels[code],
                "documents": int(scored.documents[code]),
                "precision": float(scored.precision[code]),
                "recall": float(scored.recall[code]),
                "f1": float(scored.f1[code]),
                **_ranking(model, judged, code, positive),
            }
            for code in np.flatnonzero(counts.sum(axis=1)).tolist()
        ],
        "confusion": _named(counts, labels),
        "sources": list(_groups(model, judged, judged.sources, sources, positive)),
        "languages": list(_groups(model, judged, judged.languages % len(languages), languages, positive)),
        "positive": None if positive is None else _detail(model, judged, positive),
    }


def _of_label(model: classifiers.Model, judged: Judged, code: int, positive: str | None) -> tuple[F32, Any] | None:
    """Return the scores of a label and which documents have it; None unless both kinds are there to rank."""
    columns = ranked(model, positive)
    truth = judged.truth == code
    if code not in columns or not 0 < np.count_nonzero(truth) < len(truth):
        return None
    return judged.scores[:, columns.index(code)], truth


def _ranking(model: classifiers.Model, judged: Judged, code: int, positive: str | None) -> dict[str, float | None]:
    found = _of_label(model, judged, code, positive)
    if found is None:
        return {"roc_auc": None, "average_precision": None}
    return {"roc_auc": evaluation.roc_auc(*found), "average_precision": evaluation.average_precision(*found)}


def _named(counts: I64, labels: list[str]) -> dict[str, dict[str, int]]:
    """Return the cells of a confusion matrix that are not 0: documents by true and predicted label."""
    columns = [*labels, UNKNOWN]
    return {
        labels[row]: {columns[cell]: int(counts[row, cell]) for cell in np.flatnonzero(counts[row])}
        for row in np.flatnonzero(counts.sum(axis=1))
    }


def _groups(
    model: classifiers.Model, judged: Judged, group: I32, names: list[str], positive: str | None
) -> Iterator[dict[str, Any]]:
    """Yield the figures of each group of documents, the largest group first."""
    sizes = np.bincount(group, minlength=len(names))
    code = None if positive is None else model.labels.index(positive)
    for number in np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]:
        inside = group == number
        part = Judged(*(getattr(judged, name)[inside] for name in Judged.__annotations__))
        counts = evaluation.confusion(part.truth, part.predicted, len(model.labels))
        scored = evaluation.label_scores(counts)
        ranking = None if code is None else _ranking(model, part, code, positive)["roc_auc"]
        yield {
            "name": names[number],
            "documents": int(sizes[number]),
            "accuracy": scored.accuracy,
            "macro_f1": scored.macro_f1,
            "roc_auc": ranking,
            "confusion": _named(counts, model.labels),
        }


def _detail(model: classifiers.Model, judged: Judged, positive: str) -> dict[str, Any]:
    """Return what there is to say about the scores of one label."""
    found = _of_label(model, judged, model.labels.index(positive), positive)
    if found is None:
        raise InputError(
            f'nothing can be ranked by "{positive}": all documents are of one kind; give documents with that label and '
            "documents with another one"
        )
    scores, truth = found
    curves = {"raw": _curve(scores, truth)}
    if _calibrated(model, positive):
        try:
            curves["calibrated"] = _curve(model.calibrate(scores, positive), truth)
        except classifiers.ClassifierError as error:  # a card that was edited by hand
            raise InputError(str(error)) from None
    spread = evaluation.histogram(scores, truth)
    table = evaluation.thresholds(scores, truth, judged.tokens)
    return {
        "label": positive,
        "documents": int(truth.sum()),
        "others": int((~truth).sum()),
        "roc_auc": evaluation.roc_auc(scores, truth),
        "average_precision": evaluation.average_precision(scores, truth),
        "calibration": curves,
        "histogram": {name: values.tolist() for name, values in asdict(spread).items()},
        "thresholds": [asdict(entry) for entry in table],
    }


def _calibrated(model: classifiers.Model, label: str) -> bool:
    stored = model.card.get("calibration")
    return isinstance(stored, dict) and label in (stored.get("labels") or {})


def _curve(probabilities: F32, truth: Any) -> dict[str, Any]:
    curve = evaluation.calibration_curve(probabilities, truth)
    bins = zip(curve.documents.tolist(), curve.probability.tolist(), curve.share.tolist(), strict=True)
    return {
        "error": curve.error,
        "bins": [{"documents": n, "probability": p, "share": s} for n, p, s in bins],
    }
