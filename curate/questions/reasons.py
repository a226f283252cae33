"""Why a predicate was met or not: the values of its columns beside the thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.predicates import columns_of, thresholds

_COMPARE = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
}


def reasons(sql: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of a predicate with their values, and the comparisons with numbers that they did not meet."""
    values = {column: row.get(f"signal:{column}", row.get(column)) for column in columns_of(sql)}
    unmet = {
        column: {"operator": operator, "threshold": number}
        for column, operator, number in thresholds(sql)
        if isinstance(values.get(column), int | float) and not _COMPARE[operator](values[column], number)
    }
    return [{"signal": column, "value": value, **unmet.get(column, {})} for column, value in values.items()]
