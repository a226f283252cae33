"""Learn reference distributions: from a run's own corpus, from texts in memory, or from files.

One pass over the texts, which counts the words of a sample of them (`curate.measure.sampling`); what a divergence
from a reference is stands in `curate.signals.divergence`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import curate
from classifiers.arrow import Strings
from curate.engines.engine import Engine
from curate.engines.local import Local
from curate.errors import InputError, RecipeError
from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES
from curate.measure.sampling import Sample, sample_shards
from curate.recipe import Distribution, fingerprint
from curate.recipe.references import CORPUS
from curate.shards import ReadOptions, plan
from curate.signals.divergence import Reference
from curate.storage import Location, State, locate
from curate.tables import TableWriter, load_table, read_facts

if TYPE_CHECKING:
    from curate.run import Run

References = Mapping[str, Reference]

_STORED = pa.schema({"hash": pa.uint64(), "count": pa.int64()})


def references_of_run(
    run: Run, uses: Sequence[Distribution], cleaners: Sequence[str], engine: Engine, say: Callable[[str], None]
) -> References:
    """Return the distributions that a plan names, learnt or read back from `distributions/` of the run.

    An interrupted pass over the corpus goes on where it was. RecipeError for a reference that cannot be used.
    """
    return {use.name: _of_run(run, use, tuple(cleaners), engine, say) for use in uses}


def references_of_texts(uses: Sequence[Distribution], cleaned: Strings, cleaners: Sequence[str]) -> References:
    """Return distributions in memory: the texts are the corpus."""
    return {
        use.name: _reference(Sample.of_texts(cleaned, use.sample), use)
        if use.reference == CORPUS
        else _of_files(use, tuple(cleaners), Local())
        for use in uses
    }


def reference_state(use: Distribution) -> Any:
    """Return what tells that the files of a reference are these, sizes and modification times; None for the corpus."""
    if use.reference == CORPUS:
        return None
    try:
        shards = plan([use.reference])
    except InputError as error:
        raise _unusable(use, error) from None
    states = {path: locate(path).stat() for shard in shards for path in shard.paths}
    return [
        (path, state.st_size, state.version if isinstance(state, State) else state.st_mtime_ns)
        for path, state in states.items()
    ]


def digests(references: References) -> dict[str, str]:
    """Return a hash of each distribution."""
    return {
        name: fingerprint([found.words.tobytes().hex(), found.counts.tobytes().hex(), found.others])
        for name, found in references.items()
    }


def _of_run(
    run: Run, use: Distribution, cleaners: tuple[str, ...], engine: Engine, say: Callable[[str], None]
) -> Reference:
    file = run.path / "distributions" / f"{use.name}.parquet"
    inputs = run.manifest["inputs"]
    skip = bool(run.manifest["skip_bad_files"])
    key = fingerprint([curate.__version__, asdict(use), cleaners, reference_state(use), run.input_key(), skip])
    stored = _read(file, key)
    if stored is not None:
        return stored
    say(f"Learning the distribution {use.name}: one pass over its texts …")
    run.log(f"learning the distribution {use.name} from {use.reference}")
    if use.reference == CORPUS:
        options = ReadOptions(
            inputs["text_column"],
            inputs["id_column"],
            metadata=False,
            max_record_bytes=inputs.get("max_record_bytes", MAX_RECORD_BYTES),
            max_expansion=inputs.get("max_expansion", MAX_EXPANSION),
            skip_bad_files=skip,
        )
        state = run.path / "state" / f"{use.name}.sample.parquet"
        sample = sample_shards(run.shards, options, cleaners, use.sample, engine, state=state, key=key)
        learnt = _reference(sample, use)
        state.unlink(missing_ok=True)
    else:
        learnt = _of_files(use, cleaners, engine)
    file.parent.mkdir(exist_ok=True)
    with TableWriter(file) as table:
        table.write(pa.table({"hash": learnt.words, "count": learnt.counts}, schema=_STORED))
        table.close({"key": key, "others": learnt.others, "documents": learnt.documents})
    return learnt


def _reference(sample: Sample, use: Distribution) -> Reference:
    return Reference.of_words(sample.words, use.vocabulary, len(sample))


def _of_files(use: Distribution, cleaners: tuple[str, ...], engine: Engine) -> Reference:
    return _learnt(use, cleaners, json.dumps(reference_state(use)), engine.threads)


@functools.lru_cache(maxsize=8)
def _learnt(use: Distribution, cleaners: tuple[str, ...], state: str, threads: int) -> Reference:
    """Return the distribution of files; `state` is theirs."""
    stored = _read(Path(use.reference))
    if stored is not None:
        return stored
    options = ReadOptions(use.text_column, metadata=False)
    try:
        sample = sample_shards(plan([use.reference]), options, cleaners, use.sample, Local(threads))
    except InputError as error:
        raise _unusable(use, error) from None
    if not len(sample.words):
        raise RecipeError(f'distribution "{use.name}": {use.reference} holds no words')
    return _reference(sample, use)


def _unusable(use: Distribution, error: InputError) -> RecipeError:
    return RecipeError(f'distribution "{use.name}": {error}')


def _read(file: Location, key: str | None = None) -> Reference | None:
    """Return a stored distribution, None when there is none, or not with this key."""
    if not file.is_file() or file.suffix != ".parquet":
        return None
    facts = read_facts(file) or {}
    if not {"key", "others", "documents"} <= facts.keys() or key not in (None, facts["key"]):
        return None
    try:
        table = load_table(file)
    except (OSError, pa.ArrowException):
        return None  # cut short: whoever reads it says so
    words, counts = table["hash"].to_numpy(), table["count"].to_numpy()
    return Reference(words.astype(np.uint64), counts.astype(np.int64), facts["others"], facts["documents"])
