"""Where the frames of a zstd file begin, so that a large one made of several can be read in parts.

`pzstd`, the seekable format and files put together with `cat` have many frames; `zstd` makes one. Reads the headers of
blocks only. Source: RFC 8878, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

_MAGIC, _SKIPPABLE = b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"  # the first byte of a skippable one is 0x50 to 0x5f
_DICTIONARY_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_RLE = 1  # a block of one byte, however large it becomes


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
    if head[1:4] == _SKIPPABLE and head[0] >> 4 == 5:
        return start + 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != _MAGIC:
        return None
    described = head[4]
    single, checksum = described >> 5 & 1, described >> 2 & 1
    at = start + 5 + (not single) + _DICTIONARY_BYTES[described & 3] + (_SIZE_BYTES[described >> 6] or single)
    last = False
    while not last:
        if at - start > most:
            return None
        file.seek(at)
        block = file.read(3)
        if len(block) < 3:
            return None
        number = int.from_bytes(block, "little")
        last = bool(number & 1)
        at += 3 + (1 if number >> 1 & 3 == _RLE else number >> 3)
    return at + 4 * checksum
