"""What reading gives (`Batch`) and what it is asked for (`ReadOptions`).

Knows no file format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.errors import InputError, did_you_mean
from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    `metadata` says which of the other columns to give: False none; True all, with the types found in each
    batch; names, those, in that order, null where a batch has none; a schema, exactly its columns and types.
    `batch_bytes` is the text in a batch, about; a document larger than that makes a batch of its own.
    `max_record_bytes`: larger JSON lines, WARC records, text files and texts in tables are rejected.
    `max_expansion`: a compressed file that becomes more than so many times larger is an error, a bomb.
    `skip_bad_files`: in a shard of many .txt files, one that cannot be read is rejected instead of an error.
    """

    text_column: str = "text"
    id_column: str = "id"
    metadata: bool | tuple[str, ...] | pa.Schema = True
    batch_bytes: int = 4 << 20
    max_record_bytes: int = MAX_RECORD_BYTES
    skip_bad_files: bool = False
    max_expansion: int = MAX_EXPANSION


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents of a shard, in order.

    `texts`: large_string, valid UTF-8, no nulls. `ids`: large_string with nulls where a document has none;
    None where no document of the batch has one. `metadata`: the other columns. `rows`: int64, number of the
    record inside the file, from 0 (in a part of a JSONL file: inside the part; of .txt: inside the shard).
    """

    texts: pa.LargeStringArray
    ids: pa.LargeStringArray | None
    metadata: pa.Table
    rows: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def text_bytes(self) -> int:
        """Bytes of text in the batch."""
        return int(text_offsets(self.texts)[-1] - text_offsets(self.texts)[0])

    def slice(self, start: int, end: int) -> Batch:
        """Return documents [start, end), without a copy."""
        count = end - start
        ids = None if self.ids is None else self.ids.slice(start, count)
        return Batch(self.texts.slice(start, count), ids, self.metadata.slice(start, count), self.rows[start:end])

    def cut(self, batch_bytes: int) -> Iterator[Batch]:
        """Yield slices of at most `batch_bytes` of text, or of one document."""
        offsets = text_offsets(self.texts)
        start = 0
        while start < len(self):
            end = int(np.searchsorted(offsets, offsets[start] + batch_bytes, side="right")) - 1
            end = min(max(end, start + 1), len(self))
            yield self if (start, end) == (0, len(self)) else self.slice(start, end)
            start = end


def text_offsets(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """Return the n+1 offsets of a large_string array of n values."""
    buffer = texts.buffers()[1]
    if buffer is None or len(texts) == 0:
        return np.zeros(len(texts) + 1, np.int64)
    return np.frombuffer(buffer, np.int64, len(texts) + 1 + texts.offset)[texts.offset :]


def no_text_column(path: str, column: str, found: Iterable[str], where: str = "") -> InputError:
    """Return the error for a file that has no column of the text's name at all."""
    names = list(found)
    hint = did_you_mean(column, names)
    usual = next((name for name in _USUAL_TEXT_COLUMNS if name in names), None)
    if not hint and usual:
        hint = f'; did you mean "{usual}"?'
    listed = ", ".join(names[:30]) + (", …" if len(names) > 30 else "") if names else "none"
    return InputError(
        f'{path}: no column "{column}"{where}; columns found: {listed}{hint} (--text-column names the one to read)'
    )


_USUAL_TEXT_COLUMNS = ("text", "content", "raw_content", "body", "document", "markdown", "page_content")
