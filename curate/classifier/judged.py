"""Score documents of known label: what is kept of each to judge a classifier by.

Computes no figures; `curate.classifier.evaluate` does.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import classifiers
from classifiers.arrow import Strings, as_strings
from curate.classifier.labelled import Labelled
from curate.engines.local import Local
from curate.engines.workers import Workers
from curate.kernels.bytes import byte_classes
from curate.signals.tokens import estimated_tokens

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

MOST_RANKED = 32  # labels: models with more are ranked for the positive label only, to bound memory
_BATCH = 4096


@dataclass(frozen=True)
class Judged:
    """Scored documents: truth, prediction (-1 none), source and language (-1 none) as codes; tokens; scores.

    `scores` float32 (n, columns) has a column for each of the labels `ranked`.
    """

    truth: I32
    predicted: I32
    sources: I32
    languages: I32
    tokens: I64
    scores: F32

    @staticmethod
    def concat(parts: Sequence[Judged]) -> Judged:
        """Put parts one after the other."""
        return Judged(*(np.concatenate([getattr(part, name) for part in parts]) for name in Judged.__annotations__))


def judge_labelled(
    model: classifiers.Model, documents: Labelled, positive: str | None, threads: int | None = None
) -> Judged:
    """Score documents in memory; their labels must be among those of the model."""
    codes = np.array([model.labels.index(label) for label in documents.labels], np.int32)[documents.codes]

    def one(start: int, workers: Workers) -> Judged:
        window = slice(start, start + _BATCH)
        texts = as_strings(documents.texts.slice(start, _BATCH))
        return judge(texts, codes[window], documents.sources[window], model, positive)

    starts = range(0, len(documents), _BATCH)
    parts = dict(Local(threads).run(one, starts))
    return Judged.concat([parts[start] for start in starts])


def ranked(model: classifiers.Model, positive: str | None) -> list[int]:
    """Return the codes of the labels whose scores are kept."""
    if len(model.labels) <= MOST_RANKED:
        return list(range(len(model.labels)))
    return [] if positive is None else [model.labels.index(positive)]


def judge(texts: Strings, truth: I32, sources: I32, model: classifiers.Model, positive: str | None) -> Judged:
    """Score texts of known label (codes of the model) and source."""
    scores = model.score_all(texts)
    predicted = np.where(scores.any(axis=1), scores.argmax(axis=1), -1).astype(np.int32)
    languages, _ = language_model().predict_codes(texts)
    tokens = estimated_tokens(byte_classes(texts.data, texts.offsets))
    columns = np.ascontiguousarray(scores[:, ranked(model, positive)])
    return Judged(truth, predicted, sources, languages, tokens, columns)


@functools.cache
def language_model() -> classifiers.Model:
    """Return the shipped model that tells languages."""
    return classifiers.load("language")
