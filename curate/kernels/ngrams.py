"""A byte n-gram model as arrays: counting, and probabilities by interpolated Witten-Bell smoothing.

A context is the last 0 to `order` bytes inside a document. For each context there is N, how often it occurred, T, how
many different bytes followed it, and how often each did. Orders 0 and 1 are dense rows; longer contexts are entries of
one hash table of 64-bit words:

    bits 63..32                                  | 31..0
    0, tag of the context (23 bits), T - 1 (8)   | N
    1, tag of the context (23 bits), byte (8)    | how often the byte followed

An entry stands in the cache line of its context or, where that is full, in one of four others that its byte decides.
Where all are full the n-gram is not counted, so that probabilities still sum to 1. The bytes to come are known, so
their lines are fetched ahead. Keeps nothing between calls and knows nothing of corpora.

Source: Witten and Bell 1991, "The zero-frequency problem" (method C), interpolated as by Chen and Goodman 1998:
p(c | context) = (count(c) + T * p(c | context without its first byte)) / (N + T), and 1/256 below order 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit

from curate.kernels.loads import intrinsic, trailing_zeros, types

LINE = 8  # entries of a cache line
LONGEST = 8  # bytes of the longest context: they fit in a word
DENSE = 2  # bytes of the longest context with a dense row
ROWS = 1 + 256 + 65536  # of contexts of 0, 1 and 2 bytes
N, T = 256, 257  # columns of a dense row, after the counts of the 256 bytes
COLUMNS = 258
_AHEAD = 16  # bytes that lines are fetched ahead; a power of two
_OTHERS = 4  # lines beside its first one in which an entry may stand
_ITSELF = 256  # what stands for the byte where the other lines of a context itself are chosen
_NOWHERE = -(1 << 60)
_LOW = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)

# The table is passed on by its address: passing an array costs two atomic counts of references, a third of a look-up.


def _pointer(builder: Any, arguments: Any, kind: Any) -> Any:
    entry = builder.gep(builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()), [arguments[1]])
    return builder.bitcast(entry, kind.as_pointer())


@intrinsic
def prefetch(typing_context: Any, address: Any, index: Any) -> Any:
    """`prefetch(table, i)`: ask the processor for the cache line of entry i; changes nothing."""
    signature = types.void(types.intp, types.intp)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        byte, word = ir.IntType(8), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), word, word, word])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte.as_pointer()], kind)
        builder.call(function, [_pointer(builder, arguments, byte), word(1), word(3), word(1)])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def load_entry(typing_context: Any, address: Any, index: Any) -> Any:
    """`load_entry(table, i)`: entry i, uint64."""
    signature = types.uint64(types.intp, types.intp)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.load(_pointer(builder, arguments, ir.IntType(64)), align=8)

    return signature, generate


@intrinsic
def store_entry(typing_context: Any, address: Any, index: Any, value: Any) -> Any:
    """`store_entry(table, i, value)`: write entry i."""
    signature = types.void(types.intp, types.intp, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(builder, arguments, ir.IntType(64)), align=8)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def line_masks(typing_context: Any, address: Any, line: Any, context: Any, pair: Any) -> Any:
    """`line_masks(table, i, context, pair)`: three uint64 about entries i to i + 7, bit j for entry i + j.

    The first marks the entry whose upper 24 bits are `context`, the second the one whose upper 32 bits are `pair`, the
    third those that are empty. Written as LLVM vectors, so it becomes whatever the processor has.
    """
    signature = types.UniTuple(types.uint64, 3)(types.intp, types.intp, types.uint64, types.uint64)

    def generate(builder_context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        wide, word = ir.VectorType(ir.IntType(64), LINE), ir.IntType(64)
        entries = builder.load(_pointer(builder, arguments, wide), align=8)

        def equal(bits: int, value: Any) -> Any:
            one = builder.insert_element(ir.Constant(wide, ir.Undefined), value, ir.IntType(32)(0))
            every = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LINE), [0] * LINE))
            shifted = builder.lshr(entries, ir.Constant(wide, [bits] * LINE)) if bits else entries
            found = builder.icmp_unsigned("==", shifted, every)
            return builder.zext(builder.bitcast(found, ir.IntType(LINE)), word)

        masks = [equal(40, arguments[2]), equal(32, arguments[3]), equal(0, word(0))]
        return builder_context.make_tuple(builder, sig.return_type, masks)

    return signature, generate


@njit(nogil=True, cache=True, inline="always")
def _hash(past, order):
    """Return a hash of the last `order` bytes, the lowest of `past`, and of their number."""
    h = past & (~np.uint64(0) >> np.uint64(64 - 8 * order))
    h = (h + np.uint64(order) * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True, inline="always")
def _keys(h, byte):
    """Return the upper 24 bits of the entry of a context, and the upper 32 bits of that of a byte after it.

    The tag, 23 bits, tells the contexts of a line apart; it is never 0, as an empty entry is.
    """
    tag = (h >> np.uint64(41)) | _ONE
    return tag, (_ONE << np.uint64(31)) | (tag << np.uint64(8)) | np.uint64(byte)


@njit(nogil=True, cache=True, inline="always")
def _elsewhere(table, mask, h, byte, tag, key):
    """Return where in the other lines of a context the entry of a byte is, or of the context (`_ITSELF`).

    -1 - place where there is room for it instead, `_NOWHERE` where there is none.
    """
    g = (h ^ (np.uint64(byte + 1) * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    other = np.int64((g >> np.uint64(20)) & mask) * LINE
    for k in range(_OTHERS):
        line = other ^ (k * LINE)
        context, pair, empty = line_masks(table, line, tag, key)
        found = context if byte == _ITSELF else pair
        if found:
            return line + trailing_zeros(found)
        if empty:
            return -1 - line - trailing_zeros(empty)
    return np.int64(_NOWHERE)


@njit(nogil=True, cache=True, inline="always")
def _count(table, mask, h, byte):
    """Count a byte after a context of the hash table, unless there is no room for both."""
    tag, key = _keys(h, byte)
    line = np.int64(h & mask) * LINE
    context, pair, empty = line_masks(table, line, tag, key)
    if pair:
        at = line + trailing_zeros(pair)
    elif empty:
        at = -1 - line - trailing_zeros(empty)
        empty &= empty - _ONE
    else:
        at = _elsewhere(table, mask, h, byte, tag, key)
    new = at < 0
    if at == _NOWHERE:
        return
    if new:  # before the place of the context is looked for, so that it takes another
        at = -1 - at
        store_entry(table, at, key << np.uint64(32))
    if context:
        of = line + trailing_zeros(context)
    elif empty:
        of = -1 - line - trailing_zeros(empty)
    else:
        of = _elsewhere(table, mask, h, _ITSELF, tag, key)
    if of == _NOWHERE:
        if new:
            store_entry(table, at, np.uint64(0))
        return
    store_entry(table, at, load_entry(table, at) + _ONE)
    if of < 0:
        store_entry(table, -1 - of, (tag << np.uint64(40)) | _ONE)
    else:
        store_entry(table, of, load_entry(table, of) + ((np.uint64(new) << np.uint64(32)) | _ONE))


@njit(nogil=True, cache=True, inline="always")
def _look_up(table, mask, h, byte):
    """Return (N, T, how often the byte followed) of a context of the hash table; N is 0 where it never occurred."""
    tag, key = _keys(h, byte)
    line = np.int64(h & mask) * LINE
    context, pair, empty = line_masks(table, line, tag, key)
    at = of = np.int64(-1)
    if context:
        of = line + trailing_zeros(context)
    elif not empty:
        of = _elsewhere(table, mask, h, _ITSELF, tag, key)
    if of < 0:
        return np.int64(0), np.int64(0), np.int64(0)
    if pair:
        at = line + trailing_zeros(pair)
    elif not empty:
        at = _elsewhere(table, mask, h, byte, tag, key)
    entry = load_entry(table, of)
    times = np.int64(load_entry(table, at) & _LOW) if at >= 0 else np.int64(0)
    return np.int64(entry & _LOW), np.int64((entry >> np.uint64(32)) & np.uint64(255)) + 1, times


@njit(nogil=True, cache=True, inline="always")
def _row(past, order):
    """Return the dense row of the last `order` bytes."""
    if order == 0:
        return 0
    return np.int64(past & np.uint64(255)) + 1 if order == 1 else np.int64(past & np.uint64(65535)) + 257


@njit(nogil=True, cache=True, error_model="numpy")
def count(data, offsets, order, dense, entries):
    """Add the n-grams of all texts to `dense` uint32 (ROWS, COLUMNS) and `entries` uint64 (a power of two)."""
    table, mask = entries.ctypes.data, np.uint64(entries.size // LINE - 1)
    hashes = np.empty((_AHEAD, LONGEST + 1), np.uint64)
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        past, coming, ahead = np.uint64(0), np.uint64(0), start
        for i in range(start, end):
            while ahead < min(i + _AHEAD, end):
                for o in range(DENSE + 1, min(order, ahead - start) + 1):
                    h = _hash(coming, o)
                    hashes[ahead & (_AHEAD - 1), o] = h
                    prefetch(table, np.int64(h & mask) * LINE)
                coming = (coming << np.uint64(8)) | np.uint64(data[ahead])
                ahead += 1
            byte, longest = np.int64(data[i]), min(order, i - start)
            for o in range(min(longest, DENSE) + 1):
                row = _row(past, o)
                dense[row, T] += dense[row, byte] == 0
                dense[row, byte] += 1
                dense[row, N] += 1
            for o in range(DENSE + 1, longest + 1):
                _count(table, mask, hashes[i & (_AHEAD - 1), o], byte)
            past = (past << np.uint64(8)) | np.uint64(byte)


@njit(nogil=True, cache=True, inline="always")
def _interpolate(p, times, n, t):
    """Return the probability after one context more."""
    share = 1.0 / np.float64(n + t)
    return np.float64(times) * share + (np.float64(t) * share) * p


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(data, offsets, first, order, dense, entries, bits, probabilities):
    """Fill `bits` float64 (n,): -log2 of the probability of the bytes `first[d]:offsets[d + 1]` after those before.

    `probabilities` float32 (bytes,) gets those of each byte, in the order of the texts; not filled where it is empty.
    """
    table, mask = entries.ctypes.data, np.uint64(entries.size // LINE - 1)
    hashes = np.empty((_AHEAD, LONGEST + 1), np.uint64)
    written = 0
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        past, ahead = np.uint64(0), first[d]
        for i in range(max(start, first[d] - LONGEST), first[d]):
            past = (past << np.uint64(8)) | np.uint64(data[i])
        coming = past
        total, product = 0.0, 1.0
        for i in range(first[d], end):
            while ahead < min(i + _AHEAD, end):
                for o in range(DENSE + 1, min(order, ahead - start) + 1):
                    h = _hash(coming, o)
                    hashes[ahead & (_AHEAD - 1), o] = h
                    prefetch(table, np.int64(h & mask) * LINE)
                coming = (coming << np.uint64(8)) | np.uint64(data[ahead])
                ahead += 1
            byte, longest = np.int64(data[i]), min(order, i - start)
            p, seen = 1.0 / 256, True
            for o in range(min(longest, DENSE) + 1):
                row = _row(past, o)
                seen = dense[row, N] > 0
                if seen:
                    p = _interpolate(p, np.int64(dense[row, byte]), np.int64(dense[row, N]), np.int64(dense[row, T]))
            for o in range(DENSE + 1, longest + 1 if seen else 0):
                n, t, times = _look_up(table, mask, hashes[i & (_AHEAD - 1), o], byte)
                if n == 0:
                    break  # nor did a longer one occur
                p = _interpolate(p, times, n, t)
            past = (past << np.uint64(8)) | np.uint64(byte)
            if probabilities.size:
                probabilities[written] = p
                written += 1
            product *= p
            if product < 1e-200:
                total -= np.log2(product)
                product = 1.0
        bits[d] = total - np.log2(product)
