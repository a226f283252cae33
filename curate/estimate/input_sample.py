"""A small copy of the inputs: pieces of some files, in their own formats, that stand for all of them.

Knows no recipe and measures nothing; used to estimate a run before it is made.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import InputError
from curate.shards import Shard
from curate.shards.compression import explain_read_errors
from curate.shards.inputs import kind
from curate.storage import locate, open_arrow, open_sparsely

MOST_PLACES = 120  # of the inputs that a sample is taken from
PLACE_BYTES = 64 << 10
PLACES_A_PIECE = 6  # of plain files: larger pieces take for a byte what shards take
_CHUNK = 1 << 16
_NEXT_RECORD = b"\r\n\r\nWARC/"
_STEP = 8 << 10  # of a compressed file that is read at a time: how well is known what a piece took of it
_PROBE = 16 << 10  # of a compressed file, to know how much it expands
_ROWS = 256  # of a table read at a time


@dataclass(frozen=True, slots=True)
class Piece:
    """A copy of a part of an input: where it is, what it was copied from, and the bytes on disk it stands for.

    `places`: of each place that a plain file was copied at, the lines and bytes; empty where it is one place.
    """

    path: Path
    origin: str
    source: str
    bytes: int
    places: tuple[tuple[int, int], ...] = ()


def places_for(budget: int) -> int:
    """Return from how many places of the inputs a sample of `budget` bytes is taken."""
    return min(max(budget // PLACE_BYTES, 8), MOST_PLACES)


def take_pieces(
    shards: Sequence[Shard], folder: Path, budget: int, places: int | None = None, *, skip_bad: bool = False
) -> list[Piece]:
    """Copy about `budget` bytes, as they are when decompressed, of the inputs into `folder`.

    The bytes on disk are divided evenly, and from each division a place is drawn, which gives as many of them as the
    others: so every source, format and compression has its share, and nothing that recurs in the inputs is always met
    or missed. A plain JSONL file is copied at each such place, a Parquet file from the first on, others from their
    beginning. Inputs that fit into the budget are copied whole. Raises InputError for a file that cannot be read;
    with `skip_bad` it is copied as it is, so that a run of the pieces skips it as one of the inputs does.
    """
    total = sum(shard.bytes for shard in shards)
    if not total:
        return []
    ends = list(accumulate(shard.bytes for shard in shards))
    count = places or places_for(budget)
    hits: dict[int, list[int]] = {}
    draw = random.Random(0)  # the same each time
    for place in ((number + draw.random()) * total / count for number in range(count)):
        index = int(np.searchsorted(ends, place, side="right"))
        hits.setdefault(index, []).append(int(place) - (ends[index] - shards[index].bytes))
    expansion = sum(_expansion(shards[index], skip_bad) * len(offsets) for index, offsets in hits.items()) / count
    each = max(1, int(budget / count / expansion))  # bytes on disk that one place gives
    if total * expansion <= budget:
        hits = {index: [0] for index, shard in enumerate(shards) if shard.bytes}
        each = total
    pieces: list[Piece] = []
    plain: dict[str, list[tuple[Shard, int]]] = {}
    for index, offsets in hits.items():
        shard, size = shards[index], each * len(offsets)
        if _is_plain(shard) and size < shard.bytes:
            if not skip_bad or _opens(shard):
                plain.setdefault(shard.source, []).extend((shard, offset) for offset in offsets)
            continue
        start = offsets[0] if size < shard.bytes else 0
        pieces += _copied(shard, folder / f"{index:05d}", start, size, skip_bad)
    done: dict[str, int] = {}
    for stretches in plain.values():
        for first in range(0, len(stretches), PLACES_A_PIECE):
            copy = folder / f"{len(pieces):03d}.jsonl"
            pieces.append(_stretches(stretches[first : first + PLACES_A_PIECE], copy, each, done))
    pieces = [piece for piece in pieces if piece.bytes]
    if not pieces and plain:  # every place lies in a document that begins before it
        [(shard, _), *_] = next(iter(plain.values()))
        pieces = [_stretches([(shard, 0)], folder / "first.jsonl", each, {})]
    return pieces


def _is_plain(shard: Shard) -> bool:
    return shard.format == "jsonl" and kind(shard.paths[0])[1] is None


def _opens(shard: Shard) -> bool:
    try:
        with open_sparsely(shard.paths[0]):
            return True
    except OSError:
        return False


def _copied(shard: Shard, folder: Path, start: int, size: int, skip_bad: bool) -> list[Piece]:
    """Copy about `size` bytes on disk of a shard; see `take_pieces` for `skip_bad`."""
    folder.mkdir()
    try:
        with explain_read_errors(shard.paths[0], lambda: 0):
            return _COPY[shard.format](shard, folder, start, size)
    except InputError:
        if not skip_bad:
            raise
    if shard.format == "txt" or not _opens(shard):  # any bytes are a text: a copy would not be skipped
        return []
    copy = folder / Path(shard.paths[0]).name
    with open_sparsely(shard.paths[0]) as file:
        copy.write_bytes(file.read(min(size, shard.bytes)))
    return [Piece(copy, shard.paths[0], shard.source, copy.stat().st_size)]


def _expansion(shard: Shard, skip_bad: bool) -> float:
    """Return how much larger the content of a shard is than its files; 1 for a bad one that is to be skipped."""
    try:
        return _expands(shard)
    except InputError:
        if not skip_bad:
            raise
        return 1.0


def _expands(shard: Shard) -> float:
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
            content, used, _, _ = _read(file, codec, _PROBE)
        return max(1.0, len(content) / max(used, 1))


def _stretches(places: Sequence[tuple[Shard, int]], copy: Path, each: int, done: dict[str, int]) -> Piece:
    """Copy the lines that begin in `each` bytes from each place on, or one, of plain files of one source.

    Were lines left out that end beyond, long documents would be too few. `done`: up to where shards are copied already.
    """
    copied: list[tuple[int, int]] = []
    with copy.open("wb") as out:
        for shard, place in places:
            first, last = shard.part or (0, shard.bytes)
            start = max(first + place, done.get(shard.name, 0))
            with explain_read_errors(shard.paths[0], lambda: 0), open_sparsely(shard.paths[0]) as opened:
                file = io.BufferedReader(opened, _CHUNK) if isinstance(opened, io.RawIOBase) else opened
                file.seek(max(start - 1, 0))
                if start:
                    file.readline()
                begin, lines = file.tell(), 0
                while file.tell() < min(max(start + each, begin + 1), last) and (line := file.readline()):
                    out.write(line if line.endswith(b"\n") else line + b"\n")
                    lines += 1
                done[shard.name] = file.tell()
                copied.append((lines, done[shard.name] - begin))
    shard = places[0][0]
    return Piece(copy, shard.paths[0], shard.source, sum(used for _, used in copied), tuple(copied))


def _lines(shard: Shard, folder: Path, start: int, size: int) -> list[Piece]:
    """Copy the lines (JSONL) of a plain file, or those that begin in the first `size` bytes of a compressed one."""
    [path] = shard.paths
    codec = kind(path)[1]
    copy = folder / Path(path).name
    if codec is None:
        each = -(-shard.bytes // places_for(shard.bytes))
        return [_stretches([(shard, place) for place in range(0, shard.bytes, each)], copy, each, {})]
    first, last = shard.part or (0, locate(path).stat().st_size)
    with open_sparsely(path) as file:
        file.seek(first)  # a part begins with a frame
        held, used, reached, whole = _read(file, codec, size, b"\n")
    if not whole:
        cut = held.find(b"\n", reached) + 1
        used, held = round(used * cut / max(len(held), 1)), held[:cut]
    _store(copy, held, codec)
    return [Piece(copy, path, shard.source, min(used, last - first))]


def _records(shard: Shard, folder: Path, start: int, size: int) -> list[Piece]:
    """Copy whole records from the beginning (WET)."""
    [path] = shard.paths
    codec = kind(path)[1]
    copy = folder / Path(path).name
    with open_sparsely(path) as file:
        held, used, _, whole = _read(file, codec, size)
    if not whole:
        cut = held.rfind(_NEXT_RECORD) + 4
        if cut > 4:
            used, held = round(used * cut / max(len(held), 1)), held[:cut]
    _store(copy, held, codec)
    return [Piece(copy, path, shard.source, min(used, shard.bytes))]


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


def _read(file: IO[bytes], codec: str | None, size: int, up_to: bytes = b"") -> tuple[bytes, int, int, bool]:
    """Return the content of `size` bytes of a file or somewhat more, and the bytes that it took.

    And how much of the content these `size` bytes are: `up_to` is in what follows, unless the file ended, which is
    told too.
    """
    if codec is None:
        content = file.read(size)
        return content, len(content), len(content), len(content) < size
    steps = _Steps(file)
    stream = pa.CompressedInputStream(pa.PythonFile(steps, "r"), codec)
    held, reached = bytearray(), -1
    while True:
        before = steps.taken
        piece = stream.read(_CHUNK)
        # When more of the file has to be read, all that was read before has been given out.
        if steps.taken > before >= size:
            reached = len(held) if reached < 0 else reached
            if held.find(up_to, reached) >= 0:
                return bytes(held), before, reached, False
        if not piece:
            return bytes(held), steps.taken, len(held), True
        held += piece


def _store(copy: Path, content: bytes, codec: str | None) -> None:
    with pa.OSFile(str(copy), "wb") as sink:
        if codec is None:
            sink.write(content)
            return
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(content)


def _parquet(shard: Shard, folder: Path, start: int, size: int) -> list[Piece]:
    """Copy rows of one row group, the one at `start`, or of several until there are enough."""
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
    pieces, held = [], 0
    for number, path in enumerate(shard.paths):
        copy = folder / f"{number:05d}{_ending(path)}"  # names may be as long as names can be
        copy.write_bytes(locate(path).read_bytes())
        pieces.append(Piece(copy, path, shard.source, copy.stat().st_size))
        held += pieces[-1].bytes
        if held >= size:
            break
    return pieces


def _ending(path: str) -> str:
    """Return the suffixes that say how a file is stored."""
    return "".join(Path(path).suffixes[-2 if kind(path)[1] else -1 :])


_COPY: dict[str, Callable[[Shard, Path, int, int], list[Piece]]] = {
    "jsonl": _lines,
    "wet": _records,
    "parquet": _parquet,
    "arrow": _arrow,
    "txt": _texts,
}
