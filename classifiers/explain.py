"""Why a fastText model gives a text its score: what every word and n-gram of the text adds, exactly.

Slow and plain on purpose, one text at a time; scoring many is the business of `classifiers.model`.

A fastText classifier is linear up to its last step. With features f of rows x_f in the input matrix, n of them in the
text, and o_l the row of label l in the output matrix, the logit of l is the mean of x_f . o_l. So feature f adds
x_f . w / n to the value x . w that is explained, and nothing else does:

- softmax: w = o_l - o_r, where r is the runner-up (the most probable other label); the value is the log-odds
  log(p_l / p_r), for two labels that of the probability itself;
- negative sampling and one-vs-all: w = o_l; the value is the log-odds of p_l;
- hierarchical softmax: w = +-o_v of the inner node v where the ways to l and to r part; the value is the log-odds of
  the branch that holds l against the one that holds r. The turns before it are the same for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers import fasttext_file
from classifiers.card import find_model, read_card
from classifiers.errors import ClassifierError
from classifiers.fasttext_file import LABEL_PREFIX, FastTextFile
from classifiers.fasttext_matrix import QuantisedMatrix
from classifiers.kernels import outputs
from classifiers.kernels.features import NGRAM_FACTOR
from classifiers.kernels.hashing import fnv_of, key_of
from classifiers.kernels.outputs import build_tree
from classifiers.kernels.vocabulary import build_slots, find_word, slots_for
from classifiers.kernels.words import EOS
from classifiers.tables import frozen

_SPACES = bytes.maketrans(b"\t\n\v\f\r\0", b" " * 6)
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Part:
    """What a feature, all its places in the text together, adds to the explained value.

    `kind`: "word", "characters" (an n-gram inside a word, which `<` opens and `>` closes) or "words" (an n-gram).
    """

    kind: str
    text: str
    count: int
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why `label` rather than `against` (None where labels do not compete); probabilities as `Model` gives them.

    `value` is the log-odds that the contributions of `features` add up to, and those of `words` too: there each word
    counts with its character n-grams. Both strongest first. `known` is n: how many features the model knows.
    """

    label: str
    probability: float
    against: str | None
    against_probability: float | None
    value: float
    known: int
    features: list[Part]
    words: list[Part]


@dataclass(frozen=True, slots=True)
class _Feature:
    kind: str
    text: bytes
    row: int
    word: bytes
    place: int


def describe(name_or_path: str | PathLike[str]) -> dict[str, Any]:
    """Return what a model is made of: labels, sizes, loss, n-grams, quantisation and what its card says of it.

    Raises ClassifierError as `classifiers.load` does.
    """
    path = find_model(name_or_path)
    file, card = fasttext_file.read(path), read_card(path)
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "format_version": file.version,
        "labels": file.labels,
        "label_counts": file.label_counts.tolist(),
        "positive": card.get("positive"),
        "loss": file.loss,
        "dim": file.dim,
        "words": file.nwords,
        "word_ngrams": file.word_ngrams,
        "character_ngrams": [file.minn, file.maxn] if file.maxn else None,
        "buckets": file.bucket if file.word_ngrams > 1 or file.maxn else 0,
        "buckets_kept": None if file.pruned is None else len(file.pruned),
        "input_rows": len(file.input),
        "output_rows": len(file.output),
        "quantised": isinstance(file.input, QuantisedMatrix),
        "calibration": card.get("calibration"),
    }


def explain(name_or_path: str | PathLike[str], text: str, label: str | None = None) -> Explanation:
    """Explain the score of `label` (default: the model's positive label, else the most probable one) for `text`.

    Raises ClassifierError as `classifiers.load` does, for a label that the model does not have, and for a text
    without any feature that it knows.
    """
    path = find_model(name_or_path)
    file = fasttext_file.read(path)
    label = label or read_card(path).get("positive")
    if label is not None and label not in file.labels:
        raise ClassifierError(f'{path}: no label "{label}"; this model has {", ".join(file.labels[:20])}')
    features = list(_features(file, text.encode("utf-8", errors="surrogatepass")))
    if not features:
        raise ClassifierError(f"{path}: knows no word of this text; there is nothing to explain")
    rows = file.input.rows(np.array([found.row for found in features])).astype(np.float64)
    weights = file.output.rows(slice(None)).astype(np.float64)[: len(file.labels)]
    probabilities = _probabilities(file, (weights @ rows.mean(axis=0)).astype(np.float32))
    code = int(np.argmax(probabilities)) if label is None else file.labels.index(label)
    rival = _runner_up(file, probabilities, code)
    contributions = rows @ _direction(file, weights, code, rival) / len(features)
    return Explanation(
        label=file.labels[code],
        probability=float(probabilities[code]),
        against=None if rival is None else file.labels[rival],
        against_probability=None if rival is None else float(probabilities[rival]),
        value=float(contributions.sum()),
        known=len(features),
        features=_grouped([(f.kind, f.text, place) for place, f in enumerate(features)], contributions),
        words=_grouped([(f.kind.replace("characters", "word"), f.word, f.place) for f in features], contributions),
    )


