"""Turn the sums of a document's features into the probabilities of the labels, loss by loss.

Knows nothing of text. Each kernel overwrites `values` float32 (documents, labels); formulas are those of
fastText's loss.cc, with log and exp left out where they cancel.
"""

from __future__ import annotations

import numpy as np
from numba import float32, int32, njit

SIGMOID_BINS = 512
SIGMOID_LIMIT = 8.0
LOG_OFFSET = 1e-5  # fastText adds this to a probability before it takes its logarithm


@njit(nogil=True, cache=True)
def project(sums, counts, weights, values):
    """values = sums / counts @ weights; weights float32 (width, labels). Documents without features get 0."""
    for document in range(len(counts)):
        row = values[document]
        for label in range(len(row)):
            row[label] = float32(0.0)
        if counts[document] == 0:
            continue
        scale = float32(1.0 / counts[document])
        for column in range(weights.shape[0]):
            factor = sums[document, column] * scale
            for label in range(len(row)):
                row[label] += factor * weights[column, label]


@njit(nogil=True, cache=True)
def softmax(values):
    """exp(value) over the sum of all."""
    for document in range(len(values)):
        row = values[document]
        highest = row[0]
        for label in range(1, len(row)):
            highest = max(highest, row[label])
        whole = 0.0
        for label in range(len(row)):
            row[label] = np.exp(row[label] - highest)
            whole += row[label]
        for label in range(len(row)):
            row[label] = float32(row[label] / whole)


@njit(nogil=True, cache=True)
def sigmoid(values):
    """Each label on its own (one-vs-all, negative sampling): 1 / (1 + exp(-value)), in fastText's 512 steps."""
    step = 2.0 * SIGMOID_LIMIT / SIGMOID_BINS
    for document in range(len(values)):
        row = values[document]
        for label in range(len(row)):
            value = row[label]
            if value < -SIGMOID_LIMIT:
                row[label] = float32(0.0)
            elif value > SIGMOID_LIMIT:
                row[label] = float32(1.0)
            else:
                edge = np.floor((value + SIGMOID_LIMIT) / step) * step - SIGMOID_LIMIT
                row[label] = float32(1.0 / (1.0 + np.exp(-edge)))


@njit(nogil=True, cache=True)
def tree(values, left, right):
    """Hierarchical softmax: the product of the turns from the root to a label.

    Labels are nodes 0 to L-1, inner nodes L to 2L-2, the root last; `left`, `right` int64 (2L-1,), children below their
    parent. The value of inner node i is in column i - L.
    """
    labels = values.shape[1]
    reach = np.empty(2 * labels - 1, np.float64)
    for document in range(len(values)):
        reach[2 * labels - 2] = 1.0
        for node in range(2 * labels - 2, labels - 1, -1):
            turn = 1.0 / (1.0 + np.exp(-float32(values[document, node - labels])))
            reach[left[node]] = reach[node] * (1.0 - turn + LOG_OFFSET)
            reach[right[node]] = reach[node] * (turn + LOG_OFFSET)
        for label in range(labels):
            values[document, label] = min(float32(reach[label]), float32(1.0))


@njit(nogil=True, cache=True)
def best(values, counts, codes, scores):
    """The most probable label of each document; of equal ones the last, as in fastText; -1 without features."""
    for document in range(len(values)):
        code = 0
        for label in range(1, values.shape[1]):
            if values[document, label] >= values[document, code]:
                code = label
        codes[document] = int32(code)
        scores[document] = values[document, code]
        if counts[document] == 0:
            codes[document] = int32(-1)
            scores[document] = float32(0.0)


@njit(nogil=True, cache=True)
def build_tree(label_counts, left, right):
    """The Huffman tree over label counts, most frequent first, as fastText's buildTree makes it (see `tree`)."""
    labels = len(label_counts)
    weight = np.full(2 * labels - 1, 10**15, np.int64)
    weight[:labels] = label_counts
    leaf = labels - 1
    inner = labels
    for node in range(labels, 2 * labels - 1):
        for child in (left, right):
            if leaf >= 0 and (inner >= node or weight[leaf] < weight[inner]):
                child[node] = leaf
                leaf -= 1
            else:
                child[node] = inner
                inner += 1
        weight[node] = weight[left[node]] + weight[right[node]]
