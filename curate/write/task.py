"""The task of stage 3: read some shards again, clean them the same way, and write the documents that were kept.

One folder a domain under `mix/`; a document of weight 3 is written three times in a row. A task that writes much notes
how far it is each time that its files are full, and goes on from there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.arrow import to_array
from curate.conservation import check_written
from curate.decide.cuts import cut, final_bytes, ranges_of
from curate.engines.bundles import in_words
from curate.measure.stage import read_options
from curate.shards import Batch, MixWriter, Shard, atomic_bytes, holds, read_again, seal
from curate.storage import Location
from curate.tables import read_table
from curate.text import clean
from curate.write.names import ADDED, WEIGHT, folder_name, output_names
from curate.write.shuffle import ORDER, bucket_name, buckets_of, orders

if TYPE_CHECKING:
    from curate.engines.workers import Workers
    from curate.run import Run


def _nothing() -> dict[str, int]:
    return {"documents": 0, "bytes": 0}


@dataclass
class Note:
    """How far a task is: what it has written, by domain and by file, and where it goes on.

    `at`: which shard of its group, and how many documents of it are done; at the end, the number of shards and 0.
    `of_shard`: documents and bytes written of that shard so far.
    """

    counts: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    at: tuple[int, int] = (0, 0)
    of_shard: dict[str, int] = field(default_factory=_nothing)

    @staticmethod
    def of(run: Run, path: Location) -> Note:
        """Read a note; that of a task which has done nothing where there is none, or its files are not as they were."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            place, documents = stored["at"]
            note = Note(stored["counts"], stored["files"], (place, documents), stored["of_shard"])
            whole = all(holds(run.path / file, sealed) for file, sealed in note.files.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not there, or damaged
            return Note()
        return note if whole else Note()

    def count(self, domain: str, documents: int, size: int) -> None:
        """Add documents that were written."""
        counted = self.counts.setdefault(domain, {"documents": 0})
        counted["documents"] += documents
        self.of_shard["documents"] += documents
        self.of_shard["bytes"] += size


@dataclass(frozen=True)
class WriteTask:
    """Writes the kept documents of some consecutive shards; `task(number, workers)`. Picklable."""

    run: Run
    cleaners: tuple[str, ...]
    format: str
    schema: pa.Schema
    groups: Sequence[Sequence[Shard]] = field(repr=False)
    sizes: Sequence[int] = field(repr=False)  # of the text that each group gives, before steps that trim
    part_bytes: int  # of text in the files that a group has open at a time, about
    once: bool = False
    buckets: int = 0  # of a shuffled mix; 0: one folder a domain

    def name_of(self, number: int) -> str:
        """Return the shards of a group, in words."""
        return in_words([shard.name for shard in self.groups[number]])

    @property
    def folder(self) -> Location:
        """Where the files go: the mix, or the buckets that are shuffled afterwards."""
        return self.run.path / "state" / "shuffle" if self.buckets else self.run.path / "mix"

    @property
    def added(self) -> tuple[str, ...]:
        """Columns that the mix has beside those of the input."""
        return (*ADDED, WEIGHT) if self.once else ADDED

    @property
    def extra(self) -> list[str]:
        """The column of the input's ids, where it has a name of its own."""
        id_column = self.run.manifest["inputs"]["id_column"]
        return [] if id_column == "id" else [id_column]

    def names(self) -> dict[str, str]:
        """Return what each column of the input is called in the mix."""
        return output_names([self.run.manifest["inputs"]["text_column"], *self.extra, *self.schema.names], self.added)

    @property
    def text(self) -> str:
        """What the mix calls the text."""
        return self.names()[self.run.manifest["inputs"]["text_column"]]

    def mix_schema(self) -> pa.Schema:
        """Return the columns of the mix."""
        names, text = self.names(), self.run.manifest["inputs"]["text_column"]
        fields = [("id", pa.large_string()), (names[text], pa.large_string())]
        fields += [(names[name], pa.large_string()) for name in self.extra]
        fields += [(names[field.name], field.type) for field in self.schema]
        fields += [("source", pa.string()), ("domain", pa.string())]
        return pa.schema([*fields, (WEIGHT, pa.int32())] if self.once else fields)

    def __call__(self, number: int, workers: Workers) -> Note:
        """Write one group, or what is left of it; return what is written of it, which is all."""
        note = Note.of(self.run, self.note(number))
        group = self.groups[number]
        with _Files(self, number, note) as files:
            for place in range(note.at[0], len(group)):
                kept = Kept.read(self.run, group[place])
                for documents, tables in self._tables(group[place], kept, note.at[1], workers):
                    for domain, folder, table in tables:
                        size = pc.sum(pc.binary_length(table[self.text])).as_py() or 0
                        files.write(folder, table, size)
                        note.count(domain, len(table), size)
                    note.at = (place, documents)
                    if files.full:
                        files.save()
                self._check(group[place], kept, note.of_shard)
                note.at, note.of_shard = (place + 1, 0), _nothing()
            files.save()
        return note

    def note(self, number: int) -> Location:
        """Return where it is noted how far a group is."""
        return self.run.path / "state" / f"write-{number:05d}.json"

    def _tables(
        self, shard: Shard, kept: Kept, done: int, workers: Workers
    ) -> Iterator[tuple[int, list[tuple[str, str, pa.Table]]]]:
        """Yield how many documents of a shard are done and what is kept of the last, but for the first `done`."""
        if not (kept.weight[done:] > 0).any():
            return
        self.run.check_unchanged(shard)

        def of_batch(item: tuple[int, Batch]) -> tuple[int, list[tuple[str, str, pa.Table]]]:
            start, batch = item
            return start + len(batch), self._kept_tables(kept, shard, start, batch)

        yield from workers.map(of_batch, _after(done, read_again(shard, read_options(self.run, self.schema))))

    def _check(self, shard: Shard, kept: Kept, written: Mapping[str, int]) -> None:
        copies = np.minimum(kept.weight, 1) if self.once else kept.weight
        asked = {"documents": int(copies.sum()), "bytes": int((copies * final_bytes(self.run, shard)).sum())}
        check_written(shard, asked, written)

    def writer(self, folder: str, number: int, first: int) -> MixWriter:
        """Return what writes files of a group in a folder, from the one numbered `first` on."""
        schema = self.mix_schema()
        return MixWriter(
            self.folder / folder,
            schema.append(pa.field(ORDER, pa.uint64())) if self.buckets else schema,
            format="parquet" if self.buckets else self.format,
            target_bytes=2 * self.part_bytes,  # `_Files` ends them before
            prefix=f"part-{number:05d}",
            first=first,
            text_column=self.text,
        )

    def _kept_tables(self, kept: Kept, shard: Shard, start: int, batch: Batch) -> list[tuple[str, str, pa.Table]]:
        """Return the kept documents of a batch as (domain, folder, table) with the columns of the mix."""
        window = slice(start, start + len(batch))
        weight = kept.weight[window]
        rows = np.repeat(np.arange(len(batch)), np.minimum(weight, 1) if self.once else weight)
        if not len(rows):
            return []
        unique, back = np.unique(rows, return_inverse=True)
        cleaned = clean(batch.texts.take(pa.array(unique)), self.cleaners)
        if kept.cuts is not None:
            cleaned = cut(cleaned, ranges_of(kept.cuts.slice(start, len(batch)).take(pa.array(unique))))
        texts = to_array(cleaned).take(pa.array(back))
        taken = pa.array(rows)
        options = self.run.manifest["inputs"]
        names = self.names()
        columns: dict[str, Any] = {"id": kept.ids.slice(start, len(batch)).take(taken)}
        columns[names[options["text_column"]]] = texts
        for name in self.extra:
            ids = batch.ids if batch.ids is not None else pa.nulls(len(batch), pa.large_string())
            columns[names[name]] = ids.take(taken)
        for name in self.schema.names:
            columns[names[name]] = batch.metadata[name].take(taken)
        columns["source"] = pa.array([shard.source]).take(pa.array(np.zeros(len(rows), np.int64)))
        columns["domain"] = kept.domain.slice(start, len(batch)).take(taken)
        if self.once:
            columns[WEIGHT] = weight[rows]
        table = pa.table(columns).cast(self.mix_schema())
        if self.buckets:
            copy = np.arange(len(rows)) - np.searchsorted(rows, rows)
            table = table.append_column(ORDER, pa.array(orders(kept.doc[window][rows], copy.astype(np.uint64))))
        return self._divided(table)

    def _divided(self, table: pa.Table) -> list[tuple[str, str, pa.Table]]:
        """Divide documents by domain, and in a shuffled mix by bucket."""
        found = []
        for domain in sorted(table["domain"].unique().to_pylist()):
            part = table.filter(pa.compute.equal(table["domain"], domain))
            if not self.buckets:
                found.append((domain, folder_name(domain), part))
                continue
            bucket = buckets_of(part[ORDER].to_numpy(), self.buckets)
            for number in np.unique(bucket).tolist():
                found.append((domain, bucket_name(number), part.filter(pa.array(bucket == number))))
        return found


class _Files:
    """The files that a group has open, one a folder. A context manager; after an error they are gone."""

    def __init__(self, task: WriteTask, number: int, note: Note) -> None:
        self._task, self._number, self._note = task, number, note
        self._writers: dict[str, MixWriter] = {}
        self._first = Counter(file.rpartition("/")[0] for file in note.files)
        self._stack = ExitStack()
        self._bytes = 0
        # As much in each round of files, rather than a last one of next to nothing.
        self._most = task.sizes[number] / max(round(task.sizes[number] / task.part_bytes), 1)

    def __enter__(self) -> _Files:
        return self

    @property
    def full(self) -> bool:
        """Whether they hold as much as they should."""
        return self._bytes > self._most

    def write(self, folder: str, table: pa.Table, size: int) -> None:
        """Add documents with `size` bytes of text."""
        if folder not in self._writers:
            first = self._first[self._task.run.name_of(self._task.folder / folder)]
            self._writers[folder] = self._stack.enter_context(self._task.writer(folder, self._number, first))
        self._writers[folder].write(table)
        self._bytes += size

    def save(self) -> None:
        """End the files, and note that they are there."""
        self._stack.close()
        run = self._task.run
        paths = sorted(part.path for writer in self._writers.values() for part in writer.parts)
        self._note.files |= {run.name_of(path): seal(path) for path in paths}
        self._first.update(run.name_of(path).rpartition("/")[0] for path in paths)
        self._writers, self._bytes = {}, 0
        note = self._task.note(self._number)
        note.parent.mkdir(exist_ok=True)
        atomic_bytes(note, json.dumps(asdict(self._note)).encode())

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)


def _after(done: int, batches: Iterator[tuple[int, Batch]]) -> Iterator[tuple[int, Batch]]:
    """Yield batches, each with the position of its first document, without the first `done` documents."""
    for start, batch in batches:
        if start >= done:
            yield start, batch
        elif start + len(batch) > done:
            yield done, batch.slice(done - start, len(batch))


@dataclass(frozen=True)
class Kept:
    """What write needs of a shard's decisions, in its order."""

    doc: npt.NDArray[np.uint64]
    ids: pa.Array
    domain: pa.Array
    weight: npt.NDArray[np.int32]
    cuts: pa.Array | None = None  # of the cleaned text, where a step trims

    @staticmethod
    def read(run: Run, shard: Shard) -> Kept:
        """Read the decisions on a shard."""
        columns = ["doc", "id", "domain", "weight", *(["cuts"] if run.stage("decide").get("trims") else [])]
        table = read_table(run.decisions_file(shard), columns)
        ids, domain = table["id"].combine_chunks(), table["domain"].combine_chunks()
        cuts = table["cuts"].combine_chunks() if "cuts" in columns else None
        return Kept(table["doc"].to_numpy(), ids, domain, table["weight"].to_numpy(), cuts)
