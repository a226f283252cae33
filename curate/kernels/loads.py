"""Unaligned little-endian loads and stores of 64 bits, and 64-byte comparisons, for kernels over byte arrays.

Checks no bounds: the caller makes sure that every byte named lies inside the array.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numba.extending
from llvmlite import ir

# Compiled functions have other parameters than the Python functions that write them: no types to check.
intrinsic: Any = numba.extending.intrinsic
types: Any = numba.types

_I8 = ir.IntType(8)
_I64 = ir.IntType(64)
_BLOCK = ir.VectorType(_I8, 64)


def _pointer(context: Any, builder: Any, data_type: Any, data: Any, index: Any, width: Any) -> Any:
    array = context.make_array(data_type)(context, builder, data)
    return builder.bitcast(builder.gep(array.data, [index]), width.as_pointer())


def _load_block(context: Any, builder: Any, sig: Any, arguments: Any, shift: int) -> Any:
    index = builder.add(arguments[1], ir.Constant(arguments[1].type, shift))
    return builder.load(_pointer(context, builder, sig.args[0], arguments[0], index, _BLOCK), align=1)


def _splat(value: int) -> Any:
    return ir.Constant(_BLOCK, [value] * 64)


def _between(builder: Any, block: Any, low: int, high: int) -> Any:
    return builder.icmp_unsigned("<=", builder.sub(block, _splat(low)), _splat(high - low))


def _pair_of_masks(context: Any, builder: Any, sig: Any, first: Any, second: Any) -> Any:
    masks = [builder.bitcast(first, _I64), builder.bitcast(second, _I64)]
    return context.make_tuple(builder, sig.return_type, masks)


@intrinsic
def load_u64(typing_context: Any, data: Any, index: Any) -> Any:
    """`load_u64(data, i)`: bytes i to i + 7 of a uint8 array as one little-endian uint64."""
    signature = types.uint64(data, types.intp)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        address = _pointer(context, builder, sig.args[0], arguments[0], arguments[1], _I64)
        return builder.load(address, align=1)

    return signature, generate


@intrinsic
def store_u64(typing_context: Any, data: Any, index: Any, value: Any) -> Any:
    """`store_u64(data, i, value)`: write value, little-endian, over bytes i to i + 7 of a uint8 array."""
    signature = types.void(data, types.intp, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        address = _pointer(context, builder, sig.args[0], arguments[0], arguments[1], _I64)
        builder.store(arguments[2], address, align=1)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def word_masks(typing_context: Any, data: Any, index: Any) -> Any:
    """`word_masks(data, i)`: two uint64 about bytes i to i + 63 of a uint8 array, bit j for byte i + j.

    The first marks ASCII word characters (letters, digits, underscore), the second bytes that are not ASCII.
    Written as LLVM vectors, so it becomes whatever the processor has: AVX-512, AVX2 or NEON comparisons.
    """
    signature = types.UniTuple(types.uint64, 2)(data, types.intp)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        block = _load_block(context, builder, sig, arguments, 0)
        letter = _between(builder, builder.or_(block, _splat(0x20)), 0x61, 0x7A)
        word = builder.or_(letter, _between(builder, block, 0x30, 0x39))
        word = builder.or_(word, _between(builder, block, 0x5F, 0x5F))
        return _pair_of_masks(context, builder, sig, word, _between(builder, block, 0x80, 0xFF))

    return signature, generate


@intrinsic
def space_masks(typing_context: Any, data: Any, index: Any) -> Any:
    """`space_masks(data, i)`: two uint64 about bytes i to i + 63, bit j for byte i + j; reads to i + 65.

    The first marks plain spaces (U+0020), the second the first byte of every other white-space character,
    the characters being those for which `str.isspace` holds.
    """
    signature = types.UniTuple(types.uint64, 2)(data, types.intp)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        one, two, three = (_load_block(context, builder, sig, arguments, k) for k in range(3))

        def begins(*wanted: tuple[int, int]) -> Any:
            tests = [_between(builder, block, *pair) for block, pair in zip((one, two, three), wanted, strict=False)]
            return functools.reduce(builder.and_, tests)

        others = [
            begins((0x09, 0x0D)),
            begins((0x1C, 0x1F)),
            begins((0xC2, 0xC2), (0x85, 0x85)),  # U+0085
            begins((0xC2, 0xC2), (0xA0, 0xA0)),  # U+00A0
            begins((0xE1, 0xE1), (0x9A, 0x9A), (0x80, 0x80)),  # U+1680
            begins((0xE2, 0xE2), (0x80, 0x80), (0x80, 0x8A)),  # U+2000 to U+200A
            begins((0xE2, 0xE2), (0x80, 0x80), (0xA8, 0xA9)),  # U+2028, U+2029
            begins((0xE2, 0xE2), (0x80, 0x80), (0xAF, 0xAF)),  # U+202F
            begins((0xE2, 0xE2), (0x81, 0x81), (0x9F, 0x9F)),  # U+205F
            begins((0xE3, 0xE3), (0x80, 0x80), (0x80, 0x80)),  # U+3000
        ]
        return _pair_of_masks(context, builder, sig, begins((0x20, 0x20)), functools.reduce(builder.or_, others))

    return signature, generate


@intrinsic
def trailing_zeros(typing_context: Any, value: Any) -> Any:
    """`trailing_zeros(x)`: the position of the lowest set bit of a uint64; 64 when x is 0."""
    signature = types.intp(types.uint64)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return signature, generate
