"""What tells that input files are those that were measured: sizes, times or etags, and hashes of both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from curate.errors import InputError
from curate.shards import Shard, seal
from curate.shards.walk import printable
from curate.storage import State, absolute, ask_each, is_remote, locate


def entries(shards: Sequence[Shard]) -> list[dict[str, Any]]:
    """Return what the manifest holds of shards: themselves, with absolute paths, and the state of their files."""
    remote = next((shard.paths[0] for shard in shards if is_remote(shard.paths[0])), "")
    return list(ask_each(remote, _entry, shards))


def _entry(shard: Shard) -> dict[str, Any]:
    paths = tuple(absolute(path) for path in shard.paths)
    return {**asdict(shard), "paths": paths, "stamp": stamp(paths)}


def stamp(paths: Sequence[str]) -> list[Any]:
    """Return the state of input files: of each its size, modification time, and a hash of both ends if readable."""
    return list(ask_each(paths[0], _state, paths))


def _state(path: str) -> list[Any]:
    """Return the state of one input file; of an object its etag stands for the modification time."""
    try:
        state = locate(path).stat()
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror or 'it is gone'}") from None
    try:
        ends = seal(path)[1]
    except OSError:  # measuring says so, or skips it
        ends = ""
    return [state.st_size, state.version if isinstance(state, State) else state.st_mtime_ns, ends]
