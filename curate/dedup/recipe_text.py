"""The recipe that `curate dedup` runs: deduplication steps and nothing else, as TOML text that a run can store.

Checks nothing: reading the recipe does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

METHODS = ("exact", "url", "minhash")
SHARED = ("keep", "within")  # keys that every method takes


def dedup_recipe(
    methods: Sequence[str] = ("exact", "minhash"),
    *,
    keep: str | None = None,
    within: Sequence[str] = (),
    keys: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return a recipe with one dedup step for each of `methods`, in their order; texts are written as they are.

    `keep` and `within` go to every step; `keys` holds further keys by method. None stands for the step's default.
    """
    lines = [
        'name = "dedup"',
        'description = "Duplicates removed, nothing else: made by curate dedup"',
        "clean = []  # texts are written as they came",
    ]
    for method in methods:
        step = {"dedup": method, "keep": keep, "within": list(within) or None, **((keys or {}).get(method, {}))}
        lines += ["", "[[steps]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in step.items() if value is not None]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Return a string, number, truth value or list of strings as TOML, which writes these as JSON does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
