"""What measuring left of a shard: its counts and its metadata columns, in the footer of its signals.

The footer appears with the file, so a killed run cannot leave counts that belong to nothing.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.shards import Shard, holds, seal

if TYPE_CHECKING:
    from curate.run import Run

_FOOTER = b"curate"


@dataclass
class ShardCounts:
    """What measuring a shard found; stored in the footer of its signals."""

    documents: int = 0
    raw_bytes: int = 0  # of text, before cleaning
    bytes: int = 0
    tokens: int = 0
    rejected: int = 0
    rejected_bytes: int = 0
    skipped: str = ""


def footer(run: Run, shard: Shard, key: str, counts: ShardCounts, schema: pa.Schema) -> dict[bytes, bytes]:
    """Return what the signals of a shard say of it, for the footer of their file."""
    facts = {
        "key": key,
        "counts": asdict(counts),
        "metadata": base64.b64encode(schema.serialize().to_pybytes()).decode(),
        "sketches": seal(run.sketches_file(shard)),
        "rejects": _seal_of_rejects(run, shard),
    }
    return {_FOOTER: json.dumps(facts).encode()}


def _seal_of_rejects(run: Run, shard: Shard) -> list[int | str] | None:
    file = run.rejects_file(shard)
    return seal(file) if file.is_file() else None


def _read_footer(path: Path) -> dict[str, Any] | None:
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    return json.loads(metadata[_FOOTER]) if _FOOTER in metadata else None


def stored_counts(run: Run, shard: Shard, key: str | None = None) -> ShardCounts | None:
    """Return the counts of a measured shard, or None when it was not measured, or not with this key."""
    facts = _read_footer(run.signals_file(shard))
    if not facts or key not in (None, facts["key"]):
        return None
    if not holds(run.sketches_file(shard), facts.get("sketches")):
        return None
    if facts.get("rejects") != _seal_of_rejects(run, shard):
        return None
    return ShardCounts(**facts["counts"])


def stored_metadata(run: Run, shard: Shard) -> pa.Schema:
    """Return the metadata columns that measuring found in a shard."""
    facts = _read_footer(run.signals_file(shard))
    if not facts:
        return pa.schema([])
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(facts["metadata"])))
