"""Turn a model as it is on disk into the tables that kernels score with.

Does no scoring. The mean of rows and the output matrix are both linear, so where a model has fewer outputs than
columns its input matrix is projected through the output matrix once, here, and a feature's row holds its share of every
output directly; a softmax of two labels needs only their difference, one number a feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.errors import ClassifierError
from classifiers.fasttext_file import FastTextFile
from classifiers.fasttext_matrix import DenseMatrix
from classifiers.kernels.outputs import build_tree
from classifiers.kernels.rows import LANES
from classifiers.kernels.vocabulary import build_slots, slots_for

BLOCK = 1 << 16  # rows projected at a time: bounds the memory that a large model needs while it loads

F32 = npt.NDArray[np.float32]


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view: kernels then see one type for arrays from Arrow, from files and from here."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class Tables:
    """Read-only arrays for `classifiers.kernels.features` and `classifiers.kernels.outputs`.

    `weights` is float32 (width, labels); the identity (or the two-label difference) where `table` is projected already.
    `left` and `right` are the Huffman tree, empty for losses other than "hs".
    """

    table: F32
    slots: npt.NDArray[np.uint64]
    kept: npt.NDArray[np.uint64]
    shape: npt.NDArray[np.int64]
    weights: F32
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    subwords: bool

    @classmethod
    def of(cls, file: FastTextFile) -> Tables:
        """Compile `file`; raises ClassifierError when its matrices hold values that are not finite numbers."""
        outputs = file.output.rows(slice(None))
        _check_finite(outputs, file)
        if file.loss == "softmax" and len(file.labels) == 2:
            table = _project(file, (outputs[1] - outputs[0])[:, None])
            weights = np.array([[0, 1]], np.float32)
        elif len(file.labels) < file.dim:
            table = _project(file, outputs[: len(file.labels)].T)
            weights = np.eye(len(file.labels), dtype=np.float32)
        else:
            table = _project(file, None)
            weights = outputs[: len(file.labels)].T
        kept, order = _pruning(file)
        if order is not None:
            table = np.concatenate([table[: file.nwords], table[file.nwords :][order]])
        slots = slots_for(len(file.entry_offsets) - 1)
        build_slots(frozen(file.entry_bytes), frozen(file.entry_offsets), slots)
        left, right = _tree(file)
        shape = np.array([file.nwords, file.bucket, file.word_ngrams, file.minn, file.maxn], np.int64)
        if file.bucket == 0:
            shape[2] = 1
        padded = np.zeros((table.shape[1], len(file.labels)), np.float32)
        padded[: len(weights)] = weights
        return cls(
            table=frozen(table),
            slots=frozen(slots),
            kept=frozen(kept),
            shape=frozen(shape),
            weights=frozen(padded),
            left=frozen(left),
            right=frozen(right),
            subwords=file.maxn > 0,
        )


def _check_finite(values: F32, file: FastTextFile) -> None:
    if not np.isfinite(values).all():
        raise ClassifierError(f"{file.path}: damaged fastText model: a matrix holds values that are not numbers")


def _project(file: FastTextFile, weights: F32 | None) -> F32:
    """Return the input matrix, times `weights` where given, its rows padded with zeros for the vector registers."""
    rows = len(file.input)
    columns = file.dim if weights is None else weights.shape[1]
    width = columns if columns < 4 else -(-columns // LANES) * LANES
    if weights is None and width == columns and isinstance(file.input, DenseMatrix):
        for start in range(0, rows, BLOCK):
            _check_finite(file.input.rows(slice(start, start + BLOCK)), file)
        return file.input.values
    table = np.zeros((rows, width), np.float32)
    for start in range(0, rows, BLOCK):
        block = file.input.rows(slice(start, start + BLOCK))
        _check_finite(block, file)
        if weights is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                block = block @ weights
            _check_finite(block, file)
        table[start : start + len(block), :columns] = block
    return table


def _pruning(file: FastTextFile) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32] | None]:
    """Return `kept` as `kernels.features.bucket_row` wants it, and the order it wants the rows after the words in.

    (empty, None) without pruning.
    """
    if file.pruned is None or file.bucket == 0:
        return np.zeros((0, 2), np.uint64), None
    last_first = file.pruned[::-1]  # of a bucket named twice, fastText takes the last
    buckets, places = np.unique(last_first[:, 0], return_index=True)
    blocks = buckets >> 6
    kept = np.zeros((-(-file.bucket // 64), 2), np.uint64)
    np.bitwise_or.at(kept[:, 0], blocks, np.uint64(1) << (buckets & 63).astype(np.uint64))
    kept[1:, 1] = np.cumsum(np.bincount(blocks, minlength=len(kept)))[:-1]
    return kept, last_first[places, 1]


def _tree(file: FastTextFile) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    nodes = 2 * len(file.labels) - 1 if file.loss == "hs" else 0
    left, right = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    if nodes:
        build_tree(frozen(file.label_counts), left, right)
    return left, right
