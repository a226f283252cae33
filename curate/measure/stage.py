"""Stage 1: read every shard once, clean its texts, write signals and sketches, one row a document.

The only stage that computes on all of the text. Which documents are kept is not known here.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from classifiers.arrow import Strings, as_array, as_strings
from curate.conservation import check_measured
from curate.dedup.urls import sketch_name, url_hashes
from curate.errors import InputError, PluginError, did_you_mean
from curate.events import emit
from curate.kernels.hashing import murmur3, text_hash_of_words
from curate.kernels.minhash import Sketches, sketch
from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES
from curate.measure.journal import Journal, is_large
from curate.measure.plan import Plan, check_known
from curate.measure.references import References, digests, references_of_run, references_of_texts
from curate.measure.scores import classify
from curate.meter import Meter
from curate.recipe import Recipe, fingerprint
from curate.shards import Batch, ReadOptions, RejectWriter, SchemaCollector, Shard, holds, read, seal
from curate.signals import Documents, common, compute, registry
from curate.signals.cleaned import cleaners_in
from curate.signals.divergence import divergence
from curate.signals.plugins import ensure
from curate.signals.tokens import TokenCounter
from curate.signals.word_lists import listed
from curate.tables import TableWriter
from curate.text import clean_and_count

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.local import Local, Workers
    from curate.run import Run

_FOOTER = b"curate"


@functools.cache
def _counter(tokenizer: str) -> TokenCounter:
    return TokenCounter(tokenizer)


@dataclass(frozen=True)
class Measured:
    """What is known of a batch: row i of `signals` and of `sketches` is the same document as `cleaned` text i."""

    signals: pa.Table
    sketches: pa.Table
    cleaned: Strings = field(repr=False)


def measure_texts(texts: Any, ids: pa.Array | None, plan: Plan, references: References | None = None) -> Measured:
    """Clean and measure texts: signals (doc, id, then one column a signal) and sketches (doc, exact, bands…).

    `references` are the plan's distributions by name; without them the texts are their own corpus.
    """
    strings, removed = clean_and_count(texts, plan.clean, cleaners_in(plan.signals) & set(plan.clean))
    documents = Documents(strings, removed)
    columns: dict[str, Any] = dict(compute(documents, plan.signals))
    if plan.tokenizer:
        columns["token_count"] = _counter(plan.tokenizer).count(_pylist(strings))
    if plan.classifiers:
        wordless = documents.word_counts[:, 1] == 0
        for use in plan.classifiers:
            columns.update(classify(use, strings, wordless))
    for word_list in plan.word_lists:
        columns.update(listed(word_list, documents))
    if plan.distributions:
        learnt = references_of_texts(plan.distributions, strings, plan.clean) if references is None else references
        columns |= {use.name: divergence(learnt[use.name], documents) for use in plan.distributions}
    words = documents.words  # the signals have them already
    exact = text_hash_of_words(documents.strings, words.first, words.start, words.stop)
    ids = identify(ids, texts)
    doc = document_numbers(ids, exact)
    binary = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(exact), [None, pa.py_buffer(exact.tobytes())])
    sketches: dict[str, Any] = {"doc": doc, "exact": binary}
    if plan.minhash:
        made = sketch(strings, **dict(plan.minhash))
        sketches |= {
            **{f"band_{i}": keys for i, keys in enumerate(made.band_keys.T)},
            "signature": _fixed_list(made.signatures),
            "shingles": made.shingle_count,
            "short": _short(made, exact),
        }
    return Measured(pa.table({"doc": doc, "id": ids, **columns}), pa.table(sketches), strings)


def _short(made: Sketches, exact: npt.NDArray[np.uint64]) -> pa.Array:
    """Return what documents too short for a shingle are compared by: their words, or without words their text."""
    keys = np.where(made.shingle_count == 0, np.maximum(exact[:, 0], np.uint64(1)), made.short_keys)
    return pa.array(keys, mask=keys == 0)


def with_urls(sketches: pa.Table, plan: Plan, column: Callable[[str], pa.Array]) -> pa.Table:
    """Add the hashes of the URLs in the metadata columns that the plan names; `column` gives one by name."""
    for name in plan.urls:
        sketches = sketches.append_column(sketch_name(name), url_hashes(name, column(name)))
    return sketches


def sizes(strings: Strings, tokenizer: str | None, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return int64 (n, names): signals that are sizes, of texts that are clean, as `measure_texts` has them."""
    columns = compute(Documents(strings), names)
    if tokenizer and "token_count" in names:
        columns["token_count"] = _counter(tokenizer).count(_pylist(strings))
    return np.stack([columns[name] for name in names], axis=1)


def _pylist(strings: Strings) -> list[str]:
    from classifiers.arrow import to_array

    texts: list[str] = to_array(strings).to_pylist()
    return texts


