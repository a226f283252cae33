"""Stage 3: read the shards again, clean them the same way, and write the documents that were kept.

One folder a domain under `mix/`; a document of weight 3 is written three times in a row. Decides nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import curate
from classifiers.arrow import to_array
from curate.cuts import cut, ranges_of
from curate.errors import RunError
from curate.measure import as_frame, read_options, stored_metadata
from curate.population import numbered
from curate.recipe import Recipe, fingerprint
from curate.run import clear_mix
from curate.shards import Batch, MixWriter, Shard, atomic_bytes, read, unify
from curate.text import clean

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.local import Local, Workers
    from curate.run import Run

FORMATS = ("parquet", "jsonl.zst")
TASK_BYTES = 512 << 20  # text of the mix that one task writes, about: also the size of its files
ADDED = ("id", "source", "domain")
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

    @property
    def extra(self) -> list[str]:
        """The column of the input's ids, where it has a name of its own."""
        id_column = self.run.manifest["inputs"]["id_column"]
        return [] if id_column == "id" else [id_column]

    def names(self) -> dict[str, str]:
        """Return what each column of the input is called in the mix."""
        return output_names([self.run.manifest["inputs"]["text_column"], *self.extra, *self.schema.names])

    def mix_schema(self) -> pa.Schema:
        """Return the columns of the mix."""
        names, text = self.names(), self.run.manifest["inputs"]["text_column"]
        fields = [("id", pa.large_string()), (names[text], pa.large_string())]
        fields += [(names[name], pa.large_string()) for name in self.extra]
        fields += [(names[field.name], field.type) for field in self.schema]
        return pa.schema([*fields, ("source", pa.string()), ("domain", pa.string())])

    def __call__(self, number: int, workers: Workers) -> dict[str, Any]:
        """Write one group unless it is done; return its counts by domain."""
        done = self.run.path / "state" / f"write-{number:05d}.json"
        if done.is_file():
            counts: dict[str, Any] = json.loads(done.read_text())
            return counts
        counts = {}
        with ExitStack() as stack:
            writers: dict[str, MixWriter] = {}
            for shard in self.groups[number]:
                kept = Kept.read(self.run, shard)
                if not kept.any():
                    continue

                def of_batch(
                    item: tuple[int, Batch], kept: Kept = kept, shard: Shard = shard
                ) -> list[tuple[str, pa.Table]]:
                    return self._kept_tables(kept, shard, *item)

                options = read_options(self.run, self.schema)
                batches = numbered(read(shard, options, on_reject=lambda reject: None))
                for tables in workers.map(of_batch, batches):
                    for domain, table in tables:
                        if domain not in writers:
                            writers[domain] = stack.enter_context(self._writer(domain, number))
                        writers[domain].write(table)
                        count = counts.setdefault(domain, {"documents": 0})
                        count["documents"] += len(table)
        done.parent.mkdir(exist_ok=True)
        atomic_bytes(done, json.dumps(counts).encode())
        return counts

    def _writer(self, domain: str, number: int) -> MixWriter:
        return MixWriter(
            self.run.path / "mix" / folder_name(domain),
            self.mix_schema(),
            format=self.format,
            target_bytes=TASK_BYTES,
            prefix=f"part-{number:05d}",
            text_column=self.names()[self.run.manifest["inputs"]["text_column"]],
        )

    def _kept_tables(self, kept: Kept, shard: Shard, start: int, batch: Batch) -> list[tuple[str, pa.Table]]:
        """Return the kept documents of a batch by domain: the input's columns, the cleaned text, id, source, domain."""
        window = slice(start, start + len(batch))
        rows = np.repeat(np.arange(len(batch)), kept.weight[window])
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
        table = pa.table(columns).cast(self.mix_schema())
        present = table["domain"].unique().to_pylist()
        return [(name, table.filter(pa.compute.equal(table["domain"], name))) for name in sorted(present)]


