"""Connected components of more documents than memory has room to number: edges on disk, contracted by block.

Finds no edges. `curate.dedup.clusters` uses it only where a union-find over all documents does not fit.

Documents are divided into blocks of neighbouring numbers that do fit. Going down from the last block, the edges that
leave a component of the block for lower ones are replaced by edges among the lower ends, so that each component of a
block hangs on at most one document below; going up again, each learns from that one which cluster it is in. An edge
is read and written once for each block it is handed down through. Source of the idea (reducing nodes from the last one
down): Sibeyn, "External connected components", SWAT 2004.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curate.dedup.spill import Spill
from curate.kernels import clusters as kernel
from curate.shards.atomic import explain_write_errors

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

_ROOTS_AT_A_TIME = 1 << 20
BYTES_A_DOCUMENT = 40  # of a block: parent, lowest neighbour or label, flags, and what is returned
MOST_NUMBERS = (1 << 32) - 2  # documents of a block: its union-find has 32-bit numbers


def components_on_disk(edges: Iterable[I64], n: int, memory: int, folder: Path) -> tuple[I64, I64]:
    """Return the documents of components of two or more, ascending, and the smallest document of each's component.

    `edges`: int64 (m, 2) arrays of (document, another document). Beyond `memory` bytes the result takes 16 bytes
    for each document in it; files go to `folder` and are deleted.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        blocks = _Blocks(n, max(min(memory // BYTES_A_DOCUMENT, MOST_NUMBERS), 1), Path(place))
        for piece in edges:
            blocks.add(piece)
        for number in reversed(range(len(blocks.begins))):
            _contract(blocks, number)
        found = [_resolve(blocks, number) for number in range(len(blocks.begins))]
    none = np.zeros(0, np.int64)
    documents = np.concatenate([none, *(documents for documents, _ in found)])
    return documents, np.concatenate([none, *(roots for _, roots in found)])


class _Blocks:
    """Documents 0 to n - 1 in blocks of `size`, and pairs of numbers in files, each with the block of the first."""

    def __init__(self, n: int, size: int, folder: Path) -> None:
        self.size = size
        self.begins = range(0, n, size)
        self.sizes = [min(size, n - begin) for begin in self.begins]
        self.edges = Spill(folder, "edges", len(self.begins))  # (document, smaller document)
        self.asked = Spill(folder, "asked", len(self.begins))  # (document, root in a higher block that hangs on it)
        self.told = Spill(folder, "told", len(self.begins))  # (root, its cluster)
        self.parents = [folder / f"parents-{begin}.npy" for begin in self.begins]

    def add(self, edges: I64) -> None:
        """Turn each edge so that it leads down, and put it with the block of its higher end."""
        self.put(self.edges, edges.max(axis=1), edges.min(axis=1))

    def put(self, spill: Spill, first: I64, second: I64) -> None:
        spill.scatter(first // self.size, np.stack([first, second], axis=1))


def _contract(blocks: _Blocks, number: int) -> None:
    """Unite a block inside, hang each component on its lowest outside neighbour, hand the other edges down."""
    begin, size = blocks.begins[number], blocks.sizes[number]
    parents = np.arange(size, dtype=np.uint32)
    for edges in blocks.edges.pieces(number):
        kernel.link_edges(edges, begin, parents)
    kernel.flatten(parents)
    lowest = np.full(size, -1, np.int64)
    for edges in blocks.edges.pieces(number):
        kernel.lowest_outside(edges, begin, parents, lowest)
    for edges in blocks.edges.pieces(number):
        down = np.empty_like(edges)
        down = down[: kernel.handed_down(edges, begin, parents, lowest, down)]
        blocks.add(np.unique(down, axis=0))
    blocks.edges.remove(number)
    roots = np.flatnonzero(lowest >= 0)
    for start in range(0, len(roots), _ROOTS_AT_A_TIME):
        part = roots[start : start + _ROOTS_AT_A_TIME]
        blocks.put(blocks.asked, lowest[part], part + begin)
    with explain_write_errors(blocks.parents[number]):
        np.save(blocks.parents[number], parents)


def _resolve(blocks: _Blocks, number: int) -> tuple[I64, I64]:
    """Return documents and roots of a block, all lower blocks being resolved; answer the higher ones that asked."""
    begin = blocks.begins[number]
    parents: U32 = np.load(blocks.parents[number])
    blocks.parents[number].unlink()
    linked = np.zeros(len(parents), np.uint8)
    kernel.mark_linked(parents, linked)
    cluster = parents.astype(np.int64) + begin
    for told in blocks.told.pieces(number):
        roots = told[:, 0] - begin
        cluster[roots], linked[roots] = told[:, 1], 1
    cluster = cluster[parents]
    for asked in blocks.asked.pieces(number):
        at = asked[:, 0] - begin
        linked[at] = 1
        blocks.put(blocks.told, asked[:, 1], cluster[at])
    documents = np.flatnonzero(linked)
    return documents + begin, cluster[documents]
