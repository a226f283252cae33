"""Checked access to the tables of a recipe: every key known, every value of the right type.

What a wrong key was meant to be is said in the error, and where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.errors import RecipeError, did_you_mean

_TYPES: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


class Place:
    """Where in a recipe we are, for messages, with checked access to the table found there."""

    def __init__(self, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        self.where, self.table = where, table
        for key in table:
            if key not in known:
                raise RecipeError(f'{where}: unknown key "{key}"{did_you_mean(key, known)} (known: {", ".join(known)})')

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        value = self.table.get(key, default)
        if value is None or value is default:
            return value
        number = kind is float and isinstance(value, int) and not isinstance(value, bool)
        if not number and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise RecipeError(f"{self.where}: {key} must be {_TYPES[kind]}, not {value!r}")
        return float(value) if number else value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.get(key, list, [])
        if not all(isinstance(item, str) for item in value):
            raise RecipeError(f"{self.where}: {key} must be a list of strings, not {value!r}")
        return tuple(value)

    def fail(self, problem: str) -> RecipeError:
        return RecipeError(f"{self.where}: {problem}")
