"""Where the frames of a zstd file begin, so that a large one made of several can be read in parts.

`pzstd`, the seekable format and files put together with `cat` have many frames; `zstd` makes one. On a disk the headers
of all blocks are read; in a store, where each would be a request, a frame is looked for where a part should begin.
Source: RFC 8878, section 3.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import BinaryIO, NamedTuple

_MAGIC, _SKIPPABLE = b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"  # the first byte of a skippable one is 0x50 to 0x5f
_DICTIONARY_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_RLE, _RESERVED = 1, 3  # kinds of blocks: of one byte, however large it becomes; and of no meaning
_MOST_OF_BLOCK = 128 << 10
_WINDOW = 4 << 20  # bytes that are searched for a frame: those of pzstd and the seekable format are smaller
_BLOCKS = 8  # that follow each other as they should are believed: by chance so in one of 10^11 files


def frame_ranges(file: BinaryIO, size: int, target_bytes: int) -> list[tuple[int, int]]:
    """Return [start, end) of neighbouring frames that have about `target_bytes` together.

    Empty where a frame is larger than that, as in a file of one frame, or is not as it should be: such a file is read
    in one piece, so that it is the reading that complains.
    """
    ranges: list[tuple[int, int]] = []
    start = end = 0
    for end in _frame_ends(file, target_bytes):
        if end - start >= target_bytes:
            ranges.append((start, end))
            start = end
    if end != size:
        return []
    return ranges if start == end else [*ranges, (start, end)]


def _frame_ends(file: BinaryIO, most: int) -> Iterator[int]:
    """Yield the end of each frame, up to the first of more than `most` bytes or the first that is none."""
    at = 0
    while (end := _frame_end(file, at, most)) is not None:
        yield end
        at = end


def _frame_end(file: BinaryIO, start: int, most: int) -> int | None:
    file.seek(start)
    head = file.read(9)
    if len(head) < 8:
        return None
    if _is_skippable(head):
        return start + 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != _MAGIC:
        return None
    for block in _blocks(file, start, head[4]):
        if block.begins - start > most:
            return None
        if block.last:
            return block.ends + _checksum_bytes(head[4])
    return None


def found_ranges(
    read: Callable[[int, int], bytes], size: int, target_bytes: int, window: int = _WINDOW
) -> list[tuple[int, int]]:
    """Return [start, end) of neighbouring frames that have about `target_bytes` together, of a file that is far away.

    `read(start, end)` gives bytes of it. Each part begins with the first frame behind a multiple of `target_bytes`.
    Empty for a file of less than two parts, and where there is no frame behind the first multiple.
    """
    cuts = [0]
    for start in range(target_bytes, size - target_bytes + 1, target_bytes):
        cut = _first_frame(read, start, size, window)
        if cut is None and len(cuts) == 1:
            return []
        if cut is not None and cut > cuts[-1]:
            cuts.append(cut)
    return list(pairwise([*cuts, size])) if len(cuts) > 1 else []


def _first_frame(read: Callable[[int, int], bytes], start: int, size: int, window: int) -> int | None:
    data = read(start, min(start + window, size))
    at = data.find(_MAGIC)
    while at >= 0 and not _is_frame(data, at, start + len(data) == size):
        at = data.find(_MAGIC, at + 1)
    return None if at < 0 else start + at


def _is_frame(data: bytes, start: int, ends: bool) -> bool:
    """Tell whether what looks like a frame is one, as far as its blocks are there; `ends`: nothing is behind `data`."""
    described = data[start + 4 : start + 5]
    if not described or described[0] & 0x08:  # a bit that is 0
        return False
    blocks = list(islice(_blocks(io.BytesIO(data), start, described[0]), _BLOCKS))
    for block in blocks:
        if block.kind == _RESERVED or block.length > _MOST_OF_BLOCK or not (block.length or block.last):
            return False
        if block.last:
            behind = block.ends + _checksum_bytes(described[0])
            return is_zstd(data[behind : behind + 4]) or (ends and behind == len(data))
    return len(blocks) == _BLOCKS


class _Block(NamedTuple):
    """A block of a frame: where it begins and ends in the file, and what its header says."""

    begins: int
    ends: int
    kind: int
    length: int
    last: bool


def _blocks(file: BinaryIO, start: int, described: int) -> Iterator[_Block]:
    """Yield the blocks of a frame at `start`, by the byte that describes its header, as far as they are there."""
    single = described >> 5 & 1
    at = start + 5 + (not single) + _DICTIONARY_BYTES[described & 3] + (_SIZE_BYTES[described >> 6] or single)
    last = False
    while not last:
        file.seek(at)
        head = file.read(3)
        if len(head) < 3:
            return
        number = int.from_bytes(head, "little")
        last, kind, length = bool(number & 1), number >> 1 & 3, number >> 3
        ends = at + 3 + (1 if kind == _RLE else length)
        yield _Block(at, ends, kind, length, last)
        at = ends


def _checksum_bytes(described: int) -> int:
    return 4 * (described >> 2 & 1)


def is_zstd(head: bytes) -> bool:
    """Tell whether a frame of zstd begins with these bytes, of which there are four or more."""
    return head[:4] == _MAGIC or _is_skippable(head)


def _is_skippable(head: bytes) -> bool:
    return head[1:4] == _SKIPPABLE and head[0] >> 4 == 5
