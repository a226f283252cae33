"""Split a document into words as fastText does, a batch at a time.

Does not know models: a word leaves here as its place, its fastText hash and its key.
Words end at space, tab, newline, vertical tab, form feed, carriage return and NUL. A newline is a space like
the others, because a whole document is scored as one line. A word `</s>` ends the document, a word that starts
with `__label__` is passed over, and `</s>` is added at the end; all three as fastText does.
"""

from __future__ import annotations

import numpy as np
from numba import int64, njit, uint8, uint32, uint64

from classifiers.kernels.hashing import FNV_START, KEY_START, fnv_of, fnv_step, key_end, key_of, key_step

BATCH = 512
EOS = b"</s>"
LABEL = b"__label__"
SPACES = sum(1 << byte for byte in b" \t\n\v\f\r\0")


EOS_HASH, EOS_KEY = int(np.uint32(fnv_of(EOS)).astype(np.int32)), key_of(EOS)


@njit(nogil=True, cache=True, inline="always")
def is_space(byte):
    """Whether a byte ends a word: " \\t\\n\\v\\f\\r" or NUL, looked up in a bit set."""
    return byte <= uint8(32) and (int64(SPACES) >> int64(byte)) & 1 == 1


@njit(nogil=True, cache=True)
def starts_with_label(data, start, end):
    """Tell whether the word `data[start:end]` begins with `__label__`, which fastText takes for no word."""
    if end - start < len(LABEL):
        return False
    for at in range(len(LABEL)):  # noqa: SIM110 (numba has no all())
        if data[start + at] != LABEL[at]:
            return False
    return True


@njit(nogil=True, cache=True)
def next_words(data, at, end, starts, ends, hashes, keys):
    """Fill the batch arrays with the words of `data[at:end]`; return (where to go on, words, document ended).

    starts, ends int64, hashes int32, keys uint64, all (BATCH,). The `</s>` that ends a document has start -1.
    """
    here, stop, one, count = uint64(at), uint64(end), uint64(1), uint64(0)
    while count < BATCH:
        while here < stop and is_space(data[here]):
            here += one
        if here >= stop:
            break
        start = here
        fnv = uint32(FNV_START)
        key = uint64(KEY_START)
        while here < stop and not is_space(data[here]):
            fnv = fnv_step(fnv, data[here])
            key = key_step(key, data[here])
            here += one
        first = data[start]
        if first == 95 and starts_with_label(data, int64(start), int64(here)):
            continue
        key = key_end(key)
        if first == 60 and here - start == 4 and key == uint64(EOS_KEY):
            here = stop
            break
        starts[count] = start
        ends[count] = here
        hashes[count] = fnv
        keys[count] = key
        count += one
    if here < stop or count == BATCH:
        return int64(here), int64(count), False
    starts[count] = -1
    ends[count] = -1
    hashes[count] = EOS_HASH
    keys[count] = uint64(EOS_KEY)
    return int64(here), int64(count) + 1, True
