"""How much memory a run may use: what the user says, or half of what the machine or its container has.

Measures no use and enforces nothing: the parts that grow with a corpus ask and divide their work accordingly.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from curate.errors import CurateError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]I?)?B?\s*", re.IGNORECASE)
SMALLEST = 256 << 20  # what Python, numba, polars and the batches in work take without any corpus


def parse_memory(size: int | str | None) -> int:
    """Return a number of bytes given as a number or a text such as "8GB", "500 MB" or "16GiB"; None is the default.

    >>> parse_memory("8GB")
    8000000000

    Raises CurateError for a text that is no size and for less than 256 MiB.
    """
    if size is None:
        return default_memory()
    size = parse_size(size)
    if size < SMALLEST:
        raise CurateError(f"memory must be at least {SMALLEST >> 20}MiB, not {size:,} bytes")
    return size


def parse_size(size: int | str) -> int:
    """Return a number of bytes given as a number or a text such as "20MB".

    >>> parse_size("20 MB")
    20000000

    Raises CurateError for a text that is no size.
    """
    if isinstance(size, str):
        match = _SIZE.fullmatch(size)
        if not match:
            raise CurateError(f'"{size}" is no amount of memory; write it as 8GB, 500MB or 16GiB')
        size = int(float(match[1]) * _UNITS[(match[2] or "").upper()])
    return int(size)


def default_memory() -> int:
    """Return half of the memory that this process can have, in bytes."""
    return max(SMALLEST, available_memory() // 2)


def available_memory(root: Path = Path("/")) -> int:
    """Return the memory of the machine, or the limit of the container (cgroup v1 or v2) where that is lower."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits(root)])


def _limits(root: Path) -> list[int]:
    """Return the limits of this process's control groups and of all above them; "max" is none."""
    base = root / "sys/fs/cgroup"
    folders = {base: "memory.max", base / "memory": "memory.limit_in_bytes"}
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        mount, name = (base / "memory", "memory.limit_in_bytes") if controllers else (base, "memory.max")
        own = mount / path.lstrip("/")
        folders |= {folder: name for folder in (own, *own.parents) if folder.is_relative_to(mount)}
    found = []
    for folder, name in folders.items():
        try:
            found.append(int((folder / name).read_text()))
        except (OSError, ValueError):
            continue
    return found
