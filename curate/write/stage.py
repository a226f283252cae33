"""Stage 3: write the documents that were kept, and what the mix is made of. Decides nothing."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import curate
from classifiers.arrow import to_array
from curate.decide.cuts import cut, ranges_of
from curate.errors import RunError
from curate.events import emit
from curate.measure.stored import stored_metadata
from curate.measure.texts import as_frame
from curate.meter import Meter
from curate.recipe import Recipe, fingerprint
from curate.run import clear_mix
from curate.shards import Shard, atomic_bytes, unify
from curate.storage import Location, remove_tree
from curate.tables import read_table
from curate.text import clean
from curate.write.card import card
from curate.write.names import ADDED, WEIGHT, folder_name
from curate.write.shuffle import ShuffleTask, bucket_name, buckets_of, orders, shuffle
from curate.write.task import WriteTask

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.engine import Engine
    from curate.run import Run

FORMATS = ("parquet", "jsonl.zst")
TASKS = 16  # that a mix is written by, where they are neither smaller nor larger than …
LEAST_BYTES = 32 << 20
MOST_BYTES = 512 << 20  # … of text, about: also the size of their files


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
    key = fingerprint([curate.__version__, run.stage("decide")["key"], format, TASKS, LEAST_BYTES, MOST_BYTES])
    if run.is_done("write", key):
        return
    before = run.stage("write")
    if before.get("key") != key or before.get("done"):  # nothing of another mix, or of a damaged one, may stay
        clear_mix(run.path, before.get("files", ()))
    with run.doing("write", key, format=format) as stage:
        (run.path / "mix").mkdir(exist_ok=True)
        shards = run.measured
        groups, sizes, part_bytes = _groups(run, shards, recipe.mix.once)
        schema = unify(stored_metadata(run, shard) for shard in shards)
        buckets = len(groups) if recipe.mix.shuffle else 0
        task = WriteTask(run, recipe.clean, format, schema, groups, sizes, part_bytes, recipe.mix.once, buckets)
        totals: dict[str, int] = {}
        meter = Meter(run.path, "write", sum(shard.bytes for shard in shards))
        written: list[Location] = []
        for number, note in engine.run(task, range(len(groups))):
            size = sum(shard.bytes for shard in groups[number])
            advance(size)
            meter.advance(size)
            emit("shard_done", stage="write", shards=[shard.name for shard in groups[number]], domains=note.counts)
            written += [run.path / file for file in note.files]
            for domain, count in note.counts.items():
                totals[domain] = totals.get(domain, 0) + count["documents"]
        stage["documents"] = dict(sorted(totals.items()))
        stage["groups"] = [len(group) for group in groups]
        if buckets:
            pieces = _by_bucket(written, buckets)
            done = ShuffleTask(pieces, run.path / "mix", task.mix_schema(), format, part_bytes, task.text)
            shuffled = shuffle(done, buckets, engine)
            written = list(shuffled.files)
            if shuffled.documents != sum(totals.values()):
                wanted, there = sum(totals.values()), shuffled.documents
                raise RunError(f"{wanted:,} documents to shuffle, {there:,} were; run: curate write {run.path}")
        _write_weights(run, shuffled=bool(buckets))
        folders = [] if buckets else [folder_name(name) for name in stage["documents"]]
        atomic_bytes(run.path / "README.md", card(run, recipe, folders, format).encode())
        stage["files"] = run.seals("mix", "mix.json", "mix.csv", known=written)
        for file in written:
            if run.name_of(file) not in stage["files"]:
                raise RunError(f"{file} was written and is gone; to write it again: curate write {run.path}")
        stage["schema"] = base64.b64encode(task.mix_schema().serialize().to_pybytes()).decode()
    remove_tree(run.path / "state" / "shuffle")


def _groups(run: Run, shards: Sequence[Shard], once: bool) -> tuple[list[list[Shard]], list[int], int]:
    """Cut the shards into groups that give about as much of the mix each; depends on decisions alone.

    Return the groups, the bytes of text that each gives, and how many there should be in a file.
    """
    given = []
    for shard in shards:
        weight = read_table(run.decisions_file(shard), ["weight"])["weight"].to_numpy()
        size = read_table(run.signals_file(shard), ["byte_count"])["byte_count"].to_numpy()
        given.append(int(((np.minimum(weight, 1) if once else weight) * size).sum()))
    part_bytes = min(max(sum(given) // TASKS, LEAST_BYTES), MOST_BYTES)
    groups: list[list[Shard]] = []
    sizes: list[int] = []
    for shard, size in zip(shards, given, strict=True):
        if not groups or sizes[-1] >= part_bytes:
            groups.append([])
            sizes.append(0)
        groups[-1].append(shard)
        sizes[-1] += size
    return groups, sizes, part_bytes


def _by_bucket(files: Sequence[Location], buckets: int) -> list[list[Location]]:
    """Return the files of each bucket, sorted."""
    found: dict[str, list[Location]] = {bucket_name(number): [] for number in range(buckets)}
    for file in files:
        found[file.parent.name].append(file)
    return [sorted(pieces, key=str) for pieces in found.values()]


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
