"""Texts in memory, cleaned and measured: what a batch of a shard goes through, and `curate.measure` itself.

Reads and writes no files.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_array, as_strings
from curate.dedup.urls import sketch_name, url_hashes
from curate.errors import InputError
from curate.kernels.hashing import murmur3, text_hash_of_words
from curate.kernels.minhash import Sketches, sketch
from curate.measure.plan import Plan, check_known
from curate.measure.references import References, references_of_texts
from curate.measure.scores import classify
from curate.recipe import Recipe
from curate.shipped import local_copy
from curate.signals import Documents, common, compute
from curate.signals.cleaned import cleaners_in
from curate.signals.divergence import divergence
from curate.signals.tokens import TokenCounter
from curate.signals.word_lists import listed
from curate.text import clean_and_count

if TYPE_CHECKING:
    import polars as pl


@functools.cache
def _counter(tokenizer: str) -> TokenCounter:
    return TokenCounter(local_copy(tokenizer))


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
