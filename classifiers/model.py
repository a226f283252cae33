"""A loaded classifier: texts in, labels and probabilities out.

Does not read files or train.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers import calibration, fasttext_file
from classifiers.arrow import Strings, as_strings
from classifiers.card import find_model, read_card
from classifiers.errors import ClassifierError
from classifiers.fasttext_file import FastTextFile
from classifiers.kernels import features, outputs
from classifiers.tables import Tables, frozen

CACHE_SLOTS = 1 << 17  # words a thread remembers: 10 MB at 16 columns; fewer miss more than memory saves
CHUNK = 1024  # documents scored at a time
CHUNK_VALUES = 1 << 22  # probabilities held at a time: fewer documents where a model has thousands of labels

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


def load_model(name_or_path: str | PathLike[str]) -> Model:
    """Load a shipped classifier by name or a fastText file by path; see `classifiers.load`."""
    path = find_model(name_or_path)
    try:
        return Model(fasttext_file.read(Path(path)), read_card(path))
    except MemoryError as error:
        raise ClassifierError(f"{path}: not enough memory to load this model; use a machine with more") from error


class _WordCache(threading.local):
    """Sums of words that this thread has met; each thread that touches a model gets its own."""

    def __init__(self, width: int) -> None:
        self.entries = np.zeros((CACHE_SLOTS, features.HEADER + width + width % 2), np.float32)
        self.heads = self.entries.view(np.uint64)
        self.newest = np.zeros(CACHE_SLOTS // 2, np.uint8)


class Model:
    """A fastText classifier. Any number of threads may call one Model at once; kernels release the GIL.

    A document is scored as fastText scores one line: newlines count as spaces, `</s>` is added at the end.

    `labels`: names without `__label__`, in the order of the codes.
    `positive`: the label that `score` means by default, from the model's card; None without one.
    `card`: what the JSON beside the model says (data, licences, measurements, limits), {} without one.
    """

    def __init__(self, file: FastTextFile, card: dict[str, Any]) -> None:
        self.path: Path = file.path
        self.labels: list[str] = file.labels
        self.card = card
        self.positive: str | None = card.get("positive")
        if self.positive is not None:
            self._code(self.positive)
        self._loss = file.loss
        self._tables = Tables.of(file)
        self._cache = _WordCache(self._tables.table.shape[1]) if self._tables.subwords else None

    def __repr__(self) -> str:
        return f"<Model {self.path.name}: {len(self.labels)} labels, {self._loss}>"

    def predict(self, texts: Any, k: int = 1) -> tuple[npt.NDArray[np.object_], F32]:
        """Return the `k` most probable labels of each text and their probabilities, best first.

        `texts`: list, pyarrow array, polars Series or `classifiers.arrow.Strings`. Both results have shape (texts, k),
        for k = 1 too: `labels[:, 0]` is one label a text. Where there are fewer than k labels, or a text has no feature
        that the model knows, the label is None and its probability 0.
        Raises ClassifierError for k < 1, TypeError when `texts` are not strings.
        """
        if k < 1:
            raise ClassifierError(f"k is {k}; ask for at least 1 label")
        strings = as_strings(texts)
        codes = np.full((len(strings), k), -1, np.int32)
        scores = np.zeros((len(strings), k), np.float32)
        if k == 1:
            codes[:, 0], scores[:, 0] = self.predict_codes(strings)
        else:
            best = min(k, len(self.labels))
            for start, values, counts in self._probabilities(strings):
                order = np.argsort(-values, axis=1, kind="stable")[:, :best].astype(np.int32)
                known = (counts > 0)[:, None]
                window = slice(start, start + len(values))
                codes[window, :best] = np.where(known, order, -1)
                scores[window, :best] = np.where(known, np.take_along_axis(values, order, 1), 0)
        names = np.array([*self.labels, None], dtype=object)
        return names[codes], scores

    def predict_codes(self, texts: Any) -> tuple[I32, F32]:
        """Return each text's most probable label as an index into `labels`, int32 (texts,), and its probability.

        -1 and 0.0 for a text without any feature that the model knows. Makes no Python object a text.
        """
        strings = as_strings(texts)
        codes = np.empty(len(strings), np.int32)
        scores = np.empty(len(strings), np.float32)
        for start, values, counts in self._probabilities(strings):
            stop = start + len(values)
            outputs.best(values, counts, codes[start:stop], scores[start:stop])
        return codes, scores

    def score(self, texts: Any, label: str | None = None) -> F32:
        """Return the probability of `label` (default: `positive`) for each text, float32 (texts,); 0 where unknown.

        Raises ClassifierError when the model has no such label, or no positive one and none is given.
        """
        if label is None:
            label = self.positive
        if label is None:
            raise ClassifierError(f"{self.path}: say which label to score; this model has {self._some_labels()}")
        code = self._code(label)
        strings = as_strings(texts)
        scores = np.empty(len(strings), np.float32)
        for start, values, counts in self._probabilities(strings):
            scores[start : start + len(values)] = np.where(counts > 0, values[:, code], 0)
        return scores

    def score_all(self, texts: Any) -> F32:
        """Return the probability of every label, float32 (texts, labels) in the order of `labels`; 0 where unknown."""
        strings = as_strings(texts)
        scores = np.empty((len(strings), len(self.labels)), np.float32)
        for start, values, counts in self._probabilities(strings):
            scores[start : start + len(values)] = np.where(counts[:, None] > 0, values, 0)
        return scores

    def probability(self, texts: Any, label: str | None = None) -> F32:
        """Return the calibrated probability of `label` (default: `positive`) for each text, float32 (texts,).

        What share of documents with such a score have the label, among documents like those that the calibration in
        the model's card was fitted to. `score` ranks finer: isotonic calibration gives neighbouring scores one value.
        Raises ClassifierError as `score` does, and when the card holds no calibration of the label.
        """
        return self.calibrate(self.score(texts, label), label)

    def calibrate(self, scores: npt.NDArray[np.floating[Any]], label: str | None = None) -> F32:
        """Turn scores of `label` (default: `positive`), as `score` returns them, into calibrated probabilities."""
        label = self.positive if label is None else label
        stored = self.card.get("calibration")
        fitted = stored.get("labels") if isinstance(stored, dict) else None
        if not isinstance(fitted, dict) or label not in fitted:
            raise ClassifierError(
                f'{self.path}: its card holds no calibration of "{label}"; train with one, or use the raw score'
            )
        try:
            return calibration.apply(fitted[label], scores).astype(np.float32)
        except ClassifierError as error:
            raise ClassifierError(f'{self.path.with_suffix(".json")}: calibration of "{label}": {error}') from None

    def _code(self, label: str) -> int:
        try:
            return self.labels.index(label)
        except ValueError:
            raise ClassifierError(f'{self.path}: no label "{label}"; this model has {self._some_labels()}') from None

    def _some_labels(self) -> str:
        shown = ", ".join(self.labels[:20])
        return shown + (f" and {len(self.labels) - 20} more" if len(self.labels) > 20 else "")

    def _probabilities(self, strings: Strings) -> Iterator[tuple[int, F32, npt.NDArray[np.int64]]]:
        """Yield (first document, probabilities (documents, labels), number of features (documents,)) by chunks."""
        data, tables = frozen(strings.data), self._tables
        chunk = max(1, min(CHUNK, CHUNK_VALUES // len(self.labels)))
        for start in range(0, len(strings), chunk):
            offsets = frozen(strings.offsets[start : start + chunk + 1])
            sums = np.zeros((len(offsets) - 1, tables.table.shape[1]), np.float32)
            counts = np.zeros(len(sums), np.int64)
            model = (tables.table, tables.slots, tables.kept, tables.shape)
            if self._cache is None:
                features.sum_words(data, offsets, *model, sums, counts)
            else:
                cache = self._cache
                features.sum_subwords(data, offsets, *model, cache.entries, cache.heads, cache.newest, sums, counts)
            values = np.empty((len(sums), len(self.labels)), np.float32)
            outputs.project(sums, counts, tables.weights, values)
            if self._loss == "softmax":
                outputs.softmax(values)
            elif self._loss == "hs":
                outputs.tree(values, tables.left, tables.right)
            else:
                outputs.sigmoid(values)
            yield start, values, counts
