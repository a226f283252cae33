"""Add up rows of a float32 table, eight columns at a time in one vector register.

Knows nothing of what a row stands for. Written as LLVM instructions because numba leaves this loop scalar, three times
as slow: its loop vectoriser finds eight or sixteen columns too few, and its straight-line vectoriser is off.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types, uint64
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8


@intrinsic
def _add_eight(typing: Any, table: Any, rows: Any, count: Any, total: Any, column: Any, skip: Any) -> Any:
    """total[column:column + 8] += table[rows[i], column + skip:column + skip + 8] for i < count, in order of i."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
            if isinstance(kind, types.Array)
        ]
        source, indices, target = arrays
        _, _, length, _, first, offset = arguments
        vector = ir.VectorType(ir.FloatType(), LANES)
        width = builder.extract_value(source.shape, 1)

        def eight(pointer: Any, at: Any) -> Any:
            return builder.bitcast(builder.gep(pointer, [at]), vector.as_pointer())

        goal = eight(target.data, first)
        sums = cgutils.alloca_once_value(builder, builder.load(goal, align=4))  # type: ignore[no-untyped-call]
        with cgutils.for_range(builder, length) as loop:
            row = builder.load(builder.gep(indices.data, [loop.index]))
            start = builder.add(builder.mul(row, width), builder.add(first, offset))
            builder.store(builder.fadd(builder.load(sums), builder.load(eight(source.data, start), align=4)), sums)
        builder.store(builder.load(sums), goal, align=4)
        return context.get_dummy_value()

    return types.void(table, rows, types.int64, total, types.int64, types.int64), build


@njit(nogil=True, cache=True)
def add_rows(table, skip, rows, count, total):
    """Add `table[rows[:count], skip:]` to `total` (width,), row after row; width is below 8 or a multiple of 8.

    `table` float32 (any, skip + width), `rows` int64, all C-contiguous; every row below `len(table)`.
    """
    width = len(total)
    if width < LANES:
        for column in range(width):
            own = total[column]
            for index in range(count):
                own += table[uint64(rows[index]), skip + column]
            total[column] = own
        return
    for column in range(0, width, LANES):
        _add_eight(table, rows, count, total, column, skip)  # type: ignore[call-arg]
