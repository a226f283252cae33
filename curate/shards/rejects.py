"""Records that cannot be documents, put aside with the reason.

Does not judge: readers say what is wrong with a record.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any

import orjson

from curate.shards.atomic import explain_write_errors, partial_path, publish
from curate.shards.walk import printable
from curate.storage import Location, locate


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was not read.

    `record` is its number in the file, from 1: line of a JSONL file, row of Parquet or Arrow, record of a WET
    file, 1 for a text file. Where a large JSONL file is read in parts, `record` is the line counted from the
    first one that starts at or after byte `from_byte`; in a part of a compressed file from the first one that starts
    behind a newline of the frames from `from_byte` on. `raw` is the record's bytes as they are in the file, or
    the beginning of a very large record.
    """

    file: str
    record: int
    reason: str
    raw: bytes
    from_byte: int = 0


class RejectWriter:
    """Write rejects as JSON lines: file, record, reason, raw (`raw_base64` where it is not UTF-8).

    A context manager; call it with a Reject. The file appears when the block ends well, and not at all when
    nothing was rejected (one from an earlier try is then removed). Counts `documents` and `bytes` (of the
    raw records).
    """

    def __init__(self, path: str | Location) -> None:
        self.path = locate(path)
        self.documents = 0
        self.bytes = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> RejectWriter:
        return self

    def __call__(self, reject: Reject) -> None:
        """Put `reject` aside. Raises SpaceError where the disk is full."""
        with explain_write_errors(self.path):
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = partial_path(self.path).open("wb")
            self._file.write(orjson.dumps(_as_json(reject), option=orjson.OPT_APPEND_NEWLINE))
        self.documents += 1
        self.bytes += len(reject.raw)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with explain_write_errors(self.path):
            if self._file is not None:
                self._close(keep=kind is None)
            elif kind is None:
                self.path.unlink(missing_ok=True)

    def _close(self, keep: bool) -> None:
        assert self._file is not None
        partial = partial_path(self.path)
        try:
            with self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
            if keep:
                publish(self.path)
        finally:
            partial.unlink(missing_ok=True)


def _as_json(reject: Reject) -> dict[str, Any]:
    record: dict[str, Any] = {"file": printable(reject.file), "record": reject.record}
    if reject.from_byte:
        record["from_byte"] = reject.from_byte
    record["reason"] = reject.reason
    try:
        record["raw"] = reject.raw.decode()
    except UnicodeDecodeError:
        record["raw_base64"] = base64.b64encode(reject.raw).decode()
    return record
