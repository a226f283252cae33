"""Read a fastText model file (.bin, .ftz) into arrays, checking every size before it is trusted.

Does not score; `classifiers.tables` turns what is read here into tables for kernels.
The layout is the one fastText's `saveModel` writes, versions 11 and 12, little-endian.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.errors import ClassifierError
from classifiers.fasttext_matrix import DenseMatrix, Matrix, QuantisedMatrix

MAGIC = 793712314
VERSIONS = (11, 12)
SUPERVISED = 3
LOSSES = {1: "hs", 2: "ns", 3: "softmax", 4: "ova"}
LABEL_PREFIX = "__label__"
MAX_NGRAM = 64  # far above any use; bounds the work that a hostile file can ask for
MAX_PRUNED_BUCKETS = 1 << 28  # a few bytes hold a pruned model of any number; its bit set takes half a byte for each
MAX_WIDTH = 64  # columns that one code of a quantised matrix stands for; fastText's default is 2
MAX_COUNT = 10**15  # fastText's Huffman tree takes this as infinity


@dataclass(frozen=True, slots=True)
class FastTextFile:
    """A supervised fastText model as it is on disk.

    `entries` is every word, then every label, as `entry_offsets` (size + 1) into the bytes `entry_bytes`.
    `pruned` is None, or int32 (n, 2): the n-gram buckets kept and the row each moved to, counted after the words.
    """

    path: Path
    version: int
    dim: int
    word_ngrams: int
    loss: str
    bucket: int
    minn: int
    maxn: int
    nwords: int
    labels: list[str]
    label_counts: npt.NDArray[np.int64]
    entry_bytes: npt.NDArray[np.uint8]
    entry_offsets: npt.NDArray[np.int64]
    pruned: npt.NDArray[np.int32] | None
    input: Matrix
    output: Matrix


class _Cursor:
    """Walks the bytes of a file; asking for more than there is raises ClassifierError."""

    def __init__(self, path: Path, data: npt.NDArray[np.uint8]) -> None:
        self.path = path
        self.data = data
        self.at = 0

    def fail(self, why: str) -> ClassifierError:
        return ClassifierError(f"{self.path}: {why}; get the file again or retrain the model")

    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int, what: str) -> npt.NDArray[np.uint8]:
        if size < 0 or size > self.left():
            raise self.fail(f"truncated or damaged fastText model: {what} needs {size:,} bytes, {self.left():,} left")
        self.at += size
        return self.data[self.at - size : self.at]

    def numbers(self, layout: str, what: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout), what).tobytes())

    def flag(self, what: str) -> bool:
        (value,) = self.numbers("B", what)
        if value > 1:
            raise self.fail(f"damaged fastText model: {what} is {value}, not 0 or 1")
        return bool(value)

    def array(self, dtype: str, count: int, what: str) -> npt.NDArray[Any]:
        """Return `count` numbers; a view of the file where its alignment allows, else a copy."""
        raw = self.take(np.dtype(dtype).itemsize * count, what).view(dtype)
        return raw if raw.flags.aligned else raw.copy()


def read(path: Path) -> FastTextFile:
    """Read the supervised fastText model at `path`; large arrays stay mapped to the file.

    Raises ClassifierError, naming the file, when it is not such a model or is damaged.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise ClassifierError(f"{path}: cannot be read as a fastText model ({error})") from error
    return _parse(_Cursor(path, np.frombuffer(mapped, np.uint8)))


def _parse(cursor: _Cursor) -> FastTextFile:
    if cursor.left() < 8 or cursor.numbers("i", "the magic number") != (MAGIC,):
        raise ClassifierError(f"{cursor.path}: not a fastText model (.bin or .ftz); other formats cannot be read")
    (version,) = cursor.numbers("i", "the version")
    if version not in VERSIONS:
        raise cursor.fail(f"fastText format version {version} is not known (known: 11 and 12)")
    args = cursor.numbers("12i", "the arguments")
    dim, _, _, _, _, word_ngrams, loss, model, bucket, minn, maxn, _ = args
    cursor.numbers("d", "the arguments")
    if model != SUPERVISED:
        raise ClassifierError(f"{cursor.path}: word vectors, not a classifier; train one with fastText `supervised`")
    if version == 11:
        maxn = 0  # fastText: old supervised models do not use character n-grams
    limits = loss in LOSSES and dim >= 1 and bucket >= 0 and word_ngrams <= MAX_NGRAM and maxn <= MAX_NGRAM
    if not limits:
        raise cursor.fail(f"damaged fastText model: impossible arguments {args}")
    if bucket == 0 and (word_ngrams > 1 or maxn > 0):
        raise cursor.fail("damaged fastText model: n-grams without buckets")

    size, nwords, nlabels = cursor.numbers("3i", "the dictionary size")
    _, npruned = cursor.numbers("2q", "the dictionary size")
    if min(nwords, nlabels) < 0 or nlabels == 0 or size != nwords + nlabels:
        raise cursor.fail(f"damaged fastText model: {size} entries, {nwords} words, {nlabels} labels")
    starts, counts = _entries(cursor, size, nwords)
    pruned = _pruned(cursor, npruned, bucket)
    entry_bytes, entry_offsets = starts
    labels = _labels(cursor, entry_bytes, entry_offsets[nwords:])

    rows = nwords if pruned is None else nwords + len(pruned)
    if pruned is None and (word_ngrams > 1 or maxn > 0):
        rows += bucket
    quantised = cursor.flag("the quantisation flag")
    matrix = _matrix(cursor, quantised, rows, dim, "the input matrix")
    if pruned is not None and not quantised:
        raise cursor.fail("a pruned dictionary with a dense matrix, which fastText itself refuses (its issue 332)")
    quantised_output = cursor.flag("the output quantisation flag") and quantised
    output = _matrix(cursor, quantised_output, nlabels, dim, "the output matrix")
    return FastTextFile(
        path=cursor.path, version=version, dim=dim, word_ngrams=max(word_ngrams, 1), loss=LOSSES[loss], bucket=bucket,
        minn=minn, maxn=max(maxn, 0), nwords=nwords, labels=labels, label_counts=counts[nwords:],
        entry_bytes=entry_bytes, entry_offsets=entry_offsets, pruned=pruned, input=matrix, output=output,
    )  # fmt: skip


