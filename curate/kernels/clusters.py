"""Union-find over equal keys that arrive piece by piece, and edges in place of it: a hash table of each key's first.

Knows nothing of what the keys mean, and sorts nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)


@njit(nogil=True, cache=True, inline="always")
def _mix(key: np.uint64) -> np.uint64:
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return key ^ (key >> np.uint64(32))


@njit(nogil=True, cache=True, inline="always")
def _root(parents: U32, i: np.uint32) -> np.uint32:
    while parents[i] != i:
        parents[i] = parents[parents[i]]  # path halving
        i = parents[i]
    return i


@njit(nogil=True, cache=True)
def join(parents: U32, i: np.uint32, k: np.uint32) -> None:
    """Make the smaller of the roots of i and k the root of both."""
    a, b = _root(parents, i), _root(parents, k)
    parents[max(a, b)] = min(a, b)


@njit(nogil=True, cache=True, inline="always")
def _place(table: U64, key: np.uint64, other: np.uint64, mixed: np.uint64) -> np.int64:
    """The row of `table` that holds (key, other), or the free one where it belongs."""
    rows = np.uint64(table.shape[0])
    row = np.int64(((mixed >> np.uint64(32)) * rows) >> np.uint64(32))
    while table[row, 0] != 0:
        if table[row, 1] == key and (table.shape[1] == 2 or table[row, 2] == other):
            break
        row += np.int64(1)
        if row == table.shape[0]:
            row = np.int64(0)
    return row


@njit(nogil=True, cache=True, inline="always")
def _first_with(table: U64, key: np.uint64, other: np.uint64, mixed: np.uint64, number: int) -> np.int64:
    """The document that had (key, other) first; -1 when that is `number`, which is written down."""
    row = _place(table, key, other, mixed)
    if table[row, 0] != 0:
        return np.int64(table[row, 0] - np.uint64(1))
    table[row, 0], table[row, 1] = np.uint64(number + 1), key
    if table.shape[1] == 3:
        table[row, 2] = other
    return np.int64(-1)


@njit(nogil=True, cache=True, inline="always")
def _elsewhere(mixed: np.uint64, share: int, shares: int) -> bool:
    return np.int64(((mixed & _LOW) * np.uint64(shares)) >> np.uint64(32)) != share


@njit(nogil=True, cache=True)
def link_piece(
    keys: U64, others: U64, first: int, skip_zero: bool, share: int, shares: int, table: U64, parents: U32
) -> None:
    """Link documents first, first + 1, … in `parents` with those before that had equal (keys[i], others[i]).

    The smaller number becomes the root. `table` (rows, 3), or (rows, 2) where `others` does not matter, is zero
    before the first piece and has more rows than there are different keys; a row holds the number, plus one, of
    the first document that had the key, and the key. Only one of `shares` equal parts of the key space is linked.
    """
    for i in range(keys.shape[0]):
        if skip_zero and keys[i] == 0:
            continue
        mixed = _mix(keys[i])
        if shares > 1 and _elsewhere(mixed, share, shares):
            continue
        before = _first_with(table, keys[i], others[i], mixed, first + i)
        if before >= 0:
            join(parents, np.uint32(first + i), np.uint32(before))


@njit(nogil=True, cache=True)
def flatten(parents: U32) -> None:
    """Make every document point at its root; ascending, so that a parent is finished before its children."""
    for i in range(parents.shape[0]):
        parents[i] = parents[parents[i]]


@njit(nogil=True, cache=True)
def mark_linked(parents: U32, linked: U8) -> int:
    """Write 1 to `linked` for every document of a component of two or more; return how many there are."""
    for i in range(parents.shape[0]):
        if parents[i] != i:
            linked[i] = linked[parents[i]] = 1
    return int(linked.sum())


@njit(nogil=True, cache=True)
def link_edges(ends: I64, others: I64, parents: U32) -> None:
    """Link both ends of every edge."""
    for e in range(ends.shape[0]):
        join(parents, np.uint32(ends[e]), np.uint32(others[e]))


@njit(nogil=True, cache=True)
def count_keys(keys: U64, sizes: I64) -> None:
    """Add to `sizes` int64 (partitions,) how many keys other than 0 belong to each partition."""
    shares = np.uint64(sizes.shape[0])
    for i in range(keys.shape[0]):
        if keys[i] != 0:
            sizes[np.int64(((_mix(keys[i]) & _LOW) * shares) >> np.uint64(32))] += 1


@njit(nogil=True, cache=True)
def divide_keys(keys: U64, others: U64, first: int, at: I64, out: U64, out_others: U64, documents: U32) -> None:
    """Write the keys other than 0 of documents first, first + 1, … to where their partition goes on: `at[partition]`.

    `at` int64 (partitions,) is moved on. Where `out_others` is empty, `others` do not matter.
    """
    shares = np.uint64(at.shape[0])
    for i in range(keys.shape[0]):
        if keys[i] != 0:
            partition = np.int64(((_mix(keys[i]) & _LOW) * shares) >> np.uint64(32))
            place = at[partition]
            at[partition] += 1
            out[place] = keys[i]
            documents[place] = first + i
            if out_others.shape[0]:
                out_others[place] = others[i]


@njit(nogil=True, cache=True)
def edges_of_keys(
    keys: U64, others: U64, documents: U32, first: int, begin: int, taken: I64, table: U64, edges: I64
) -> tuple[int, int]:
    """Write (document, first document of its key) to `edges`; return the key to go on with, and how many there are.

    Key i, from `begin` on, is that of document `first + documents[i]`. Stops where `table`, as for `link_piece`, is
    nearly full; `taken[0]` counts its rows. The rows of `edges` are filled from the start.
    """
    found = 0
    most = np.int64(table.shape[0] * 7 // 10)
    for i in range(begin, keys.shape[0]):
        if taken[0] >= most:
            return i, found
        number = first + int(documents[i])
        before = _first_with(table, keys[i], others[i], _mix(keys[i]), number)
        if before < 0:
            taken[0] += 1
        elif before != number:
            edges[found, 0], edges[found, 1] = number, before
            found += 1
    return keys.shape[0], found


@njit(nogil=True, cache=True)
def grow(table: U64, larger: U64) -> None:
    """Copy the rows of a table into a larger one, zero before."""
    for row in range(table.shape[0]):
        if table[row, 0] != 0:
            place = _place(larger, table[row, 1], table[row, table.shape[1] - 1], _mix(table[row, 1]))
            larger[place] = table[row]


@njit(nogil=True, cache=True)
def lower(ends: I64, others: I64, partitions: int, lowest: I64) -> None:
    """Lower `lowest[end // partitions]` to the smallest of the other ends of each end."""
    for e in range(ends.shape[0]):
        at = ends[e] // partitions
        lowest[at] = min(lowest[at], others[e])


@njit(nogil=True, cache=True)
def large_star(ends: I64, others: I64, partitions: int, lowest: I64, out_ends: I64, out_others: I64) -> tuple[int, int]:
    """Hang the larger neighbours of every end on its `lowest` one; return how many, and how many hung elsewhere."""
    found = moved = 0
    for e in range(ends.shape[0]):
        if others[e] > ends[e]:
            low = lowest[ends[e] // partitions]
            out_ends[found], out_others[found] = others[e], low
            found += 1
            moved += low != ends[e]
    return found, moved


@njit(nogil=True, cache=True)
def small_star(
    ends: I64, others: I64, partitions: int, lowest: I64, hung: U8, out_ends: I64, out_others: I64
) -> tuple[int, int]:
    """Hang every end, once (`hung`), and its other smaller neighbours on its `lowest` one.

    Returns how many edges that makes, and how many neighbours hung elsewhere.
    """
    found = moved = 0
    for e in range(ends.shape[0]):
        at = ends[e] // partitions
        low = lowest[at]
        if others[e] != low:
            out_ends[found], out_others[found] = others[e], low
            found += 1
            moved += 1
        elif not hung[at]:
            hung[at] = 1
            out_ends[found], out_others[found] = ends[e], low
            found += 1
    return found, moved
