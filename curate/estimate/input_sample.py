"""A small copy of the inputs: pieces of some files, in their own formats, that stand for all of them.

Knows no recipe and measures nothing; used to estimate a run before it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.shards import Shard
from curate.shards.compression import explain_read_errors
from curate.shards.inputs import kind
from curate.storage import locate, open_arrow, open_sparsely

MOST_PIECES = 24  # places of the inputs that a sample is taken from
PIECE_BYTES = 256 << 10  # smaller pieces would say more of the beginnings of files than of what is in them
_CHUNK = 1 << 16
_STEP = 8 << 10  # of a compressed file that is read at a time: how well is known what a piece took of it
_PROBE = 16 << 10  # of a compressed file, to know how much it expands
_ROWS = 256  # of a table read at a time


@dataclass(frozen=True, slots=True)
class Piece:
    """A copy of a part of an input: where it is, what it was copied from, and the bytes on disk it stands for."""

    path: Path
    origin: str
    source: str
    bytes: int


def places_for(budget: int) -> int:
    """Return from how many places of the inputs a sample of `budget` bytes is taken."""
    return min(max(budget // PIECE_BYTES, 4), MOST_PIECES)


def take_pieces(shards: Sequence[Shard], folder: Path, budget: int, places: int | None = None) -> list[Piece]:
    """Copy about `budget` bytes, as they are when decompressed, of the inputs into `folder`.

    Places are spread evenly over the bytes on disk, and each gives as many of them, so that every source, format and
    compression has its share. A plain JSONL or Parquet file is copied from such a place on, others from their
    beginning. Inputs that fit into the budget are copied whole. Raises InputError for a file that cannot be read.
    """
    total = sum(shard.bytes for shard in shards)
    if not total:
        return []
    ends = list(accumulate(shard.bytes for shard in shards))
    count = places or places_for(budget)
    hits: dict[int, list[float]] = {}
    for place in ((number + 0.5) * total / count for number in range(count)):
        index = int(np.searchsorted(ends, place, side="right"))
        hits.setdefault(index, []).append(place - (ends[index] - shards[index].bytes))
    expansion = sum(_expansion(shards[index]) * len(offsets) for index, offsets in hits.items()) / count
    each = max(1, int(budget / count / expansion))  # bytes on disk that one place gives
    if total * expansion <= budget:
        hits = {index: [0.0] for index, shard in enumerate(shards) if shard.bytes}
        each = total
    pieces = []
    for number, (index, offsets) in enumerate(hits.items()):
        shard, size = shards[index], each * len(offsets)
        start = int(offsets[0]) if size < shard.bytes else 0
        with explain_read_errors(shard.paths[0], lambda: 0):
            pieces += _COPY[shard.format](shard, folder / f"{number:03d}", start, size)
    return [piece for piece in pieces if piece.bytes]


def _expansion(shard: Shard) -> float:
    """Return how much larger the content of a shard is than its files, by its beginning or its footer."""
    path = shard.paths[0]
    with explain_read_errors(path, lambda: 0):
        if shard.format == "parquet":
            with open_arrow(path) as opened:
                footer = pq.ParquetFile(opened).metadata
            groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
            return sum(group.total_byte_size for group in groups) / max(sum(map(_group_bytes, groups)), 1) or 1.0
        codec = kind(path)[1]
        if codec is None:
            return 1.0
        with open_sparsely(path) as file:
            content, used, _ = _read(file, codec, _PROBE)
        return max(1.0, len(content) / max(used, 1))


def _lines(shard: Shard, folder: Path, start: int, size: int) -> list[Piece]:
    """Copy whole lines (JSONL) or records (WET): from `start` of a plain file on, or the beginning of another."""
    folder.mkdir()
    [path] = shard.paths
    codec = kind(path)[1]
    first, last = shard.part or (0, locate(path).stat().st_size)
    copy = folder / Path(path).name
    end_of_record = b"\r\n\r\nWARC/" if shard.format == "wet" else b"\n"
    plain = codec is None and shard.format == "jsonl"
    begin = first + start if plain else first  # a part of a compressed file begins with a frame
    with open_sparsely(path) as file:
        file.seek(begin)
        held, used, whole = _read(file, codec, size)
    if begin and shard.format == "jsonl":
        cut = held.find(b"\n") + 1
        used, held = used - cut, held[cut:]
    if not whole:
        cut = held.rfind(end_of_record) + (4 if shard.format == "wet" else 1)
        if cut > (4 if shard.format == "wet" else 1):
            used, held = round(used * cut / max(len(held), 1)), held[:cut]
    _store(copy, held, codec)
    return [Piece(copy, path, shard.source, min(used, last - first))]


class _Steps:
    """Gives a file in small steps, so that `taken` tells what a decompressor has needed of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.taken, self.closed = file, 0, False

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(min(size, _STEP) if size > 0 else _STEP)
        self.taken += len(piece)
        return piece

    def close(self) -> None:
        self.closed = True


