"""What the classifiers of a recipe said: scores and labels by source, their calibration, words that moved them.

Reads the sample and the models' cards; scores nothing again. Words come from the documents that the page shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import classifiers
from classifiers.explain import explain
from curate.errors import RecipeError
from curate.measure.scores import model
from curate.questions.columns import column
from curate.recipe import ClassifierUse, Recipe

MOST_SOURCES = 40
MOST_LABELS = 12
WORDS = 14  # for, and as many against
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_MODEL_BYTES = 200_000_000  # explaining reads the whole model once more
_EXPLAINED = 60_000  # characters of documents
_POINTS = 21  # of a calibration curve


def classifier_facts(frame: pl.DataFrame, recipe: Recipe, samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return an entry for each classifier of the recipe that left a column in the sample.

    signal, model, about; label (of which the score is the probability; None where it names the best of several);
    calibrated; documents (in the sample, with a score); sources: source, documents, without a score, quantiles (of
    QUANTILES); labels: label, documents, median score; calibration: [score, probability] points, or None;
    words: `for` and `against`, each a word, how often, and what it adds to the log-odds, or None.
    """
    found = []
    for use in recipe.classifiers:
        entry = _entry(frame, use, samples)
        if entry:
            found.append(entry)
    return found


def _entry(frame: pl.DataFrame, use: ClassifierUse, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    place = column(use.signal, frame.columns)
    if place not in frame.columns or not len(frame):
        return None
    named = not frame[place].dtype.is_numeric()
    score = column(f"{use.signal}_score", frame.columns) if named else place
    values = (
        frame[score].cast(pl.Float64) if score in frame.columns else pl.Series([None] * len(frame), dtype=pl.Float64)
    )
    loaded = model_if_there(use.model)
    label = None if named else use.label or getattr(loaded, "positive", None)
    return {
        "signal": use.signal,
        "model": Path(use.model).name,
        "about": str(loaded.card.get("about", "")) if loaded else "",
        "label": label,
        "calibrated": use.calibrated,
        "documents": int(values.is_not_null().sum()),
        "sources": _by_source(frame["source"], values),
        "labels": _labels(frame[place], values) if named else [],
        "calibration": _calibration(loaded, label) if loaded and label else None,
        "words": _words(loaded.path, label, samples) if loaded and label else None,
    }


def model_if_there(name: str) -> Any:
    """Return a model, or None when its file has gone since the run was measured."""
    try:
        return model(name)
    except RecipeError:
        return None


def _by_source(sources: pl.Series, values: pl.Series) -> list[dict[str, Any]]:
    table = pl.DataFrame({"source": sources, "value": values}).group_by("source").agg(
        documents=pl.len(),
        without=pl.col("value").null_count(),
        quantiles=pl.concat_list([pl.col("value").quantile(q, "nearest") for q in QUANTILES]),
    )  # fmt: skip
    rows = table.sort(["documents", "source"], descending=[True, False]).head(MOST_SOURCES).to_dicts()
    return [{**row, "quantiles": None if None in row["quantiles"] else row["quantiles"]} for row in rows]


def _labels(labels: pl.Series, values: pl.Series) -> list[dict[str, Any]]:
    table = pl.DataFrame({"label": labels.cast(pl.String), "value": values}).drop_nulls("label")
    grouped = table.group_by("label").agg(documents=pl.len(), median=pl.col("value").median())
    ranked = grouped.sort(["documents", "label"], descending=[True, False]).to_dicts()
    rest = sum(row["documents"] for row in ranked[MOST_LABELS:])
    more = [{"label": f"{len(ranked) - MOST_LABELS} more", "documents": rest, "median": None}] if rest else []
    return ranked[:MOST_LABELS] + more


def _calibration(loaded: Any, label: str) -> list[list[float]] | None:
    scores = np.linspace(0, 1, _POINTS)
    try:
        found: npt.NDArray[Any] = loaded.calibrate(scores, label)
    except classifiers.ClassifierError:
        return None
    return [[round(float(s), 4), round(float(p), 4)] for s, p in zip(scores, found, strict=True)]


def _words(path: Path, label: str, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the words of the sampled documents that moved the score most, both ways.

    All documents are explained as one text: a fastText classifier is linear in its features, so that adds up what
    each word did to each of them, and the model is read once.
    """
    texts = [sample["text"] for sample in samples if sample["text"].strip()]
    if not texts or path.stat().st_size > MOST_MODEL_BYTES:
        return None
    each = max(_EXPLAINED // len(texts), 100)
    try:
        found = explain(path, "\n".join(text[:each] for text in texts), label)
    except classifiers.ClassifierError:
        return None
    words = [part for part in found.words if any(ch.isalnum() for ch in part.text)]
    rows: list[dict[str, Any]] = [
        {"word": part.text[:60], "count": part.count, "adds": round(part.contribution, 5)} for part in words
    ]
    return {
        "documents": len(texts),
        "against_label": found.against,
        "for": [row for row in rows if row["adds"] > 0][:WORDS],
        "against": [row for row in rows if row["adds"] < 0][:WORDS],
    }
