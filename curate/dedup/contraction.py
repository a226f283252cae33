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
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curate.kernels import clusters as kernel
from curate.shards.atomic import explain_write_errors

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

_EDGES_AT_A_TIME = 1 << 20
BYTES_A_DOCUMENT = 40  # of a block: parent, lowest neighbour or label, flags, and what is returned
MOST_NUMBERS = (1 << 32) - 2  # documents of a block: its union-find has 32-bit numbers


def components_on_disk(edges: Iterable[I64], n: int, memory: int, folder: Path) -> tuple[I64, I64]:
    """Return the documents of components of two or more, ascending, and the smallest document of each's component.

    `edges`: int64 (m, 2) arrays of (document, smaller document). Beyond `memory` bytes the result takes 16 bytes
    for each document in it; files go to `folder` and are deleted.
    """
    size = max(min(memory // BYTES_A_DOCUMENT, MOST_NUMBERS), 1)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        blocks = [_Block(Path(place), k, k * size, min(size, n - k * size)) for k in range(-(-n // size))]
        for piece in edges:
            _sort_in(blocks, size, piece)
        for block in reversed(blocks):
            _contract(block, blocks, size)
        found = [_resolve(block, blocks, size) for block in blocks]
    none = np.zeros(0, np.int64)
    documents = np.concatenate([none, *(documents for documents, _ in found)])
    return documents, np.concatenate([none, *(roots for _, roots in found)])


class _Block:
    """Documents `begin` to `begin + size`, and its files: int64 pairs, appended to and read in pieces."""

    def __init__(self, folder: Path, number: int, begin: int, size: int) -> None:
        self.begin, self.size = begin, size
        self.edges = folder / f"edges-{number}"  # (document of the block, smaller document)
        self.asked = folder / f"asked-{number}"  # (document of the block, root in a higher block)
        self.told = folder / f"told-{number}"  # (root in the block, its cluster)
        self.parents = folder / f"parents-{number}.npy"

    @staticmethod
    def append(path: Path, pairs: I64) -> None:
        with explain_write_errors(path), path.open("ab") as file:
            pairs.tofile(file)

    @staticmethod
    def read(path: Path) -> Iterator[I64]:
        if not path.exists():
            return
        with path.open("rb") as file:
            while len(pairs := np.fromfile(file, np.int64, 2 * _EDGES_AT_A_TIME)):
                yield pairs.reshape(-1, 2)


def _sort_in(blocks: list[_Block], size: int, edges: I64) -> None:
    """Turn each edge so that it leads down, and append it to the file of the block of its higher end."""
    high, low = edges.max(axis=1), edges.min(axis=1)
    _scatter(blocks, size, "edges", high, low)


def _scatter(blocks: list[_Block], size: int, name: str, first: I64, second: I64) -> None:
    """Append pairs (first, second) to one file of the block that `first` is in."""
    block = first // size
    order = np.argsort(block, kind="stable")
    cuts = np.searchsorted(block[order], np.arange(len(blocks) + 1))
    pairs = np.stack([first, second], axis=1)[order]
    for k in np.unique(block).tolist():
        _Block.append(getattr(blocks[k], name), pairs[cuts[k] : cuts[k + 1]])


def _contract(block: _Block, blocks: list[_Block], size: int) -> None:
    """Unite the block inside, hang each component on its lowest outside neighbour, hand the other edges down."""
    parents = np.arange(block.size, dtype=np.uint32)
    for edges in block.read(block.edges):
        kernel.link_edges(edges, block.begin, parents)
    kernel.flatten(parents)
    lowest = np.full(block.size, -1, np.int64)
    for edges in block.read(block.edges):
        kernel.lowest_outside(edges, block.begin, parents, lowest)
    for edges in block.read(block.edges):
        down = np.empty_like(edges)
        down = down[: kernel.handed_down(edges, block.begin, parents, lowest, down)]
        _sort_in(blocks, size, np.unique(down, axis=0))
    block.edges.unlink(missing_ok=True)
    roots = np.flatnonzero(lowest >= 0)
    for start in range(0, len(roots), _EDGES_AT_A_TIME):
        part = roots[start : start + _EDGES_AT_A_TIME]
        _scatter(blocks, size, "asked", lowest[part], part + block.begin)
    with explain_write_errors(block.parents):
        np.save(block.parents, parents)


def _resolve(block: _Block, blocks: list[_Block], size: int) -> tuple[I64, I64]:
    """Return documents and roots of a block, all lower blocks being resolved; answer the higher ones that asked."""
    parents: U32 = np.load(block.parents)
    block.parents.unlink()
    linked = np.zeros(block.size, np.uint8)
    kernel.mark_linked(parents, linked)
    cluster = parents.astype(np.int64) + block.begin
    for told in block.read(block.told):
        roots = told[:, 0] - block.begin
        cluster[roots], linked[roots] = told[:, 1], 1
    cluster = cluster[parents]
    for asked in block.read(block.asked):
        at = asked[:, 0] - block.begin
        linked[at] = 1
        _scatter(blocks, size, "told", asked[:, 1], cluster[at])
    documents = np.flatnonzero(linked)
    return documents + block.begin, cluster[documents]