def _grouped(named: list[tuple[str, bytes, int]], contributions: npt.NDArray[np.float64]) -> list[Part]:
    """Add up what has one kind and text; `named` is (kind, text, place), and `count` the number of places."""
    sums: dict[tuple[str, bytes], float] = {}
    places: dict[tuple[str, bytes], set[int]] = {}
    for (kind, text, place), contribution in zip(named, contributions.tolist(), strict=True):
        sums[kind, text] = sums.get((kind, text), 0.0) + contribution
        places.setdefault((kind, text), set()).add(place)
    parts = [
        Part(kind, text.decode("utf-8", errors="replace"), len(places[kind, text]), total)
        for (kind, text), total in sums.items()
    ]
    return sorted(parts, key=lambda part: (-abs(part.contribution), part.kind, part.text))


def _runner_up(file: FastTextFile, probabilities: npt.NDArray[np.float32], code: int) -> int | None:
    if file.loss in ("ns", "ova") or len(probabilities) == 1:
        return None
    others = probabilities.astype(np.float64)
    others[code] = -1
    return int(np.argmax(others))


def _direction(
    file: FastTextFile, weights: npt.NDArray[np.float64], code: int, rival: int | None
) -> npt.NDArray[np.float64]:
    """Return w of the module's formula, float64 (dim,)."""
    if rival is None:
        return np.zeros(file.dim) if file.loss == "hs" else weights[code]
    if file.loss == "softmax":
        return np.asarray(weights[code] - weights[rival])
    left, right = _tree(file)
    mine, its = _way(code, left, right), _way(rival, left, right)
    node = next(node for node in mine if node in its)
    sign = 1.0 if right[node] in (code, *mine) else -1.0
    return np.asarray(sign * weights[node - len(file.labels)])


def _tree(file: FastTextFile) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    nodes = 2 * len(file.labels) - 1
    left, right = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    build_tree(frozen(file.label_counts), left, right)
    return left, right


def _way(label: int, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> list[int]:
    """Return the inner nodes above a label, the root last."""
    way, at = [], label
    while len(above := np.flatnonzero((left == at) | (right == at))):
        at = int(above[0])
        way.append(at)
    return way


def _probabilities(file: FastTextFile, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    values = logits[None, :].copy()
    if file.loss == "softmax":
        outputs.softmax(values)
    elif file.loss == "hs":
        left, right = _tree(file)
        outputs.tree(values, frozen(left), frozen(right))
    else:
        outputs.sigmoid(values)
    return np.asarray(values[0])


def _features(file: FastTextFile, text: bytes) -> Iterator[_Feature]:
    """Yield every feature of the text that the model knows, as `classifiers.kernels.features` counts them."""
    words, ids = _words(file, text)
    bucket_row = _Buckets(file)
    for place, (word, row) in enumerate(zip(words, ids, strict=True)):
        if row >= 0:
            yield _Feature("word", word, row, word, place)
        if file.maxn and not (word == EOS and place == len(words) - 1):
            for gram in _characters(word, file.minn, file.maxn):
                found = bucket_row(fnv_of(gram))
                if found is not None:
                    yield _Feature("characters", gram, found, word, place)
    signed = [(fnv_of(word) ^ 0x80000000) - 0x80000000 for word in words]
    longest = file.word_ngrams if file.bucket else 1
    for first in range(len(words)):
        chained = signed[first]
        for last in range(first + 1, min(first + longest, len(words))):
            chained = (chained * NGRAM_FACTOR + signed[last]) & _MASK
            found = bucket_row(chained)
            if found is not None:
                gram = b" ".join(words[first : last + 1])
                yield _Feature("words", gram, found, gram, first)


class _Buckets:
    """From the hash of an n-gram to its row in the input matrix, None where pruning dropped it."""

    def __init__(self, file: FastTextFile) -> None:
        self._file = file
        self._kept = None if file.pruned is None else dict(file.pruned.tolist())

    def __call__(self, value: int) -> int | None:
        bucket = value % self._file.bucket
        if self._kept is None:
            return self._file.nwords + bucket
        kept = self._kept.get(bucket)
        return None if kept is None else self._file.nwords + kept


def _words(file: FastTextFile, text: bytes) -> tuple[list[bytes], list[int]]:
    """Split as `classifiers.kernels.words` does; return words up to and with `</s>`, and their rows or -1."""
    words = [word for word in text.translate(_SPACES).split(b" ") if word]
    words = [word for word in words if not word.startswith(LABEL_PREFIX.encode())]
    words = [*words[: words.index(EOS) if EOS in words else len(words)], EOS]
    slots = slots_for(len(file.entry_offsets) - 1)
    build_slots(frozen(file.entry_bytes), frozen(file.entry_offsets), slots)
    rows = [int(find_word(frozen(slots), np.uint64(key_of(word)))) for word in words]
    both = [(word, row) for word, row in zip(words, rows, strict=True) if row < file.nwords]  # a label is no word
    return [word for word, _ in both], [row for _, row in both]


def _characters(word: bytes, shortest: int, longest: int) -> Iterator[bytes]:
    """Yield the character n-grams of a word between < and >; not the single characters < and >."""
    text = b"<" + word + b">"
    starts = [at for at in range(len(text)) if text[at] & 0xC0 != 0x80]
    ends = [*starts[1:], len(text)]
    for first, start in enumerate(starts):
        for n in range(max(shortest, 1), min(longest, len(starts) - first) + 1):
            end = ends[first + n - 1]
            if n == 1 and (start == 0 or end == len(text)):
                continue
            yield text[start:end]
