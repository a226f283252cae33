"""Stage 1: read every shard once, clean its texts, write signals and sketches, one row a document.

The only stage that computes on all of the text. Which documents are kept is not known here.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import classifiers
from classifiers.arrow import Strings, as_strings
from curate.errors import InputError, RecipeError, did_you_mean
from curate.kernels.hashing import murmur3, text_hash
from curate.kernels.minhash import sketch
from curate.recipe import ClassifierUse, Dedup, Recipe, fingerprint
from curate.shards import Batch, ReadOptions, RejectWriter, SchemaCollector, Shard, read
from curate.tables import TableWriter
from curate.signals import Documents, compute, registry
from curate.signals.tokens import TokenCounter
from curate.text import clean

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.local import Local, Workers
    from curate.run import Run

BASE_COLUMNS = ("doc", "id", "source", "shard", "row")
ALWAYS = ("byte_count", "char_count", "token_count")  # what every report counts in
_FOOTER = b"curate"


@dataclass(frozen=True)
class Plan:
    """What to measure: cleaners, signals by name, classifiers, sketch parameters, metadata columns."""

    clean: tuple[str, ...] = ()
    signals: tuple[str, ...] = ALWAYS
    classifiers: tuple[ClassifierUse, ...] = ()
    minhash: tuple[tuple[str, int], ...] | None = None  # ngram, bands, rows, seed
    metadata: tuple[str, ...] = ()
    tokenizer: str | None = None

    @staticmethod
    def of(recipe: Recipe, tokenizer: str | None = None) -> Plan:
        """Return what a recipe needs: the columns that its steps name decide which signals are measured.

        Columns that are no signal are taken for metadata; `check_metadata` finds out whether they exist.
        """
        outputs = {column: use for use in recipe.classifiers for column in classifier_columns(use)}
        wanted = recipe.columns
        minhash = {_sketch_parameters(step) for step in recipe.dedups("minhash")}
        if len(minhash) > 1:
            raise RecipeError(f'recipe "{recipe.name}": its minhash steps need the same ngram, bands, rows and seed')
        known = {*registry(), *outputs, *BASE_COLUMNS}
        return Plan(
            clean=recipe.clean,
            signals=tuple(name for name in registry() if name in wanted or name in ALWAYS),
            classifiers=tuple(dict.fromkeys(use for column, use in outputs.items() if column in wanted)),
            minhash=minhash.pop() if minhash else None,
            metadata=tuple(sorted(wanted - known)),
            tokenizer=tokenizer,
        )

    def key(self) -> str:
        """Return a hash of everything that the output of measure depends on, inputs aside."""
        models = [(use.signal, _digest(_model(use.model).path), use.label) for use in self.classifiers]
        return fingerprint([self.clean, self.signals, models, self.minhash, self.metadata, self.tokenizer, 1])

    def covers(self, other: Plan) -> bool:
        """Tell whether output measured for this plan serves the other one too."""
        return (
            (self.clean, self.tokenizer) == (other.clean, other.tokenizer)
            and set(other.signals) <= set(self.signals)
            and set(other.classifiers) <= set(self.classifiers)
            and set(other.metadata) <= set(self.metadata)
            and other.minhash in (None, self.minhash)
        )


def _sketch_parameters(step: Dedup) -> tuple[tuple[str, int], ...]:
    return (("ngram", step.ngram), ("bands", step.bands), ("rows", step.rows), ("seed", step.seed))


@functools.cache
def _model(name: str) -> Any:
    try:
        return classifiers.load(name)
    except classifiers.ClassifierError as error:
        raise RecipeError(str(error)) from None


@functools.cache
def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def classifier_columns(use: ClassifierUse) -> tuple[str, ...]:
    """Return the columns that a classifier fills: one score, or the best label and its score."""
    model = _model(use.model)
    if use.label is not None and use.label not in model.labels:
        raise RecipeError(f'classifier "{use.signal}": {use.model} has no label "{use.label}"{did_you_mean(use.label, model.labels)}')  # fmt: skip
    return (use.signal,) if use.label or model.positive else (use.signal, f"{use.signal}_score")


def _classify(use: ClassifierUse, strings: Strings) -> dict[str, Any]:
    model = _model(use.model)
    label = use.label or model.positive
    if label:
        return {use.signal: model.score(strings, label)}
    codes, scores = model.predict_codes(strings)
    known = pa.array(codes, mask=codes < 0)
    labels = pa.DictionaryArray.from_arrays(known, pa.array(model.labels)).cast(pa.string())
    return {use.signal: labels, f"{use.signal}_score": scores}


@functools.cache
def _counter(tokenizer: str) -> TokenCounter:
    return TokenCounter(tokenizer)


@dataclass(frozen=True)
class Measured:
    """What is known of a batch: row i of `signals` and of `sketches` is the same document as `cleaned` text i."""

    signals: pa.Table
    sketches: pa.Table
    cleaned: Strings = field(repr=False)


def measure_texts(texts: Any, ids: pa.Array | None, plan: Plan) -> Measured:
    """Clean and measure texts: signals (doc, id, then one column a signal) and sketches (doc, exact, bands…)."""
    strings = clean(texts, plan.clean)
    documents = Documents(strings)
    columns: dict[str, Any] = dict(compute(documents, plan.signals))
    if plan.tokenizer:
        columns["token_count"] = _counter(plan.tokenizer).count(_pylist(strings))
    for use in plan.classifiers:
        columns.update(_classify(use, strings))
    exact = text_hash(strings)
    ids = _identify(ids, texts)
    doc = document_numbers(ids, exact)
    binary = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(exact), [None, pa.py_buffer(exact.tobytes())])
    sketches: dict[str, Any] = {"doc": doc, "exact": binary}
    if plan.minhash:
        made = sketch(strings, **dict(plan.minhash))
        sketches |= {
            **{f"band_{i}": keys for i, keys in enumerate(made.band_keys.T)},
            "signature": _fixed_list(made.signatures),
            "shingles": made.shingle_count,
        }
    return Measured(pa.table({"doc": doc, "id": ids, **columns}), pa.table(sketches), strings)


def _pylist(strings: Strings) -> list[str]:
    from classifiers.arrow import to_array

    texts: list[str] = to_array(strings).to_pylist()
    return texts


def _fixed_list(values: npt.NDArray[Any]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def _identify(ids: pa.Array | None, texts: Any) -> pa.Array:
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

    def __call__(self, shard: Shard, workers: Workers) -> ShardCounts:
        """Measure a shard unless its output is there already."""
        stored = stored_counts(self.run, shard, self.key)
        if stored is not None:
            return stored
        try:
            return self._measure(shard, workers)
        except InputError as error:
            if not self.options.skip_bad_files:
                raise
            return ShardCounts(skipped=str(error))

    def _measure(self, shard: Shard, workers: Workers) -> ShardCounts:
        counts = ShardCounts()
        schema = SchemaCollector()
        with TableWriter(self.run.signals_file(shard)) as signals:
            with (
                TableWriter(self.run.sketches_file(shard), compression="none") as sketches,
                RejectWriter(self.run.rejects_file(shard)) as rejects,
            ):
                batches = self._counted(counts, read(shard, self.options, on_reject=rejects, collector=schema))
                for measured in workers.map(functools.partial(measure_batch, shard=shard, plan=self.plan), batches):
                    counts.documents += len(measured.signals)
                    counts.bytes += int(measured.signals["byte_count"].to_numpy().sum())
                    signals.write(measured.signals)
                    sketches.write(measured.sketches)
                if not counts.documents:
                    empty = measure_batch(_no_documents(), shard=shard, plan=self.plan)
                    signals.write(empty.signals)
                    sketches.write(empty.sketches)
            counts.rejected, counts.rejected_bytes = rejects.documents, rejects.bytes
            # Signals come last, and their footer says what the shard held: once they are there it is done.
            signals.close({_FOOTER: _footer(self.key, counts, schema.schema)})
        return counts

    def _counted(self, counts: ShardCounts, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            counts.raw_bytes += batch.text_bytes
            yield batch


def measure_batch(batch: Batch, *, shard: Shard, plan: Plan) -> Measured:
    """Measure a batch of a shard: adds source, shard and row, and the metadata columns that the plan names."""
    measured = measure_texts(batch.texts, batch.ids, plan)
    signals = measured.signals
    n = len(signals)
    base = {"source": _constant(shard.source, n), "shard": _constant(shard.name, n), "row": pa.array(batch.rows)}
    for position, (name, column) in enumerate(base.items(), 2):
        signals = signals.add_column(position, name, column)
    for name in plan.metadata:
        signals = signals.append_column(name, _metadata_column(batch, name))
    return Measured(signals, measured.sketches, measured.cleaned)


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
    return ReadOptions(inputs["text_column"], inputs["id_column"], metadata, skip_bad_files=inputs["skip_bad_files"])


def _footer(key: str, counts: ShardCounts, schema: pa.Schema) -> bytes:
    kept = base64.b64encode(schema.serialize().to_pybytes()).decode()
    return json.dumps({"key": key, "counts": asdict(counts), "metadata": kept}).encode()


def _read_footer(path: Path) -> dict[str, Any] | None:
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    return json.loads(metadata[_FOOTER]) if _FOOTER in metadata else None


def stored_counts(run: Run, shard: Shard, key: str) -> ShardCounts | None:
    """Return the counts of a shard that was measured with this key, or None when it has to be measured."""
    footer = _read_footer(run.signals_file(shard))
    return ShardCounts(**footer["counts"]) if footer and footer["key"] == key else None


def stored_metadata(run: Run, shard: Shard) -> pa.Schema:
    """Return the metadata columns that measuring found in a shard."""
    footer = _read_footer(run.signals_file(shard))
    if not footer:
        return pa.schema([])
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(footer["metadata"])))


def measure_run(run: Run, recipe: Recipe, engine: Local, advance: Callable[[int], None]) -> None:
    """Measure every shard of a run for a recipe; shards that are done are left alone.

    `advance` is told the bytes of input as shards finish. Raises InputError for a file that cannot be read,
    unless the run skips bad files: then the manifest lists it under the stage's `skipped`; RecipeError for a
    recipe that names what is neither a signal nor a metadata column.
    """
    plan = Plan.of(recipe, run.manifest["inputs"]["tokenizer"])
    stage = run.stage("measure")
    if stage.get("plan"):
        before = plan_from_json(stage["plan"])
        if before.covers(plan):
            plan = before
    key = plan.key()
    if run.is_done("measure", key):
        return
    if "recipe" not in run.manifest:
        run.set_recipe(recipe)
    options = read_options(run, plan.metadata)
    _check_early(recipe, plan, run.shards, options)
    for folder in ("signals", "sketches", "rejects"):
        (run.path / folder).mkdir(exist_ok=True)
    with run.doing("measure", key, plan=asdict(plan)) as stage:
        task = MeasureShard(run, plan, options, key)
        total = ShardCounts()
        skipped: dict[str, str] = {}
        for shard, counts in engine.run(task, run.shards):
            advance(shard.bytes)
            if counts.skipped:
                skipped[shard.name] = counts.skipped
                _forget(run, shard)
            total.documents += counts.documents
            total.raw_bytes += counts.raw_bytes
            total.bytes += counts.bytes
            total.rejected += counts.rejected
            total.rejected_bytes += counts.rejected_bytes
        check_metadata(run, recipe, plan)
        stage["counts"] = asdict(total)
        stage["skipped"] = dict(sorted(skipped.items()))


def _forget(run: Run, shard: Shard) -> None:
    """Remove what an earlier run stored of a shard that can no longer be read."""
    for path in (run.signals_file(shard), run.sketches_file(shard), run.rejects_file(shard)):
        path.unlink(missing_ok=True)


def plan_from_json(stored: dict[str, Any]) -> Plan:
    """Rebuild a Plan from the manifest."""
    minhash = stored["minhash"]
    return Plan(
        clean=tuple(stored["clean"]),
        signals=tuple(stored["signals"]),
        classifiers=tuple(ClassifierUse(**use) for use in stored["classifiers"]),
        minhash=None if minhash is None else tuple((name, value) for name, value in minhash),
        metadata=tuple(stored["metadata"]),
        tokenizer=stored["tokenizer"],
    )


def check_metadata(run: Run, recipe: Recipe, plan: Plan) -> None:
    """Raise RecipeError when a recipe names a column that is neither a signal nor in any input."""
    if not plan.metadata:
        return
    found = {name for shard in run.measured for name in stored_metadata(run, shard).names}
    check_known(recipe, plan.metadata, found)


def check_known(recipe: Recipe, wanted: Sequence[str], found: set[str]) -> None:
    """Raise RecipeError when one of the columns `wanted` is neither a signal nor among those `found`."""
    outputs = {column for use in recipe.classifiers for column in classifier_columns(use)}
    known = {*registry(), *outputs, *BASE_COLUMNS, *found}
    for name in wanted:
        if name not in known:
            users = [step.name for step in recipe.steps if name in step.columns] or ["mix"]
            raise RecipeError(
                f'recipe "{recipe.name}", "{users[0]}": unknown signal "{name}"{did_you_mean(name, known)} '
                f"(curate signals lists all; metadata columns of the inputs: {', '.join(sorted(found)) or 'none'})"
            )


def _check_early(recipe: Recipe, plan: Plan, shards: Sequence[Shard], options: ReadOptions) -> None:
    """Look at the first batch of each source, so that a misspelt signal is reported before hours of measuring."""
    if not plan.metadata:
        return
    found: set[str] = set()
    seen: set[str] = set()
    for shard in shards:
        if shard.source in seen:
            continue
        seen.add(shard.source)
        for batch in read(shard, options, on_reject=lambda reject: None):
            found.update(batch.metadata.column_names)
            break
    check_known(recipe, plan.metadata, found)


def measure(texts: Any, signals: Sequence[str] | None = None, recipe: Recipe | str | None = None) -> pl.DataFrame:
    """Measure texts in memory: one row a text, one column a signal.

    `texts`: strings (list, pyarrow, polars Series), or a polars DataFrame with a column "text" whose other
    columns are kept in front. `signals` names what to measure (classifiers by the shipped model's name:
    "language", "quality", "domain"); `recipe` measures what a recipe needs, after its cleaning. Default: every
    signal that needs no model. Raises RecipeError for an unknown signal.
    """
    import polars as pl

    frame = texts if isinstance(texts, pl.DataFrame) else None
    column = frame["text"] if frame is not None else texts
    if recipe is not None:
        plan = Plan.of(recipe if isinstance(recipe, Recipe) else Recipe.load(recipe))
    else:
        plan = _plan_of_names(list(registry()) if signals is None else signals)
    measured = pl.DataFrame(pl.from_arrow(measure_texts(column, None, plan).signals)).drop("doc", "id")
    if recipe is None and signals is not None:
        measured = measured.select(column for column in measured.columns if _asked_for(column, signals))
    return measured if frame is None else frame.hstack(measured)


def _asked_for(column: str, names: Sequence[str]) -> bool:
    return column in names or (column.endswith("_score") and column.removesuffix("_score") in names)


def _plan_of_names(names: Sequence[str]) -> Plan:
    shipped = classifiers.shipped()
    for name in names:
        base = name.removesuffix("_score")
        if name not in registry() and base not in shipped:
            known = [*registry(), *shipped]
            raise RecipeError(f'unknown signal "{name}"{did_you_mean(name, known)} (curate signals lists all)')
    wanted = [name.removesuffix("_score") for name in names if name not in registry()]
    uses = tuple(ClassifierUse(name, name) for name in dict.fromkeys(wanted))
    return Plan(signals=tuple(name for name in registry() if name in names), classifiers=uses)