@dataclass(frozen=True)
class Kept:
    """What write needs of a shard's decisions, in its order."""

    ids: pa.Array
    domain: pa.Array
    weight: npt.NDArray[np.int32]
    cuts: pa.Array | None = None  # of the cleaned text, where a step trims

    @staticmethod
    def read(run: Run, shard: Shard) -> Kept:
        """Read the decisions on a shard."""
        columns = ["id", "domain", "weight", *(["cuts"] if run.stage("decide").get("trims") else [])]
        table = pq.read_table(run.decisions_file(shard), columns=columns, partitioning=None)
        table = table.combine_chunks()
        cuts = _one(table["cuts"]) if "cuts" in columns else None
        return Kept(_one(table["id"]), _one(table["domain"]), table["weight"].to_numpy(), cuts)

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


def output_names(columns: Sequence[str]) -> dict[str, str]:
    """Return what each of the input's columns is called in the mix: its own name, unless curate adds that one.

    >>> output_names(["text", "source", "input_source"])
    {'text': 'text', 'source': 'input_input_source', 'input_source': 'input_source'}
    """
    names: dict[str, str] = {}
    for column in columns:
        name = column
        while name in ADDED or (name != column and name in columns):
            name = f"input_{name}"
        names[column] = name
    return names


def write_run(run: Run, recipe: Recipe, engine: Local, *, format: str | None = None) -> None:
    """Write the mix of a decided run; does nothing when it is there for the same decisions and format.

    Without a format it is the one of the mix that is there, or Parquet. RunError when the run is not decided.
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
        clear_mix(run.path)
    with run.doing("write", key, format=format) as stage:
        (run.path / "mix").mkdir(exist_ok=True)
        shards = run.measured
        groups = _groups(run, shards)
        schema = unify(stored_metadata(run, shard) for shard in shards)
        task = WriteTask(run, recipe.clean, format, schema, groups)
        totals: dict[str, int] = {}
        for _, counts in engine.run(task, range(len(groups))):
            for domain, count in counts.items():
                totals[domain] = totals.get(domain, 0) + count["documents"]
        stage["documents"] = dict(sorted(totals.items()))
        stage["files"] = run.sizes("mix")
        stage["schema"] = base64.b64encode(task.mix_schema().serialize().to_pybytes()).decode()
        _write_weights(run)


def _groups(run: Run, shards: Sequence[Shard]) -> list[list[Shard]]:
    """Cut the shards into groups that give about TASK_BYTES of the mix each; depends on decisions alone."""
    groups: list[list[Shard]] = []
    held = TASK_BYTES
    for shard in shards:
        weight = pq.read_table(run.decisions_file(shard), columns=["weight"], partitioning=None)["weight"].to_numpy()
        size = pq.read_table(run.signals_file(shard), columns=["byte_count"], partitioning=None)[
            "byte_count"
        ].to_numpy()
        if held >= TASK_BYTES:
            groups.append([])
            held = 0
        groups[-1].append(shard)
        held += int((weight * size).sum())
    return groups


def _write_weights(run: Run) -> None:
    """Write `mix.json`: what the mix is made of, for trainers that mix at load time."""
    allocations = run.stage("decide").get("mix", [])
    total = sum(entry["tokens"] for entry in allocations) or 1
    mix = {
        entry["domain"]: {"share": entry["tokens"] / total, "folder": f"mix/{folder_name(entry['domain'])}"}
        for entry in allocations
        if entry["tokens"]
    }
    atomic_bytes(run.path / "mix.json", json.dumps(mix, indent=1, ensure_ascii=False).encode())


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
    rows = np.repeat(np.arange(len(frame)), decisions["weight"].to_numpy())
    cleaned = clean(frame["text"][rows], recipe.clean)
    if "cuts" in decisions.columns:
        cleaned = cut(cleaned, ranges_of(decisions["cuts"][rows]))
    text = pl.Series(pl.from_arrow(to_array(cleaned)))
    added = decisions.select("id", "source", "domain")[rows]
    rest = frame[rows].drop("text", *(name for name in ADDED if name in frame.columns))
    return added.with_columns(text=text).hstack(rest)
