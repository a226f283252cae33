"""Stage 1: read every shard once, clean its texts, write signals and sketches, one row a document.

The only stage that computes on all of the text. Which documents are kept is not known here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from curate.conservation import check_measured
from curate.errors import InputError, PluginError, did_you_mean
from curate.events import emit
from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES
from curate.measure.journal import Journal, is_large
from curate.measure.plan import Plan, check_known
from curate.measure.references import References, digests, references_of_run
from curate.measure.stored import ShardCounts, facts_of, stored_counts, stored_metadata
from curate.measure.texts import Measured, measure_texts, with_urls
from curate.meter import Meter
from curate.recipe import Recipe, fingerprint
from curate.shards import Batch, ReadOptions, RejectWriter, SchemaCollector, Shard, read
from curate.shards.walk import printable
from curate.signals import registry
from curate.signals.plugins import ensure
from curate.tables import TableWriter

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.run import Run


@dataclass(frozen=True)
class MeasureShard:
    """The task: measure one shard into the run directory. Picklable; called as `task(shard, workers)`."""

    run: Run
    plan: Plan
    options: ReadOptions
    key: str
    references: References = field(default_factory=dict, repr=False)

    def __call__(self, shard: Shard, workers: Workers) -> ShardCounts:
        """Measure a shard unless its output is there already."""
        ensure(self.run.manifest.get("plugins", []), self.plan.signals)
        key = fingerprint([self.key, self.run.stamp(shard)])
        stored = stored_counts(self.run, shard, key)
        try:
            counts = stored or self._measure(shard, workers, key)
            check_measured(self.run, shard, counts)
            self._journal(shard, key).forget()
            return counts
        except InputError as error:
            if not self.options.skip_bad_files:
                raise
            return ShardCounts(skipped=str(error))

    def _measure(self, shard: Shard, workers: Workers, key: str) -> ShardCounts:
        counts = ShardCounts()
        schema = SchemaCollector()
        of_batch = functools.partial(measure_batch, shard=shard, plan=self.plan, references=self.references)
        with self._journal(shard, key) as journal, TableWriter(self.run.signals_file(shard)) as signals:
            with (
                TableWriter(self.run.sketches_file(shard), packed=False) as sketches,
                RejectWriter(self.run.rejects_file(shard)) as rejects,
            ):
                batches = self._counted(counts, read(shard, self.options, on_reject=rejects, collector=schema))
                for found, sketched in journal.through(workers, of_batch, batches):
                    counts.documents += len(found)
                    counts.bytes += int(found["byte_count"].to_numpy().sum())
                    counts.tokens += int(found["token_count"].to_numpy().sum())
                    signals.write(found)
                    sketches.write(sketched)
                if not counts.documents:
                    empty = of_batch(_no_documents())
                    signals.write(empty.signals)
                    sketches.write(empty.sketches)
            counts.rejected, counts.rejected_bytes = rejects.documents, rejects.bytes
            # Signals come last, and their footer says what the shard held: once they are there it is done.
            signals.close(facts_of(self.run, shard, key, counts, schema.schema))
        return counts

    def _journal(self, shard: Shard, key: str) -> Journal:
        """Return where what is measured of a shard waits until all of it is; for a large file, on disk."""
        path = self.run.path / "state" / f"measure-{shard.name}.journal"
        on_disk = is_large(shard) and isinstance(path, Path)  # to an object nothing can be added
        return Journal(path, key, on_disk)

    def _counted(self, counts: ShardCounts, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            counts.raw_bytes += batch.text_bytes
            yield batch


def measure_batch(batch: Batch, *, shard: Shard, plan: Plan, references: References) -> Measured:
    """Measure a batch of a shard: adds source, shard and row, and the metadata columns that the plan names."""
    try:
        measured = measure_texts(batch.texts, batch.ids, plan, references)
    except PluginError as error:
        raise PluginError(f"{shard.paths[0]}: {error}") from error.__cause__
    signals = measured.signals
    n = len(signals)
    base = {
        "source": _constant(shard.source, n),
        "shard": _constant(shard.name, n),
        "row": pa.array(batch.rows),
    }
    for position, (name, column) in enumerate(base.items(), 2):
        signals = signals.add_column(position, name, column)
    for name in plan.metadata:
        signals = signals.append_column(name, _metadata_column(batch, name))
    sketches = with_urls(measured.sketches, plan, functools.partial(_metadata_column, batch))
    return Measured(signals, sketches, measured.cleaned)


def _metadata_column(batch: Batch, name: str) -> pa.Array:
    if name not in batch.metadata.column_names:
        return pa.nulls(len(batch))
    column = batch.metadata[name].combine_chunks()
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _constant(value: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array([value])).cast(pa.string())


def _no_documents() -> Batch:
    return Batch(pa.array([], pa.large_string()), None, pa.table({}), np.zeros(0, np.int64))


def read_options(run: Run, metadata: Any) -> ReadOptions:
    """Return how the inputs of a run are read."""
    inputs = run.manifest["inputs"]
    skip = run.manifest["skip_bad_files"]
    return ReadOptions(
        inputs["text_column"],
        inputs["id_column"],
        metadata,
        max_record_bytes=inputs.get("max_record_bytes", MAX_RECORD_BYTES),
        max_expansion=inputs.get("max_expansion", MAX_EXPANSION),
        skip_bad_files=skip,
    )


def measure_run(
    run: Run,
    recipe: Recipe,
    engine: Engine,
    advance: Callable[[int], None],
    say: Callable[[str], None] = lambda message: None,
) -> None:
    """Measure every shard of a run for a recipe; shards that are done are left alone.

    `advance` is told the bytes of input as shards finish, `say` what else takes its time. Raises InputError for a
    file that cannot be read, unless the run skips bad files: then the manifest lists it under the stage's `skipped`;
    RecipeError for a recipe that names what is neither a signal nor a metadata column.
    """
    plan = Plan.of(recipe, run.manifest["inputs"]["tokenizer"])
    stage = run.stage("measure")
    if stage.get("plan"):
        before = Plan.from_dict(stage["plan"])
        if before.covers(plan) and set(before.signals) <= set(registry()):
            plan = before
    key = fingerprint([plan.key(), run.input_key()])
    if run.is_done("measure", key):
        if stage["plan"] != asdict(plan):  # the same lists and files may have moved
            stage["plan"] = asdict(plan)
            run.save()
        return
    options = read_options(run, plan.metadata)
    _check_early(recipe, plan, run.shards, options)
    for folder in ("signals", "sketches", "rejects"):
        (run.path / folder).mkdir(exist_ok=True)
    run.delete_damaged("measure")
    with run.doing("measure", key, plan=asdict(plan), states=plan.states()) as stage:
        references = references_of_run(run, plan.distributions, plan.clean, engine, say)
        task = MeasureShard(run, plan, options, fingerprint([plan.key(), digests(references)]), references)
        total = ShardCounts()
        skipped: dict[str, str] = {}
        meter = Meter(run.path, "measure", sum(shard.bytes for shard in run.shards))
        engine.ship(plan.files())
        give_up = _left_out if options.skip_bad_files else None
        for shard, counts in engine.run(task, run.shards, give_up):
            advance(shard.bytes)
            meter.advance(shard.bytes)
            emit("shard_done", stage="measure", shard=shard.name, bytes_on_disk=shard.bytes, **asdict(counts))
            if counts.skipped:
                skipped[shard.name] = counts.skipped
                _forget(run, shard)
            total.documents += counts.documents
            total.raw_bytes += counts.raw_bytes
            total.bytes += counts.bytes
            total.tokens += counts.tokens
            total.rejected += counts.rejected
            total.rejected_bytes += counts.rejected_bytes
        _check_any_read(run, skipped)
        check_metadata(run, recipe, plan)
        run.set_recipe(recipe)
        stage["counts"] = asdict(total)
        stage["skipped"] = dict(sorted(skipped.items()))
        files_of = (run.signals_file, run.sketches_file, run.rejects_file)
        known = [file_of(shard) for shard in run.shards if shard.name not in skipped for file_of in files_of]
        stage["files"] = run.seals("signals", "sketches", "rejects", known=known)


def _left_out(shard: Shard, reason: str) -> ShardCounts:
    return ShardCounts(skipped=f"{printable(shard.paths[0])}: {reason}")


def _check_any_read(run: Run, skipped: dict[str, str]) -> None:
    if skipped and len(skipped) == len(run.shards):
        first = min(skipped.values())
        raise InputError(
            f"none of the input files could be read, so there is nothing to go on with; the first: {first}"
        )


def _forget(run: Run, shard: Shard) -> None:
    """Remove what an earlier run stored of a shard that can no longer be read."""
    for path in (run.signals_file(shard), run.sketches_file(shard), run.rejects_file(shard)):
        path.unlink(missing_ok=True)


def check_metadata(run: Run, recipe: Recipe, plan: Plan) -> None:
    """Raise RecipeError when a recipe names a column that is neither a signal nor in any input."""
    if not plan.metadata:
        return
    found = {name for shard in run.measured for name in stored_metadata(run, shard).names}
    check_known(recipe, plan.metadata, found)


def _check_early(recipe: Recipe, plan: Plan, shards: Sequence[Shard], options: ReadOptions) -> None:
    """Look at the first batch of each source, so that a misspelt signal is reported before hours of measuring.

    A column that no first batch has may still come: only a name that looks like a known one is an error by now.
    """
    if not plan.metadata:
        return
    found = SchemaCollector()
    for shard in {shard.source: shard for shard in reversed(shards)}.values():
        try:
            next(read(shard, options, on_reject=lambda reject: None, collector=found), None)
        except InputError:
            continue  # measuring will say so
    known = {*registry(), *found.schema.names}
    check_known(recipe, [name for name in plan.metadata if did_you_mean(name, known)], set(found.schema.names))
