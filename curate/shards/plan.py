"""Cut the input files into shards: the units of work, with names that stay the same from run to run.

Reads nothing but file sizes, the footers of large Parquet files and where frames of large zstd files begin.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import InputError
from curate.shards.frames import found_ranges, frame_ranges
from curate.shards.inputs import Found, find, kind, stem
from curate.storage import Location, RemotePath, absolute, ask_each, fetch, is_remote, locate, open_arrow

TARGET_BYTES = 256 << 20
"""Larger files are cut into parts of about this size on disk."""

TEXT_GROUP_BYTES = 32 << 20
TEXT_GROUP_FILES = 10_000
"""Small text files are read together; a group ends with the first of these limits."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A unit of work: one file, a part of a large one, or a group of .txt files.

    `name` is unique within a plan and safe as a file name; it depends on the absolute paths and on nothing
    else. `part` is None for whole files, else a range [start, end): of bytes in a plain JSONL file (a line
    belongs to the part in which it starts), of frames in one compressed with zstd, by their first bytes (a line that
    starts with a part belongs to the one before), of row groups in a Parquet file. `bytes` is the size on disk.
    """

    name: str
    source: str
    format: str
    paths: tuple[str, ...]
    part: tuple[int, int] | None
    bytes: int


def plan(inputs: Sequence[str | Location], *, target_bytes: int = TARGET_BYTES) -> list[Shard]:
    """Return the shards that `inputs` (files, directories, globs, each optionally `source=INPUT`) make.

    The result depends on the files and on `target_bytes`, not on the order of `inputs`.
    Raises InputError where an input matches nothing or its format is not known.
    """
    shards: list[Shard] = []
    found = find(inputs)
    texts = (file for file in found if file.format == "txt")
    for source, files in groupby(texts, key=lambda file: file.source):
        shards += _text_groups(source, list(files), min(target_bytes, TEXT_GROUP_BYTES))
    others = [file for file in found if file.format != "txt"]
    for _, files in groupby(others, key=lambda file: is_remote(file.path)):
        several = list(files)
        for parts in ask_each(several[0].path, lambda file: list(_parts(file, target_bytes)), several):
            shards += parts
    shards.sort(key=lambda shard: (shard.source, shard.paths, shard.part or (0, 0)))
    if len({shard.name for shard in shards}) != len(shards):
        raise InputError("two input files have the same name and hash; give them different source names")
    return shards


def _parts(file: Found, target_bytes: int) -> Iterator[Shard]:
    size = _size(file)
    name = _name(file.source, stem(file.path), file.path)
    ranges: list[tuple[int, int, int]] = []
    if size > target_bytes:
        if file.format == "jsonl" and kind(file.path)[1] is None:
            count = -(-size // target_bytes)
            cuts = [size * i // count for i in range(count + 1)]
            ranges = [(a, b, b - a) for a, b in pairwise(cuts)]
        elif file.format == "jsonl" and kind(file.path)[1] == "zstd":
            ranges = [(a, b, b - a) for a, b in _frame_ranges(file.path, size, target_bytes)]
        elif file.format == "parquet":
            ranges = _row_group_ranges(file.path, size, target_bytes)
    if len(ranges) < 2:
        yield Shard(name, file.source, file.format, (file.path,), None, size)
        return
    for number, (start, end, held) in enumerate(ranges):
        yield Shard(f"{name}-p{number:05d}", file.source, file.format, (file.path,), (start, end), held)


def _frame_ranges(path: str, size: int, target_bytes: int) -> list[tuple[int, int]]:
    where = locate(path)
    try:
        if isinstance(where, RemotePath):
            return found_ranges(partial(fetch, where), size, target_bytes)
        with where.open("rb", buffering=0) as file:
            return frame_ranges(file, size, target_bytes)
    except OSError:  # the reading names what is wrong
        return []


def _row_group_ranges(path: str, size_on_disk: int, target_bytes: int) -> list[tuple[int, int, int]]:
    """Return (first row group, end, bytes) of each part; empty where the footer cannot be read.

    A broken file stays one shard, so that it is the reading that complains, and can be told to skip it.
    """
    try:
        with open_arrow(path) as opened:
            footer = pq.ParquetFile(opened).metadata
            sizes = [max(footer.row_group(group).total_byte_size, 1) for group in range(footer.num_row_groups)]
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return []
    on_disk = size_on_disk / sum(sizes, 1)  # sizes are of the data before compression
    ranges: list[tuple[int, int, int]] = []
    start, held = 0, 0
    for group, size in enumerate(int(size * on_disk) for size in sizes):
        if held and held + size > target_bytes:
            ranges.append((start, group, held))
            start, held = group, 0
        held += size
    return [*ranges, (start, len(sizes), held)]


def _text_groups(source: str, files: list[Found], target_bytes: int) -> Iterator[Shard]:
    group: list[str] = []
    held = 0
    for file in files:
        path, size = file.path, _size(file)
        if group and (held + size > target_bytes or len(group) == TEXT_GROUP_FILES):
            yield Shard(_name(source, "txt", group[0]), source, "txt", tuple(group), None, held)
            group, held = [], 0
        group.append(path)
        held += size
    yield Shard(_name(source, "txt", group[0]), source, "txt", tuple(group), None, held)


def refuse_inputs(outputs: Iterable[str | Path], shards: Sequence[Shard]) -> None:
    """Raise InputError when a file that is about to be written is one of the files that are read."""
    read = {os.path.realpath(path): path for shard in shards for path in shard.paths}
    for output in outputs:
        if os.path.realpath(output) in read:
            raise InputError(f"{output}: is an input; choose another name for the output")


def _size(file: Found) -> int:
    if file.size is not None:
        return file.size
    try:
        return Path(file.path).stat().st_size
    except OSError:  # the reading names what is wrong
        return 0


def _name(source: str, stem: str, path: str) -> str:
    given = absolute(path).encode(errors="surrogateescape")
    digest = hashlib.blake2b(given, digest_size=6).hexdigest()
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip(".")[:60]
    middle = "" if safe == source else f"-{safe}"
    return f"{source[:60].lstrip('.')}{middle}-{digest}"