def _fixed_list(values: npt.NDArray[Any]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def identify(ids: pa.Array | None, texts: Any) -> pa.Array:
    """Give documents without an id the 128-bit hash of their raw text, in hexadecimal: the same in every file."""
    if ids is not None and ids.null_count == 0:
        return ids
    raw = murmur3(as_strings(texts))
    made = pa.array([f"{high:016x}{low:016x}" for low, high in raw.tolist()], pa.large_string())
    return made if ids is None else pa.compute.coalesce(ids.cast(pa.large_string()), made)


def document_numbers(ids: pa.Array, exact: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return uint64 (n,): a hash of id and text that names a document wherever it is stored."""
    of_id = murmur3(as_strings(ids))
    doc: npt.NDArray[np.uint64] = of_id[:, 0] ^ (exact[:, 0] * np.uint64(0x9E3779B97F4A7C15))
    return doc


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
                TableWriter(self.run.sketches_file(shard), compression="none") as sketches,
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
            signals.close({_FOOTER: _footer(self.run, shard, key, counts, schema.schema)})
        return counts

    def _journal(self, shard: Shard, key: str) -> Journal:
        """Return where what is measured of a shard waits until all of it is; for a large file, on disk."""
        return Journal(self.run.path / "state" / f"measure-{shard.name}.journal", key, is_large(shard))

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


def _footer(run: Run, shard: Shard, key: str, counts: ShardCounts, schema: pa.Schema) -> bytes:
    facts = {
        "key": key,
        "counts": asdict(counts),
        "metadata": base64.b64encode(schema.serialize().to_pybytes()).decode(),
        "sketches": seal(run.sketches_file(shard)),
        "rejects": _seal_of_rejects(run, shard),
    }
    return json.dumps(facts).encode()


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
    footer = _read_footer(run.signals_file(shard))
    if not footer or key not in (None, footer["key"]):
        return None
    if not holds(run.sketches_file(shard), footer.get("sketches")):
        return None
    if footer.get("rejects") != _seal_of_rejects(run, shard):
        return None
    return ShardCounts(**footer["counts"])


def stored_metadata(run: Run, shard: Shard) -> pa.Schema:
    """Return the metadata columns that measuring found in a shard."""
    footer = _read_footer(run.signals_file(shard))
    if not footer:
        return pa.schema([])
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(footer["metadata"])))


def measure_run(
    run: Run,
    recipe: Recipe,
    engine: Local,
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
        for shard, counts in engine.run(task, run.shards):
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
        stage["files"] = run.seals("signals", "sketches", "rejects")


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


def measure(texts: Any, signals: Sequence[str] | None = None, recipe: Recipe | str | None = None) -> pl.DataFrame:
    """Measure texts in memory: one row a text, one column a signal.

    `texts`: strings (list, pyarrow, polars Series), or a polars DataFrame with a column "text" whose other
    columns are kept in front. `signals` names what to measure (classifiers by the shipped model's name:
    "language", "quality", "domain"); `recipe` measures what a recipe needs, after its cleaning. Default: the
    common ones, lengths, Gopher, FineWeb and C4, and your own. Raises RecipeError for an unknown signal.
    """
    import polars as pl

    if isinstance(signals, str) or (signals is not None and not all(isinstance(name, str) for name in signals)):
        raise InputError(f'signals is a list of names, such as ["word_count"], not {signals!r}')
    if recipe is not None and signals is not None:
        raise InputError("give signals or a recipe: a recipe names the signals itself")
    if recipe is not None:
        recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
        plan = Plan.of(recipe)
        check_known(recipe, plan.metadata, set(as_frame(texts).columns))
    else:
        plan = Plan.of_names(common() if signals is None else signals)
    frame = as_frame(texts)
    measured = pl.DataFrame(pl.from_arrow(measure_texts(frame["text"], None, plan).signals)).drop("doc", "id")
    taken = set(frame.columns) & set(measured.columns)
    if taken:
        raise InputError(
            f"the DataFrame has columns named after signals already: {', '.join(sorted(taken))}; rename them"
        )
    given = texts if isinstance(texts, pl.DataFrame | pl.LazyFrame) or hasattr(texts, "column_names") else None
    return measured if given is None else frame.hstack(measured)


def as_frame(texts: Any) -> pl.DataFrame:
    """Return texts (strings, or a table with a column "text") as a polars DataFrame; InputError for anything else."""
    import polars as pl

    if isinstance(texts, pl.LazyFrame):
        texts = texts.collect()
    elif isinstance(texts, pa.Table):
        texts = pl.DataFrame(pl.from_arrow(texts))
    if not isinstance(texts, pl.DataFrame):
        try:
            array = as_array(texts if hasattr(texts, "__len__") else list(texts))
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise InputError(f"cannot read the texts: {error}") from None
        return pl.DataFrame({"text": pl.from_arrow(array)}, schema={"text": pl.String})
    if "text" not in texts.columns:
        raise InputError(f'the DataFrame has no column "text" (it has: {", ".join(texts.columns) or "none"})')
    if texts["text"].dtype != pl.String:
        raise InputError(f'the column "text" holds {texts["text"].dtype}, not strings')
    return texts
