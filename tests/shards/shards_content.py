"""Reading a shard whole, as most tests here do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from curate.shards import Batch, ReadOptions, Reject, SchemaCollector, plan, read


@dataclass
class Content:
    """All that reading some inputs gave."""

    batches: list[Batch]
    rejects: list[Reject]
    schema: pa.Schema

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch.texts.to_pylist()]

    @property
    def ids(self) -> list[str | None]:
        return [i for batch in self.batches for i in (batch.ids or pa.nulls(len(batch))).to_pylist()]

    @property
    def rows(self) -> list[int]:
        return [row for batch in self.batches for row in batch.rows.tolist()]

    @property
    def metadata(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.metadata.to_pylist()]

    @property
    def reasons(self) -> dict[int, str]:
        return {reject.record: reject.reason for reject in self.rejects}


def read_content(path: Path | str, *, target_bytes: int = 256 << 20, **options: Any) -> Content:
    """Read all shards of `path`."""
    content = Content([], [], pa.schema([]))
    collector = SchemaCollector()
    for shard in plan([path], target_bytes=target_bytes):
        for batch in read(shard, ReadOptions(**options), on_reject=content.rejects.append, collector=collector):
            batch.texts.validate(full=True)
            assert batch.texts.null_count == 0
            assert len(batch.texts) == len(batch.rows) == len(batch)
            content.batches.append(batch)
    content.schema = collector.schema
    return content
