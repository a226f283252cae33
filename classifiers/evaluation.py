"""How good scores are: ranking, labels, calibration and thresholds, from arrays of scores and truths.

Pure arithmetic: scores no text, reads no file and draws nothing. `positive` is bool (n,), whether a document has the
label that the scores, float (n,), are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

BINS = 15  # of a calibration curve, as in Guo et al. 2017
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def roc_auc(scores: Floats, positive: Bools) -> float:
    """Return the chance that a random positive scores above a random negative; ties count half.

    The Mann-Whitney statistic over all pairs, which is the area under the ROC curve. Raises ValueError unless there
    are documents of both kinds.
    """
    positives = _positives(scores, positive)
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    above = ranks[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(scores) - positives)))


def average_precision(scores: Floats, positive: Bools) -> float:
    """Return the precision at each distinct score, weighted by the recall that it adds: no interpolation.

    Raises ValueError unless there are documents of both kinds.
    """
    positives = _positives(scores, positive)
    order, ends = _descending(scores)
    found = np.cumsum(positive[order])[ends]
    return float((np.diff(found, prepend=0) / positives * found / (ends + 1)).sum())


def _positives(scores: Floats, positive: Bools) -> int:
    positives = int(np.count_nonzero(positive))
    if len(scores) != len(positive):
        raise ValueError(f"{len(scores)} scores do not fit {len(positive)} truths")
    if positives in (0, len(positive)):
        raise ValueError("ranking can only be judged with documents of both kinds")
    return positives


def _descending(scores: Floats) -> tuple[I64, I64]:
    """Return the order of falling scores, and where in it each run of equal scores ends (its last place)."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return order, ends


def confusion(truth: npt.NDArray[np.integer[Any]], predicted: npt.NDArray[np.integer[Any]], labels: int) -> I64:
    """Count documents by true and predicted label: int64 (labels, labels + 1).

    Codes are 0 to labels - 1; -1 in `predicted` (no label) counts in the last column.
    """
    columns = labels + 1
    cells = truth.astype(np.int64) * columns + np.where(predicted < 0, labels, predicted)
    return np.bincount(cells, minlength=labels * columns).reshape(labels, columns)


@dataclass(frozen=True)
class LabelScores:
    """Precision, recall and F1 of each label, float64 (labels,); 0 where there is nothing to divide by."""

    documents: I64
    precision: F64
    recall: F64
    f1: F64
    accuracy: float
    macro_f1: float


def label_scores(counts: I64) -> LabelScores:
    """Judge labels by a confusion matrix as `confusion` returns it.

    `macro_f1` is the plain mean of F1 over the labels that any document has.
    """
    right = np.diagonal(counts).astype(np.float64)
    documents, chosen = counts.sum(axis=1), counts[:, :-1].sum(axis=0)
    precision, recall = right / np.maximum(chosen, 1), right / np.maximum(documents, 1)
    f1 = 2 * right / np.maximum(documents + chosen, 1)
    present = documents > 0
    return LabelScores(
        documents,
        precision,
        recall,
        f1,
        accuracy=float(right.sum() / max(documents.sum(), 1)),
        macro_f1=float(f1[present].mean()) if present.any() else 0.0,
    )


@dataclass(frozen=True)
class Calibration:
    """What probabilities promise and what holds, in bins of equal width over 0 to 1; empty bins are left out.

    `error` is the expected calibration error: the mean of |probability - share|, weighted by documents
    (Naeini et al. 2015).
    """

    documents: I64
    probability: F64
    share: F64
    error: float


def calibration_curve(probabilities: Floats, positive: Bools, bins: int = BINS) -> Calibration:
    """Compare the mean probability of each bin with the share of positives in it."""
    place = np.minimum((np.asarray(probabilities, np.float64) * bins).astype(np.int64), bins - 1)
    documents = np.bincount(place, minlength=bins)
    filled = documents > 0
    counts = documents[filled]
    promised = np.bincount(place, weights=probabilities, minlength=bins)[filled] / counts
    share = np.bincount(place, weights=positive, minlength=bins)[filled] / counts
    error = float((np.abs(promised - share) * counts).sum() / max(counts.sum(), 1))
    return Calibration(counts, promised, share, error)


@dataclass(frozen=True)
class Histogram:
    """Documents by score, in bins of equal width over 0 to 1: `edges` has one entry more than the counts."""

    edges: F64
    positive: I64
    negative: I64


def histogram(scores: Floats, positive: Bools, bins: int = 20) -> Histogram:
    """Count positives and negatives by score."""
    edges = np.linspace(0, 1, bins + 1)
    inside = np.clip(scores, 0, 1)
    return Histogram(edges, np.histogram(inside[positive], edges)[0], np.histogram(inside[~positive], edges)[0])


@dataclass(frozen=True)
class Threshold:
    """What keeping all documents with a score of at least `threshold` gives.

    `share` of tokens was asked for and `kept` is what it comes to: documents of one score stay together.
    `precision` and `recall` count documents.
    """

    share: float
    threshold: float
    kept: float
    documents: int
    precision: float
    recall: float


def thresholds(scores: Floats, positive: Bools, tokens: I64, shares: Sequence[float] = SHARES) -> list[Threshold]:
    """Return for each share of tokens the highest threshold that keeps at least that share.

    `tokens` int64 (n,). Raises ValueError where there are no tokens, or for a share outside (0, 1].
    """
    total = int(tokens.sum())
    if total <= 0:
        raise ValueError("documents without tokens have no percentiles")
    order, ends = _descending(scores)
    held, found = np.cumsum(tokens[order])[ends], np.cumsum(positive[order])[ends]
    positives = max(int(found[-1]), 1)
    table = []
    for share in shares:
        if not 0 < share <= 1:
            raise ValueError(f"a share is above 0 and at most 1, not {share}")
        at = int(np.searchsorted(held, share * total * (1 - 1e-12)))
        documents = int(ends[at]) + 1
        table.append(
            Threshold(
                share,
                threshold=float(scores[order[ends[at]]]),
                kept=float(held[at] / total),
                documents=documents,
                precision=float(found[at] / documents),
                recall=float(found[at] / positives),
            )
        )
    return table
