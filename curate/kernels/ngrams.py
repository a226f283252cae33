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
N, T = 256, 257  # columns of a dense row, after the counts of the 256 bytes
ROWS = 257  # dense rows: one a previous byte, the last without one
_AHEAD = 16  # bytes that lines are fetched ahead; a power of two
_LOW = np.uint64(0xFFFFFFFF)
_ITSELF = 256  # what stands for the byte where the other lines of a context itself are chosen
_OTHERS = 4  # lines beside the first one in which an entry may stand


@intrinsic
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """`prefetch(array, i)`: ask the processor for the cache line of `array[i]`; changes nothing."""
    signature = types.void(array, types.intp)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        made = context.make_array(sig.args[0])(context, builder, arguments[0])
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        address = builder.bitcast(builder.gep(made.data, [arguments[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        builder.call(
            builder.module.declare_intrinsic("llvm.prefetch", [byte], kind), [address, word(1), word(3), word(1)]
        )
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def line_masks(typing_context: Any, table: Any, line: Any, context: Any, pair: Any) -> Any:
    """`line_masks(table, i, context, pair)`: three uint64 about entries i to i + 7, bit j for entry i + j.

    The first marks the entry whose upper 24 bits are `context`, the second the one whose upper 32 bits are `pair`, the
    third those that are empty. Written as LLVM vectors, so it becomes whatever the processor has.
    """
    signature = types.UniTuple(types.uint64, 3)(table, types.intp, types.uint64, types.uint64)

    def generate(builder_context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        wide, word = ir.VectorType(ir.IntType(64), LINE), ir.IntType(64)
        made = builder_context.make_array(sig.args[0])(builder_context, builder, arguments[0])
        address = builder.bitcast(builder.gep(made.data, [arguments[1]]), wide.as_pointer())
        entries = builder.load(address, align=8)

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
def _tag(h):
    """Return the 23 bits that tell the contexts of a line apart; never 0, as an empty entry is."""
    return (h >> np.uint64(41)) | np.uint64(1)


@njit(nogil=True, cache=True, inline="always")
def _other(h, byte, mask):
    """Return the first of the other lines of a context's byte, or of the context (`_ITSELF`)."""
    g = (h ^ (np.uint64(byte + 1) * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((g >> np.uint64(20)) & mask) * LINE


@njit(nogil=True, cache=True, inline="always")
def _pair_key(tag, byte):
    """Return the upper 32 bits of the entry of a byte after a context."""
    return (np.uint64(1) << np.uint64(31)) | (tag << np.uint64(8)) | np.uint64(byte)


@njit(nogil=True, cache=True)
def _elsewhere(table, h, mask, tag, key, byte, wanted):
    """Return where in the other lines of a context an entry is, -1 - place where there is room, -size if nowhere.

    `wanted`: 0 for the entry of the context, 1 for that of the byte (`_ITSELF` for the context's own lines).
    """
    other = _other(h, byte, mask)
    for k in range(_OTHERS):
        line = other ^ (k * LINE)
        context, pair, empty = line_masks(table, line, tag, key)
        found = pair if wanted else context
        if found:
            return line + trailing_zeros(found)
        if empty:
            return -1 - line - trailing_zeros(empty)
    return -1 - table.size


@njit(nogil=True, cache=True, inline="always")
def _count(table, h, mask, byte):
    """Count a byte after a context of the hash table, unless there is no room for both."""
    tag = _tag(h)
    key = _pair_key(tag, byte)
    line = np.int64(h & mask) * LINE
    context, pair, empty = line_masks(table, line, tag, key)
    if pair:
        at = line + trailing_zeros(pair)
    elif empty:
        at = -1 - line - trailing_zeros(empty)
        empty &= empty - np.uint64(1)
    else:
        at = _elsewhere(table, h, mask, tag, key, byte, 1)
    if context:
        of = line + trailing_zeros(context)
    elif empty:
        of = -1 - line - trailing_zeros(empty)
    else:
        if at < 0 and -1 - at < table.size:
            table[-1 - at] = key << np.uint64(32)  # so that the context does not take its place
        of = _elsewhere(table, h, mask, tag, key, _ITSELF, 0)
        if at < 0 and -1 - at < table.size:
            table[-1 - at] = np.uint64(0)
    if -1 - at == table.size or -1 - of == table.size:
        return
    if at < 0:
        table[-1 - at] = (key << np.uint64(32)) | np.uint64(1)
    else:
        table[at] += np.uint64(1)
    if of < 0:
        table[-1 - of] = (tag << np.uint64(40)) | np.uint64(1)
    else:
        table[of] += (np.uint64(at < 0) << np.uint64(32)) | np.uint64(1)


@njit(nogil=True, cache=True, inline="always")
def _look_up(table, h, mask, byte):
    """Return (N, T, how often the byte followed) of a context of the hash table; N is 0 where it never occurred."""
    tag = _tag(h)
    key = _pair_key(tag, byte)
    line = np.int64(h & mask) * LINE
    context, pair, empty = line_masks(table, line, tag, key)
    at = of = np.int64(-1)
    if context:
        of = line + trailing_zeros(context)
    elif not empty:
        of = _elsewhere(table, h, mask, tag, key, _ITSELF, 0)
    if of < 0:
        return np.int64(0), np.int64(0), np.int64(0)
    if pair:
        at = line + trailing_zeros(pair)
    elif not empty:
        at = _elsewhere(table, h, mask, tag, key, byte, 1)
    times = np.int64(table[at] & _LOW) if at >= 0 else np.int64(0)
    return np.int64(table[of] & _LOW), np.int64((table[of] >> np.uint64(32)) & np.uint64(255)) + 1, times


@njit(nogil=True, cache=True, inline="always")
def _count_dense(dense, row, byte):
    dense[row, T] += dense[row, byte] == 0
    dense[row, byte] += 1
    dense[row, N] += 1


@njit(nogil=True, cache=True)
def count(data, offsets, order, dense, table):
    """Add the n-grams of all texts to `dense` int64 (ROWS, 258) and `table` uint64 (lines * LINE), a power of two."""
    mask = np.uint64(table.size // LINE - 1)
    ring = np.empty((_AHEAD, LONGEST + 1), np.uint64)
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        past, ahead = np.uint64(0), start
        for i in range(start, end):
            while ahead < min(i + _AHEAD, end):
                for o in range(2, min(order, ahead - start) + 1):
                    h = _hash(past, o)
                    ring[ahead & (_AHEAD - 1), o] = h
                    prefetch(table, np.int64(h & mask) * LINE)
                past = (past << np.uint64(8)) | np.uint64(data[ahead])
                ahead += 1
            byte = np.int64(data[i])
            _count_dense(dense, 256, byte)
            if order > 0 and i > start:
                _count_dense(dense, np.int64(data[i - 1]), byte)
            for o in range(2, min(order, i - start) + 1):
                _count(table, ring[i & (_AHEAD - 1), o], mask, byte)


@njit(nogil=True, cache=True, inline="always")
def _interpolate(p, times, n, t):
    """Return the probability after one context more, or p where the context never occurred."""
    share = 1.0 / (n + t)
    return times * share + (t * share) * p


@njit(nogil=True, cache=True)
def evaluate(data, offsets, first, order, dense, table, bits, probabilities):
    """Fill `bits` float64 (n,): -log2 of the probability of the bytes `first[d]:offsets[d + 1]` after those before.

    `probabilities` float32 (bytes,) gets those of each byte, in the order of the texts; not filled where it is empty.
    """
    mask = np.uint64(table.size // LINE - 1)
    ring = np.empty((_AHEAD, LONGEST + 1), np.uint64)
    written = 0
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        past, ahead = np.uint64(0), first[d]
        for i in range(max(start, first[d] - LONGEST), first[d]):
            past = (past << np.uint64(8)) | np.uint64(data[i])
        total, product = 0.0, 1.0
        for i in range(first[d], end):
            while ahead < min(i + _AHEAD, end):
                for o in range(2, min(order, ahead - start) + 1):
                    h = _hash(past, o)
                    ring[ahead & (_AHEAD - 1), o] = h
                    prefetch(table, np.int64(h & mask) * LINE)
                past = (past << np.uint64(8)) | np.uint64(data[ahead])
                ahead += 1
            byte = np.int64(data[i])
            p = 1.0 / 256
            if dense[256, N] > 0:
                p = _interpolate(p, dense[256, byte], dense[256, N], dense[256, T])
            if order > 0 and i > start and dense[data[i - 1], N] > 0:
                row = data[i - 1]
                p = _interpolate(p, dense[row, byte], dense[row, N], dense[row, T])
            for o in range(2, min(order, i - start) + 1):
                h = ring[i & (_AHEAD - 1), o]
                n, t, times = _look_up(table, h, mask, byte)
                if n == 0:
                    break  # nor did a longer one occur
                p = _interpolate(p, times, n, t)
            if probabilities.size:
                probabilities[written] = p
                written += 1
            product *= p
            if product < 1e-200:
                total -= np.log2(product)
                product = 1.0
        bits[d] = total - np.log2(product)
