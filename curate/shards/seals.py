"""Tell whether a file is still the one that it was, from its size and its first and last bytes.

Cheap enough to ask of every file of a corpus. What is between the ends is not looked at: for inputs the modification
time speaks for it, and the files of a run have checksums inside.
"""

from __future__ import annotations

import hashlib
import os

from curate.storage import Location, open_sparsely

BLOCK_BYTES = 16 << 10

_MOST_FOOTER = 64 << 20
_PARQUET = b"PAR1"


def seal(path: str | Location) -> list[int | str]:
    """Return the size of a file and a hash of its first and last block. Raises OSError where it cannot be read.

    The last block of a Parquet file takes in all of its footer, which has no checksum of its own.
    """
    with open_sparsely(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        digest = hashlib.blake2b(file.read(BLOCK_BYTES), digest_size=8)
        if size > BLOCK_BYTES:
            file.seek(size - 8)
            end = file.read(8)
            last = BLOCK_BYTES
            if end[4:] == _PARQUET:
                last = max(last, min(int.from_bytes(end[:4], "little") + 8, _MOST_FOOTER))
            file.seek(max(BLOCK_BYTES, size - last))
            digest.update(file.read())
    return [size, digest.hexdigest()]


def holds(path: str | Location, sealed: object) -> bool:
    """Tell whether a file is there, and as it was when `seal` looked at it."""
    try:
        return seal(path) == sealed
    except OSError:
        return False
