"""Classifier scores as signals: which columns a model fills, and filling them for a batch.

Reading and running models is the business of the package `classifiers`.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import classifiers
from classifiers.arrow import Strings
from curate.errors import RecipeError, did_you_mean
from curate.recipe import ClassifierUse
from curate.shipped import local_copy
from curate.text import beginnings, windows


def model(name: str) -> Any:
    """Return a shipped classifier by name or a fastText model by path; one copy for all threads.

    It is read again when its file has changed. RecipeError when there is none, or it cannot be read.
    """
    path = local_copy(name)
    return _model(str(path), path.stat().st_mtime_ns if path.is_file() else 0, _card_state(path))


def _card_state(path: Path) -> int:
    card = path.with_suffix(".json")
    return card.stat().st_mtime_ns if card.is_file() else 0


@functools.cache
def _model(name: str, modified: int, card_modified: int) -> Any:
    try:
        return classifiers.load(name)
    except classifiers.ClassifierError as error:
        raise RecipeError(str(error)) from None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; computed again when its size or modification time has changed."""
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@functools.cache
def _digest(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def classifier_columns(use: ClassifierUse) -> tuple[str, ...]:
    """Return the columns that a classifier fills: one score, or the best label and its score."""
    found = model(use.model)
    if use.label is not None and use.label not in found.labels:
        hint = did_you_mean(use.label, found.labels)
        raise RecipeError(f'classifier "{use.signal}": {use.model} has no label "{use.label}"{hint}')
    if (use.windows or use.calibrated) and not (use.label or found.positive):
        raise RecipeError(
            f'classifier "{use.signal}": windows and calibrated need one score; name the `label` to score'
        )
    if use.calibrated and not found.card.get("calibration"):
        raise RecipeError(
            f'classifier "{use.signal}": {use.model} has no calibration in its card; train it with --calibrate'
        )
    return (use.signal,) if use.label or found.positive else (use.signal, f"{use.signal}_score")


def classify(use: ClassifierUse, strings: Strings, wordless: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Score a batch: one array for each column of `classifier_columns`.

    Texts without a letter (`wordless`) have no score but null: a model would only tell its bias.
    """
    found = model(use.model)
    label = use.label or found.positive
    if use.first:
        strings = beginnings(strings, use.first)
    if use.first_words:
        strings = beginnings(strings, use.first_words, words=True)
    if label:
        return {use.signal: pa.array(_score(use, found, strings, label), mask=wordless)}
    codes, scores = found.predict_codes(strings)
    unknown = wordless | (codes < 0)
    labels = pa.DictionaryArray.from_arrays(pa.array(codes, mask=unknown), pa.array(found.labels)).cast(pa.string())
    return {use.signal: labels, f"{use.signal}_score": pa.array(scores, mask=unknown)}


def _score(use: ClassifierUse, found: Any, strings: Strings, label: str) -> npt.NDArray[np.float32]:
    """Score texts as a whole, or as the mean or minimum over their windows; a text without words scores 0."""
    judge = found.probability if use.calibrated else found.score
    if not use.windows:
        scores: npt.NDArray[np.float32] = np.asarray(judge(strings, label), np.float32)
        return scores
    pieces, first = windows(strings, use.windows)
    scores = np.asarray(judge(pieces, label), np.float32)
    if use.over == "min":
        return np.minimum.reduceat(scores, first[:-1])
    return (np.add.reduceat(scores, first[:-1], dtype=np.float64) / np.diff(first)).astype(np.float32)