def _entries(
    cursor: _Cursor, size: int, nwords: int
) -> tuple[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """Read the dictionary's `size` entries: text, NUL, count (int64), type (int8: 0 word, 1 label)."""
    from classifiers.kernels.vocabulary import scan_entries

    if size * 10 > cursor.left():
        raise cursor.fail(f"truncated or damaged fastText model: no room for {size:,} dictionary entries")
    starts = np.zeros(size, np.int64)
    lengths = np.zeros(size, np.int64)
    counts = np.zeros(size, np.int64)
    rest = cursor.data[cursor.at :]
    used = scan_entries(rest, nwords, starts, lengths, counts)
    if used < 0:
        raise cursor.fail("truncated or damaged fastText model: the dictionary breaks off or mixes words and labels")
    cursor.at += used
    offsets = np.zeros(size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    is_text = np.ones(used, np.bool_)
    for tail in range(10):  # NUL, count and type
        is_text[starts + lengths + tail] = False
    text = rest[:used][is_text]
    if counts[nwords:].min() < 0 or counts[nwords:].max() >= MAX_COUNT:
        raise cursor.fail("damaged fastText model: impossible label counts")
    return (text, offsets), counts


def _pruned(cursor: _Cursor, count: int, bucket: int) -> npt.NDArray[np.int32] | None:
    """Read the buckets that pruning kept; -1 means that the dictionary was not pruned."""
    if count == -1:
        return None
    if count < 0 or count > bucket or bucket > MAX_PRUNED_BUCKETS:
        raise cursor.fail(f"damaged fastText model: {count} of {bucket} buckets kept")
    pairs: npt.NDArray[np.int32] = cursor.array("<i4", 2 * count, "the kept buckets").reshape(count, 2)
    if count and (pairs.min() < 0 or pairs[:, 0].max() >= bucket or pairs[:, 1].max() >= count):
        raise cursor.fail("damaged fastText model: a kept bucket lies outside the matrix")
    return pairs


def _labels(cursor: _Cursor, text: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> list[str]:
    names = []
    for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        try:
            names.append(text[start:end].tobytes().decode("utf-8").removeprefix(LABEL_PREFIX))
        except UnicodeDecodeError as error:
            raise cursor.fail("damaged fastText model: a label is not UTF-8") from error
    if len(set(names)) != len(names):
        raise cursor.fail("damaged fastText model: two labels have the same name")
    return names


def _matrix(cursor: _Cursor, quantised: bool, rows: int, dim: int, what: str) -> Matrix:
    """Read a matrix that must have at least `rows` rows and exactly `dim` columns."""
    norms = cursor.flag(what) if quantised else False
    found, columns = cursor.numbers("2q", what)
    if found < rows or columns != dim:
        raise cursor.fail(f"damaged fastText model: {what} is {found} x {columns}, expected {rows} x {dim}")
    if not quantised:
        values = cursor.array("<f4", found * columns, what)
        return DenseMatrix(values.reshape(found, columns))
    (code_size,) = cursor.numbers("i", what)
    if code_size <= 0 or code_size % found:
        raise cursor.fail(f"damaged fastText model: {what} has {code_size} codes for {found} rows")
    codes = cursor.take(code_size, what).reshape(found, -1)
    centroids, width = _centroids(cursor, dim, codes.shape[1], what)
    scale = None
    if norms:
        norm_codes = cursor.take(found, what)
        norm_values, _ = _centroids(cursor, 1, 1, what)
        scale = norm_values[norm_codes]
    return QuantisedMatrix(codes, centroids, width, dim, scale)


def _centroids(cursor: _Cursor, dim: int, parts: int, what: str) -> tuple[npt.NDArray[np.float32], int]:
    """Read a product quantiser: 256 centroids for each of `parts` slices of `width` columns, the last may be less."""
    found, nparts, width, last = cursor.numbers("4i", what)
    sound = found == dim and nparts == parts and 1 <= width <= MAX_WIDTH and 1 <= last <= width
    if not sound or width * (parts - 1) + last != dim:
        raise cursor.fail(f"damaged fastText model: {what} has an impossible quantiser")
    return cursor.array("<f4", dim * 256, what), width
