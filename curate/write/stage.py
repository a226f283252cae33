"""Stage 3: read the shards again, clean them the same way, and write the documents that were kept.

One folder a domain under `mix/`; a document of weight 3 is written three times in a row. Decides nothing.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import curate
from classifiers.arrow import to_array
from curate.conservation import check_written
from curate.decide.cuts import cut, final_bytes, ranges_of
from curate.errors import RunError
from curate.events import emit
from curate.measure.stage import read_options
from curate.measure.stored import stored_metadata
from curate.measure.texts import as_frame
from curate.meter import Meter
from curate.recipe import Recipe, fingerprint
from curate.run import clear_mix
from curate.shards import Batch, MixWriter, Shard, atomic_bytes, holds, read_again, seal, unify
from curate.storage import Location, remove_tree
from curate.tables import read_table
from curate.text import clean
from curate.write.card import card
from curate.write.shuffle import ORDER, ShuffleTask, bucket_name, buckets_of, orders, shuffle

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.run import Run

FORMATS = ("parquet", "jsonl.zst")
TASK_BYTES = 512 << 20  # text of the mix that one task writes, about: also the size of its files
ADDED = ("id", "source", "domain")
WEIGHT = "weight"  # column of a mix that is written once
_SPLIT_WORD = re.compile(
    r"(?:^|[-._ 0-9])(train|training|test|testing|dev|valid|validation|val|eval|evaluation)(?=[-._ 0-9]|$)"
)


@dataclass(frozen=True)
class WriteTask:
    """Writes the kept documents of some consecutive shards; `task(number, workers)`. Picklable."""

    run: Run
    cleaners: tuple[str, ...]
    format: str
    schema: pa.Schema
    groups: Sequence[Sequence[Shard]] = field(repr=False)
    once: bool = False
    buckets: int = 0  # of a shuffled mix; 0: one folder a domain

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

    def mix_schema(self) -> pa.Schema:
        """Return the columns of the mix."""
        names, text = self.names(), self.run.manifest["inputs"]["text_column"]
        fields = [("id", pa.large_string()), (names[text], pa.large_string())]
        fields += [(names[name], pa.large_string()) for name in self.extra]
        fields += [(names[field.name], field.type) for field in self.schema]
        fields += [("source", pa.string()), ("domain", pa.string())]
        return pa.schema([*fields, (WEIGHT, pa.int32())] if self.once else fields)

    def __call__(self, number: int, workers: Workers) -> dict[str, Any]:
        """Write one group unless it is done; return its counts by domain."""
        done = self.run.path / "state" / _note(number)
        stored = _stored(self.run, done)
        if stored is not None:
            return stored
        counts: dict[str, Any] = {}
        writers: dict[str, MixWriter] = {}
        with ExitStack() as stack:
            for shard in self.groups[number]:
                kept = Kept.read(self.run, shard)
                if not kept.any():
                    continue
                self.run.check_unchanged(shard)
                written = {"documents": 0, "bytes": 0}

                def of_batch(
                    item: tuple[int, Batch], kept: Kept = kept, shard: Shard = shard
                ) -> list[tuple[str, str, pa.Table]]:
                    return self._kept_tables(kept, shard, *item)

                options = read_options(self.run, self.schema)
                batches = read_again(shard, options)
                for tables in workers.map(of_batch, batches):
                    for domain, folder, table in tables:
                        if folder not in writers:
                            writers[folder] = stack.enter_context(self._writer(folder, number))
                        writers[folder].write(table)
                        count = counts.setdefault(domain, {"documents": 0})
                        count["documents"] += len(table)
                        written["documents"] += len(table)
                        written["bytes"] += pc.sum(pc.binary_length(table[self.text])).as_py() or 0
                copies = np.minimum(kept.weight, 1) if self.once else kept.weight
                asked = int(copies.sum()), int((copies * final_bytes(self.run, shard)).sum())
                check_written(shard, dict(zip(("documents", "bytes"), asked, strict=True)), written)
        done.parent.mkdir(exist_ok=True)
        paths = sorted(part.path for writer in writers.values() for part in writer.parts)
        files = {self.run.name_of(path): seal(path) for path in paths}
        atomic_bytes(done, json.dumps({"counts": counts, "files": files}).encode())
        return counts

    def written(self) -> list[Location]:
        """Return the files of all groups that were written, as the groups noted them."""
        notes = [self.run.path / "state" / _note(number) for number in range(len(self.groups))]
        return [self.run.path / file for note in notes for file in json.loads(note.read_bytes())["files"]]

    @property
    def text(self) -> str:
        """What the mix calls the text."""
        return self.names()[self.run.manifest["inputs"]["text_column"]]

    def _writer(self, folder: str, number: int) -> MixWriter:
        schema = self.mix_schema()
        return MixWriter(
            self.folder / folder,
            schema.append(pa.field(ORDER, pa.uint64())) if self.buckets else schema,
            format="parquet" if self.buckets else self.format,
            target_bytes=TASK_BYTES,
            prefix=f"part-{number:05d}",
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


def _note(number: int) -> str:
    return f"write-{number:05d}.json"


def _by_bucket(files: Sequence[Location], buckets: int) -> list[list[Location]]:
    """Return the files of each bucket, sorted."""
    found: dict[str, list[Location]] = {bucket_name(number): [] for number in range(buckets)}
    for file in files:
        found[file.parent.name].append(file)
    return [sorted(pieces, key=str) for pieces in found.values()]


def _stored(run: Run, done: Location) -> dict[str, Any] | None:
    """Return the counts of a group that was written, None where it was not, or its files are not as they were."""
    try:
        stored = json.loads(done.read_text(encoding="utf-8"))
        counts: dict[str, Any] = stored["counts"]
        whole = all(holds(run.path / file, sealed) for file, sealed in stored["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not there, or damaged
        return None
    return counts if whole else None


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
        table = table.combine_chunks()
        cuts = _one(table["cuts"]) if "cuts" in columns else None
        return Kept(table["doc"].to_numpy(), _one(table["id"]), _one(table["domain"]), table["weight"].to_numpy(), cuts)

    def any(self) -> bool:
        """Tell whether any document of the shard is written."""
        return bool((self.weight > 0).any())


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def folder_name(domain: str) -> str:
    """Return a safe folder name for a domain: letters, digits, `._-` as they are, all else percent-encoded.

    >>> folder_name("../x y")
    '%2E.%2Fx%20y'
    """
    name = quote(domain or "other", safe="")
    if name[0] in "._":
        name = f"%{ord(name[0]):02X}{name[1:]}"
    split = _SPLIT_WORD.search(name)
    if split:  # Hugging Face's datasets would take the folder for a split and leave the others out
        at = split.start(1)
        name = f"{name[:at]}%{ord(name[at]):02X}{name[at + 1 :]}"
    return name if len(name) <= 200 else name[:180] + fingerprint(domain)


def output_names(columns: Sequence[str], added: Sequence[str] = ADDED) -> dict[str, str]:
    """Return what each of the input's columns is called in the mix: its own name, unless curate adds that one.

    >>> output_names(["text", "source", "input_source"])
    {'text': 'text', 'source': 'input_input_source', 'input_source': 'input_source'}
    """
    names: dict[str, str] = {}
    for column in columns:
        name = column
        while name in added or (name != column and name in columns):
            name = f"input_{name}"
        names[column] = name
    return names


def write_run(
    run: Run,
    recipe: Recipe,
    engine: Engine,
    *,
    format: str | None = None,
    advance: Callable[[int], None] = lambda size: None,
) -> None:
    """Write the mix of a decided run; does nothing when it is there for the same decisions and format.

    Without a format it is the one of the mix that is there, or Parquet. `advance` is told the bytes of input that are
    done. RunError when the run is not decided.
    """
    format = format or run.stage("write").get("format", "parquet")
    if format not in FORMATS:
        raise RunError(f'unknown format "{format}"; choose one of {", ".join(FORMATS)}')
    if not run.is_done("decide", run.stage("decide").get("key", "")):
        raise RunError(f"{run.path} is not decided yet; run: curate decide {run.path}")
    key = fingerprint([curate.__version__, run.stage("decide")["key"], format])
    if run.is_done("write", key):
        return
    before = run.stage("write")
    if before.get("key") != key or before.get("done"):  # nothing of another mix, or of a damaged one, may stay
        clear_mix(run.path, before.get("files", ()))
    with run.doing("write", key, format=format) as stage:
        (run.path / "mix").mkdir(exist_ok=True)
        shards = run.measured
        groups = _groups(run, shards)
        schema = unify(stored_metadata(run, shard) for shard in shards)
        buckets = len(groups) if recipe.mix.shuffle else 0
        task = WriteTask(run, recipe.clean, format, schema, groups, recipe.mix.once, buckets)
        totals: dict[str, int] = {}
        meter = Meter(run.path, "write", sum(shard.bytes for shard in shards))
        for number, counts in engine.run(task, range(len(groups))):
            size = sum(shard.bytes for shard in groups[number])
            advance(size)
            meter.advance(size)
            emit("shard_done", stage="write", shards=[shard.name for shard in groups[number]], domains=counts)
            for domain, count in counts.items():
                totals[domain] = totals.get(domain, 0) + count["documents"]
        stage["documents"] = dict(sorted(totals.items()))
        stage["groups"] = [len(group) for group in groups]
        if buckets:
            pieces = _by_bucket(task.written(), buckets)
            done = ShuffleTask(pieces, run.path / "mix", task.mix_schema(), format, TASK_BYTES, task.text)
            shuffled = shuffle(done, buckets, engine)
            if shuffled.documents != sum(totals.values()):
                wanted, there = sum(totals.values()), shuffled.documents
                raise RunError(f"{wanted:,} documents to shuffle, {there:,} were; run: curate write {run.path}")
        _write_weights(run, shuffled=bool(buckets))
        folders = [] if buckets else [folder_name(name) for name in stage["documents"]]
        atomic_bytes(run.path / "README.md", card(run, recipe, folders, format).encode())
        stage["files"] = run.seals("mix", "mix.json", "mix.csv", known=shuffled.files if buckets else task.written())
        stage["schema"] = base64.b64encode(task.mix_schema().serialize().to_pybytes()).decode()
    remove_tree(run.path / "state" / "shuffle")


def _groups(run: Run, shards: Sequence[Shard]) -> list[list[Shard]]:
    """Cut the shards into groups that give about TASK_BYTES of the mix each; depends on decisions alone."""
    groups: list[list[Shard]] = []
    held = TASK_BYTES
    for shard in shards:
        weight = read_table(run.decisions_file(shard), ["weight"])["weight"].to_numpy()
        size = read_table(run.signals_file(shard), ["byte_count"])["byte_count"].to_numpy()
        if held >= TASK_BYTES:
            groups.append([])
            held = 0
        groups[-1].append(shard)
        held += int((weight * size).sum())
    return groups


def written_to(run: Run, row: Mapping[str, Any]) -> list[str]:
    """Return the files of the mix that hold a document, as paths in the run.

    `row` has its `doc`, `shard`, `domain` and `weight`. Empty when the mix is not written.
    """
    stage = run.stage("write")
    if not stage.get("done") or not row["weight"]:
        return []
    if run.recipe.mix.shuffle:
        copies = np.arange(1 if run.recipe.mix.once else row["weight"], dtype=np.uint64)
        order = orders(np.full(len(copies), row["doc"], np.uint64), copies)
        wanted = [f"mix/shuffled/part-{bucket:05d}-" for bucket in buckets_of(order, len(stage["groups"])).tolist()]
    else:
        place = [shard.name for shard in run.measured].index(row["shard"])
        number = int(np.searchsorted(np.cumsum(stage["groups"]), place, side="right"))
        wanted = [f"mix/{folder_name(row['domain'])}/part-{number:05d}-"]
    return sorted(file for file in stage["files"] if file.startswith(tuple(wanted)))


def _write_weights(run: Run, *, shuffled: bool) -> None:
    """Write `mix.json` and `mix.csv`: what the mix is made of, for trainers that mix at load time."""
    allocations = [entry for entry in run.stage("decide").get("mix", []) if entry["tokens"]]
    documents = run.stage("write")["documents"]
    total = sum(entry["tokens"] for entry in allocations) or 1
    mix = {
        entry["domain"]: {
            "share": entry["tokens"] / total,
            "folder": "mix/shuffled" if shuffled else f"mix/{folder_name(entry['domain'])}",
            "documents": documents.get(entry["domain"], 0),
            "tokens": round(entry["tokens"]),
            "epochs": entry["tokens"] / max(entry["available"], 1),
        }
        for entry in allocations
    }
    atomic_bytes(run.path / "mix.json", json.dumps(mix, indent=1, ensure_ascii=False).encode())
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    columns = ("folder", "documents", "tokens", "share", "epochs")
    rows.writerow(("domain", *columns))
    rows.writerows((name, *(entry[column] for column in columns)) for name, entry in mix.items())
    atomic_bytes(run.path / "mix.csv", table.getvalue().encode())


def write(frame: Any, decisions: pl.DataFrame, recipe: Recipe | str = "web") -> pl.DataFrame:
    """Return the kept documents of `frame` (column "text"), cleaned, with id, source and domain; weights as copies.

    `decisions` is what `curate.decide(frame, recipe)` gave: one row for each row of `frame`.
    """
    import polars as pl

    frame = as_frame(frame)
    same_ids = "id" not in frame.columns or frame["id"].cast(pl.String).to_list() == decisions["id"].to_list()
    if len(frame) != len(decisions) or not same_ids:
        raise RunError("the decisions are not about these documents, in this order; decide them again")
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    weight = decisions["weight"].to_numpy()
    rows = np.repeat(np.arange(len(frame)), np.minimum(weight, 1) if recipe.mix.once else weight)
    cleaned = clean(frame["text"][rows], recipe.clean)
    if "cuts" in decisions.columns:
        cleaned = cut(cleaned, ranges_of(decisions["cuts"][rows]))
    text = pl.Series(pl.from_arrow(to_array(cleaned)))
    names = (*ADDED, WEIGHT) if recipe.mix.once else ADDED
    added = decisions.select(names)[rows]
    rest = frame[rows].drop("text", *(name for name in names if name in frame.columns))
    return added.with_columns(text=text).hstack(rest)
