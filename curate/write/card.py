"""The dataset card of a mix: `README.md` of the run, with the YAML header that hubs read.

Says what the run knows: files, sizes, languages, how it was made. Licence and purpose are left to the user.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

import curate
from curate.recipe import Recipe
from curate.tables import read_frame, read_schema, read_table

if TYPE_CHECKING:
    from curate.run import Run

_SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"), (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)  # fmt: skip
_SMALLEST_LANGUAGE = 0.001  # of the documents: a language identifier is wrong about that often


def card(run: Run, recipe: Recipe, folders: Sequence[str], format: str) -> str:
    """Return the dataset card; `folders` are those of the mix, one a class; empty for a shuffled mix."""
    documents = run.stage("write")["documents"]
    total = sum(documents.values())
    header = [
        "---",
        "license: other  # say under which licence, or licences, the documents are",
        f"language: {json.dumps(languages(run))}",
        'task_categories: ["text-generation"]',
        f"size_categories: {json.dumps([size_category(total)])}",
        "configs:",
        *_config("default", f"mix/*/*.{format}"),
        *(line for folder in folders for line in _config(folder, f"mix/{folder}/*.{format}")),
        "---",
    ]
    tokens = sum(entry["tokens"] for entry in run.stage("decide")["mix"])
    rows = [
        f"| {_cell(entry['domain'])} | {documents.get(entry['domain'], 0):,} | {round(entry['tokens']):,} "
        f"| {entry['tokens'] / tokens:.1%} | {entry['tokens'] / max(entry['available'], 1):.2f} |"
        for entry in run.stage("decide")["mix"]
        if entry["tokens"]
    ]
    sources = ", ".join(f"`{source}`" for source in sorted({_cell(shard.source) for shard in run.measured}))
    body = [
        f"# Training mix made with the recipe {recipe.name}",
        f"{total:,} documents, about {round(tokens):,} tokens, from the sources {sources}.",
        f"Made by curate {curate.__version__}: {recipe.description or 'see the recipe'}.",
        "## Composition\n\n| class | documents | tokens | share | epochs |\n|---|---|---|---|---|\n" + "\n".join(rows),
        "## Recipe\n\n```toml\n" + recipe.text.strip() + "\n```",
        *([f"With other keys in [mix]: `{json.dumps(recipe.changes)}`"] if recipe.changes else []),
        "## To be said by whoever publishes it\n\nWhere the documents come from and under which licence; personal "
        "data in them; what the mix is for, and what it is not for.",
    ]
    return "\n".join(header) + "\n" + "\n\n".join(body) + "\n"


def _config(name: str, files: str) -> list[str]:
    return [f"- config_name: {json.dumps(name)}", f"  data_files: {json.dumps(files)}"]


def _cell(text: str) -> str:
    """Return a text of the corpus as it can stand in a Markdown table: nothing that a renderer would obey."""
    return "".join(ch if ch.isalnum() or ch in " ._-/" else "·" for ch in text)


def size_category(documents: int) -> str:
    """Return the hub's category for a number of documents.

    >>> size_category(24_142)
    '10K<n<100K'
    """
    return next((name for bound, name in _SIZES if documents < bound), "n>1T")


def languages(run: Run) -> list[str]:
    """Return the languages of the mix by number of documents, the largest first; empty when they were not measured."""
    found: dict[str, int] = {}
    for shard in run.measured:
        file = run.signals_file(shard)
        if "language" not in read_schema(file).names:
            continue
        weight: Any = read_table(run.decisions_file(shard), ["weight"])["weight"]
        column = read_frame(file, ["language"])["language"]
        counts: Any = column.cast(pl.String).filter(pl.Series(np.asarray(weight) > 0)).drop_nulls().value_counts()
        for language, count in counts.iter_rows():
            found[language] = found.get(language, 0) + count
    least = _SMALLEST_LANGUAGE * sum(found.values())
    return sorted((name for name, count in found.items() if count >= least), key=lambda name: (-found[name], name))
