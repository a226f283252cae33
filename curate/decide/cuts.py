"""What is cut out of documents that stay: ranges of bytes of the cleaned text, on disk and applied to texts.

A trim step leaves one file a part (shard): a row for each document that it or an earlier one touched. Why
something is cut is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from classifiers.arrow import Strings
from curate.kernels import cutting
from curate.kernels.text_lines import Ranges
from curate.shards.atomic import atomic_file
from curate.storage import Location
from curate.tables import read_table

if TYPE_CHECKING:
    from curate.run import Run
    from curate.shards import Shard

Numbers = npt.NDArray[np.int64]

SIZES = ("byte_count", "char_count", "token_count")  # of a document, without what is cut
TYPE = pa.list_(pa.struct([("start", pa.int64()), ("stop", pa.int64())]))


def cuts_file(folder: Location, part: str) -> Location:
    """Return the file of a part among the cuts of a step."""
    return folder / f"{part}.parquet"


@dataclass(frozen=True)
class Cuts:
    """Cuts of the documents of a part.

    `rows` int64: positions of the documents in the part, ascending. `ranges`: the bytes of the cleaned text that
    go, one list a document. `sizes` int64 (n, 3): SIZES without them. `dropped` bool: the step that wrote this
    dropped the document instead, for what was left of it.
    """

    rows: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    ranges: Ranges = field(default_factory=lambda: no_ranges(0))
    sizes: Numbers = field(default_factory=lambda: np.zeros((0, len(SIZES)), np.int64))
    dropped: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    @staticmethod
    def of_step(folder: Location | None, part: str) -> Cuts:
        """Read the cuts of a part; None stands for a step that cut nothing."""
        if folder is None:
            return Cuts()
        table = read_table(cuts_file(folder, part)).combine_chunks()
        sizes = np.stack([table[name].to_numpy() for name in SIZES], axis=1)
        return Cuts(table["position"].to_numpy(), ranges_of(table["cuts"]), sizes, table["dropped"].to_numpy())

    def write(self, path: Location) -> None:
        """Write the file of a part; it is there as a whole or not at all."""
        columns = {name: self.sizes[:, number] for number, name in enumerate(SIZES)}
        table = pa.table({"position": self.rows, "cuts": as_lists(self.ranges), **columns, "dropped": self.dropped})
        with atomic_file(path) as file:
            pq.write_table(table, file, write_page_checksum=True)

    def take(self, keep: Numbers | npt.NDArray[np.bool_]) -> Cuts:
        """Return the cuts of some of the documents."""
        lists = as_lists(self.ranges).take(pa.array(np.arange(len(self.rows))[keep]))
        return Cuts(self.rows[keep], ranges_of(lists), self.sizes[keep], self.dropped[keep])

    def staying(self) -> Cuts:
        """Return the cuts of documents that were not dropped."""
        return self if not self.dropped.any() else self.take(~self.dropped)

    def of_rows(self, rows: Numbers) -> Ranges:
        """Return the ranges of the documents at some positions (ascending), none for those that are not cut."""
        low, high = np.searchsorted(self.rows, [rows[0], rows[-1] + 1]) if len(rows) else (0, 0)
        at = np.searchsorted(rows, self.rows[low:high])
        here = rows[np.minimum(at, len(rows) - 1)] == self.rows[low:high]
        counts = np.zeros(len(rows), np.int64)
        lengths = np.diff(self.ranges.first)[low:high]
        counts[at[here]] = lengths[here]
        chosen = np.repeat(here, lengths)
        window = slice(self.ranges.first[low], self.ranges.first[high])
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Ranges(first, self.ranges.start[window][chosen], self.ranges.stop[window][chosen])

    def apply(self, texts: Strings, rows: Numbers) -> Strings:
        """Return the cleaned texts of the documents at some positions without what is cut."""
        if not len(self.rows) or not len(rows):
            return texts
        return cut(texts, self.of_rows(rows))


def final_bytes(run: Run, shard: Shard) -> Numbers:
    """Return the bytes of each document of a decided shard as the mix has it: cleaned, and trimmed."""
    found: Numbers = read_table(run.signals_file(shard), ["byte_count"])["byte_count"].to_numpy().copy()
    trims = list(run.stage("decide").get("trims", {}).values())
    if trims:
        cuts = Cuts.of_step(run.path / trims[-1]["folder"], shard.name).staying()
        found[cuts.rows] = cuts.sizes[:, SIZES.index("byte_count")]
    return found


def no_ranges(documents: int) -> Ranges:
    """Return no range for any of some documents."""
    return Ranges(np.zeros(documents + 1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))


def cut(texts: Strings, ranges: Ranges) -> Strings:
    """Return texts without some ranges of their bytes."""
    if not len(ranges.start):
        return texts
    out, offsets = np.empty(texts.nbytes, np.uint8), np.empty_like(texts.offsets)
    size = cutting.cut(texts.data, texts.offsets, *_plain(ranges), out, offsets)
    return Strings(out[:size], offsets)


def composed(earlier: Ranges, later: Ranges) -> Ranges:
    """Join ranges with ranges of what they leave: all of them, as bytes of the text before either."""
    room = len(earlier.start) + len(later.start)
    out = no_ranges(len(earlier.first) - 1)._replace(start=np.empty(room, np.int64), stop=np.empty(room, np.int64))
    count = cutting.compose(*_plain(earlier), *_plain(later), *out)
    return Ranges(out.first, out.start[:count], out.stop[:count])


def _plain(ranges: Ranges) -> tuple[Numbers, Numbers, Numbers]:
    """Return the arrays as kernels are compiled for: contiguous and writable."""
    first, start, stop = (np.require(column, np.int64, ["C", "W"]) for column in ranges)
    return first, start, stop


def as_lists(ranges: Ranges) -> pa.Array:
    """Return ranges as Arrow lists of {start, stop}, one a document."""
    values = pa.StructArray.from_arrays([pa.array(ranges.start), pa.array(ranges.stop)], fields=list(TYPE.value_type))
    return pa.ListArray.from_arrays(pa.array(ranges.first.astype(np.int32)), values).cast(TYPE)


def ranges_of(lists: Any) -> Ranges:
    """Return lists of {start, stop}, null for none, as ranges; they may be an Arrow array or a polars Series."""
    array = lists.to_arrow() if hasattr(lists, "to_arrow") else lists
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], TYPE)
    array = array.cast(TYPE)
    lengths = np.nan_to_num(pa.compute.list_value_length(array).to_numpy(zero_copy_only=False)).astype(np.int64)
    values = array.flatten()
    start, stop = (values.field(name).to_numpy(zero_copy_only=False) for name in ("start", "stop"))
    return Ranges(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), start, stop)


def pieces(text: str, run: Run, part: str, position: int) -> dict[str, list[str]]:
    """Return what each trim step of a run cut from a document, or would have cut had it not dropped it.

    `text` is the cleaned one.
    """
    raw = text.encode()
    found = {}
    before = np.zeros(len(raw), np.bool_)
    for name, facts in run.stage("decide").get("trims", {}).items():
        ranges = Cuts.of_step(run.path / facts["folder"], part).of_rows(np.array([position]))
        gone = before.copy()
        for start, stop in zip(ranges.start.tolist(), ranges.stop.tolist(), strict=True):
            gone[start:stop] = True
        edges = np.flatnonzero(np.diff(gone & ~before, prepend=False, append=False)).reshape(-1, 2).tolist()
        found[name] = [raw[start:stop].decode() for start, stop in edges]
        before = gone
    return found


def without(text: str, ranges: Sequence[dict[str, int]] | None) -> str:
    """Return one text without ranges of its bytes, given as decisions have them."""
    left = text.encode()
    for span in reversed(ranges or ()):
        left = left[: span["start"]] + left[span["stop"] :]
    return left.decode()
