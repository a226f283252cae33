"""Union-find over equal keys that arrive piece by piece: a hash table of the first document of each key.

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
def edges_of_piece(
    keys: U64, others: U64, first: int, skip_zero: bool, share: int, shares: int, table: U64, edges: I64
) -> int:
    """Like `link_piece`, but write (document, first document of its key) to `edges`; return how many."""
    found = 0
    for i in range(keys.shape[0]):
        if skip_zero and keys[i] == 0:
            continue
        mixed = _mix(keys[i])
        if shares > 1 and _elsewhere(mixed, share, shares):
            continue
        before = _first_with(table, keys[i], others[i], mixed, first + i)
        if before >= 0:
            edges[found, 0], edges[found, 1] = first + i, before
            found += 1
    return found


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
def link_edges(edges: I64, begin: int, parents: U32) -> None:
    """Link both ends of every edge that is inside the block of documents from `begin` on."""
    for e in range(edges.shape[0]):
        if edges[e, 1] >= begin:
            join(parents, np.uint32(edges[e, 0] - begin), np.uint32(edges[e, 1] - begin))


@njit(nogil=True, cache=True)
def lowest_outside(edges: I64, begin: int, parents: U32, lowest: I64) -> None:
    """Lower `lowest` of a component to the smallest document before `begin` that an edge leads to; -1 is none."""
    for e in range(edges.shape[0]):
        v = edges[e, 1]
        if v < begin:
            root = _root(parents, np.uint32(edges[e, 0] - begin))
            if lowest[root] < 0 or v < lowest[root]:
                lowest[root] = v


@njit(nogil=True, cache=True)
def handed_down(edges: I64, begin: int, parents: U32, lowest: I64, out: I64) -> int:
    """Write an edge to the `lowest` of its component from every other document before `begin` it touches."""
    found = 0
    for e in range(edges.shape[0]):
        v = edges[e, 1]
        if v < begin:
            low = lowest[_root(parents, np.uint32(edges[e, 0] - begin))]
            if v != low:
                out[found, 0], out[found, 1] = v, low
                found += 1
    return found
