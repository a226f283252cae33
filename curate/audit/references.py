"""Reference texts: what a model of a mix is asked to predict, and files of questions with their answers.

A sample by the hash of the text where there is more than an audit needs. Trains and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.errors import InputError
from curate.kernels.hashing import text_hash
from curate.shards import ReadOptions, plan, read

MOST_BYTES = 1_000_000  # of a reference: intervals say whether that is enough
LONGEST = 16_000  # bytes of a document that are read, so that no long one is the reference

Paths = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Reference:
    """Texts to predict. `source`: the run's source that they were held out of, None for files."""

    name: str
    texts: Strings
    source: str | None = None


def read_references(
    given: Mapping[str, Paths], text_column: str = "text", most_bytes: int = MOST_BYTES
) -> list[Reference]:
    """Return a sample of each reference, by name; InputError for one that cannot be read or holds no text."""
    return [
        Reference(name, _read(name, paths, "--reference", text_column, most_bytes)) for name, paths in given.items()
    ]


def read_corpora(given: Mapping[str, Paths], most_bytes: int, text_column: str = "text") -> dict[str, Strings]:
    """Return texts of corpora that other tools made, a sample of about `most_bytes` of each, whole documents."""
    return {name: _read(name, paths, "--corpus", text_column, most_bytes, None) for name, paths in given.items()}


def _read(
    name: str,
    paths: Paths,
    option: str,
    text_column: str,
    most_bytes: int = MOST_BYTES,
    longest: int | None = LONGEST,
) -> Strings:
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    held, keys = pa.array([], pa.large_string()), np.zeros(0, np.uint64)
    for shard in plan(several):
        for batch in read(shard, ReadOptions(text_column, metadata=False), on_reject=lambda reject: None):
            texts = batch.texts if longest is None else to_array(beginnings(as_strings(batch.texts), longest))
            held = pa.concat_arrays([held, texts])
            keys = np.concatenate([keys, text_hash(as_strings(batch.texts))[:, 0]])
            held, keys = smallest(held, keys, most_bytes)
    if not as_strings(held).nbytes:
        raise InputError(f"{option} {name}: no text in {', '.join(map(str, several))}; name files with documents")
    return as_strings(held)


def smallest(texts: Any, keys: Any, most_bytes: int) -> tuple[Any, Any]:
    """Return the texts with the smallest keys, in the order of these, as many as fit; equal texts once."""
    keys, first = np.unique(keys, return_index=True)
    lengths = np.diff(as_strings(texts).offsets)[first]
    fit = max(1, int(np.searchsorted(np.cumsum(lengths), most_bytes, side="right")))
    return texts.take(pa.array(first[:fit])), keys[:fit]


def beginnings(texts: Strings, size: int) -> Strings:
    """Return the first bytes of each text, at most `size`, cut between characters."""
    start = texts.offsets[:-1]
    stop = np.minimum(texts.offsets[1:], start + size)
    inside = np.flatnonzero(stop < texts.offsets[1:])
    for _ in range(3):  # a character has at most three bytes that continue it
        moved = inside[(texts.data[stop[inside]] & 0xC0) == 0x80]
        stop[moved] -= 1
    lengths = stop - start
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    at = np.repeat(start - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Strings(texts.data[at], offsets)