def _read(file: IO[bytes], codec: str | None, size: int) -> tuple[bytes, int, bool]:
    """Return the content of `size` bytes of a file or somewhat more, the bytes it took, and whether the file ended."""
    if codec is None:
        content = file.read(size)
        return content, len(content), len(content) < size
    steps = _Steps(file)
    stream = pa.CompressedInputStream(pa.PythonFile(steps, "r"), codec)
    pieces: list[bytes] = []
    while True:
        before = steps.taken
        piece = stream.read(_CHUNK)
        # When more of the file has to be read, all that was read before has been given out.
        if before >= size and steps.taken > before:
            return b"".join(pieces), before, False
        if not piece:
            return b"".join(pieces), steps.taken, True
        pieces.append(piece)


def _store(copy: Path, content: bytes, codec: str | None) -> None:
    with pa.OSFile(str(copy), "wb") as sink:
        if codec is None:
            sink.write(content)
            return
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(content)


def _parquet(shard: Shard, folder: Path, start: int, size: int) -> list[Piece]:
    """Copy rows of one row group, the one at `start`, or of several until there are enough."""
    folder.mkdir()
    [path] = shard.paths
    copy = folder / Path(path).name
    with open_arrow(path) as opened:
        file = pq.ParquetFile(opened)
        groups = range(*shard.part) if shard.part else range(file.metadata.num_row_groups)
        sizes = [_group_bytes(file.metadata.row_group(group)) for group in groups]
        at = int(np.searchsorted(np.cumsum(sizes), start, side="right")) if sizes else 0
        codec = file.metadata.row_group(0).column(0).compression.lower() if groups else "none"
        used = 0.0
        with pq.ParquetWriter(copy, file.schema_arrow, compression="none" if codec == "uncompressed" else codec) as out:
            for group, on_disk in list(zip(groups, sizes, strict=True))[at:]:
                rows = max(file.metadata.row_group(group).num_rows, 1)
                for batch in file.iter_batches(_ROWS, [group]):
                    out.write_batch(batch)
                    used += on_disk * len(batch) / rows
                    if used >= size:
                        break
                if used >= size:
                    break
    return [Piece(copy, path, shard.source, round(used))]


def _group_bytes(group: pq.RowGroupMetaData) -> int:
    sizes: list[int] = [group.column(number).total_compressed_size for number in range(group.num_columns)]
    return max(1, sum(sizes))


def _arrow(shard: Shard, folder: Path, start: int, size: int) -> list[Piece]:
    """Copy the first record batches of an Arrow file or stream."""
    folder.mkdir()
    [path] = shard.paths
    copy = folder / Path(path).name
    with open_arrow(path) as file:
        try:
            reader = pa.ipc.open_file(file)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
            count = reader.num_record_batches
        except pa.ArrowInvalid:
            file.seek(0)
            reader = batches = pa.ipc.open_stream(file)
            count = 0
        used = taken = 0
        with pa.ipc.new_file(str(copy), reader.schema) as out:
            for batch in batches:
                out.write_batch(batch)
                taken += 1
                used = shard.bytes * taken // count if count else file.tell()
                if used >= size:
                    break
    return [Piece(copy, path, shard.source, min(used, shard.bytes))]


def _texts(shard: Shard, folder: Path, start: int, size: int) -> list[Piece]:
    """Copy some of a group of text files."""
    folder.mkdir()
    pieces, held = [], 0
    for number, path in enumerate(shard.paths):
        copy = folder / f"{number:05d}-{Path(path).name}"
        copy.write_bytes(locate(path).read_bytes())
        pieces.append(Piece(copy, path, shard.source, copy.stat().st_size))
        held += pieces[-1].bytes
        if held >= size:
            break
    return pieces


_COPY: dict[str, Callable[[Shard, Path, int, int], list[Piece]]] = {
    "jsonl": _lines,
    "wet": _lines,
    "parquet": _parquet,
    "arrow": _arrow,
    "txt": _texts,
}
