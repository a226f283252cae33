"""What measuring left of a shard: its counts and its metadata columns, in the footer of its signals.

The footer appears with the file, so a killed run cannot leave counts that belong to nothing.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from curate.shards import Shard, holds, seal
from curate.tables import read_facts

if TYPE_CHECKING:
    from curate.run import Run


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


def facts_of(run: Run, shard: Shard, key: str, counts: ShardCounts, schema: pa.Schema) -> dict[str, Any]:
    """Return what the signals of a shard are closed with: its counts, its metadata columns and its other files."""
    return {
        "key": key,
        "counts": asdict(counts),
        "metadata": base64.b64encode(schema.serialize().to_pybytes()).decode(),
        "sketches": seal(run.sketches_file(shard)),
        "rejects": _seal_of_rejects(run, shard),
    }


def _seal_of_rejects(run: Run, shard: Shard) -> list[int | str] | None:
    file = run.rejects_file(shard)
    return seal(file) if file.is_file() else None


def stored_counts(run: Run, shard: Shard, key: str | None = None) -> ShardCounts | None:
    """Return the counts of a measured shard, or None when it was not measured, or not with this key."""
    facts = read_facts(run.signals_file(shard))
    if not facts or key not in (None, facts.get("key")):
        return None
    if not holds(run.sketches_file(shard), facts.get("sketches")):
        return None
    if facts.get("rejects") != _seal_of_rejects(run, shard):
        return None
    return ShardCounts(**facts["counts"])


def stored_metadata(run: Run, shard: Shard) -> pa.Schema:
    """Return the metadata columns that measuring found in a shard."""
    facts = read_facts(run.signals_file(shard))
    if not facts:
        return pa.schema([])
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(facts["metadata"])))
