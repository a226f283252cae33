"""The recipe that `curate dedup` runs: deduplication steps and nothing else, as TOML text that a run can store.

Checks nothing: reading the recipe does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def dedup_recipe(
    methods: Sequence[str],
    every: Mapping[str, Any],
    of_method: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return a recipe with one dedup step for each of `methods`, in their order; texts are written as they are.

    `every` holds keys of every step, `of_method` those of one method; None and () stand for the step's default.
    """
    lines = [
        'name = "dedup"',
        'description = "Duplicates removed, nothing else: made by curate dedup"',
        "clean = []  # texts are written as they came",
    ]
    for method in methods:
        step = {"dedup": method, **every, **of_method.get(method, {})}
        lines += ["", "[[steps]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in step.items() if value not in (None, ())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Return a string, number, truth value, list of strings or table of one number as TOML.

    >>> _toml({"containment": 0.9}), _toml(("a", "b")), _toml(False)
    ('{ containment = 0.9 }', '["a", "b"]', 'false')
    """
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
