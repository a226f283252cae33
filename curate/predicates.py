"""SQL predicates over columns: which columns they name, the polars expression they mean, the thresholds in them.

Only expressions, never statements; evaluation is polars'.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from curate.errors import RecipeError

if TYPE_CHECKING:
    import polars as pl

COMPARISON = re.compile(r"\b([A-Za-z_]\w*)\s*(<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")
_BETWEEN = re.compile(r"\b([A-Za-z_]\w*)\s+BETWEEN\s+(-?[\d.]+)\s+AND\s+(-?[\d.]+)", re.IGNORECASE)


_QUOTED = re.compile(r"'(?:[^']|'')*'")
_AGGREGATE = re.compile(
    r"\b(?:COUNT|SUM|AVG|MEAN|MEDIAN|MIN|MAX|FIRST|LAST|FIRST_VALUE|LAST_VALUE|STDDEV\w*|STDEV|STRING_AGG|UNNEST|VAR|VARIANCE|QUANTILE_\w+|CORR|COVAR\w*|ROW_NUMBER|RANK"
    r"|DENSE_RANK|LAG|LEAD|ARRAY_AGG)\s*\(|\bOVER\b|\bSELECT\b",
    re.IGNORECASE,
)


@functools.cache
def expression(sql: str) -> pl.Expr:
    """Return the polars expression of an SQL predicate; RecipeError when it cannot be parsed."""
    import polars as pl

    whole = _AGGREGATE.search(_QUOTED.sub("", sql))
    if whole:
        raise RecipeError(
            f"cannot use {whole.group().strip(' (')} in `{sql}`: a predicate looks at one document at a time"
        )
    try:
        return pl.sql_expr(sql)
    except pl.exceptions.PolarsError as error:
        raise RecipeError(f"cannot read the predicate `{sql}`: {_first_line(error)}") from None


def decimals(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with its float32 columns as float64 of seven digits, which is what float32 can tell apart.

    A share of three in ten is 0.30000001 as float32; it has to meet `<= 0.3`.
    """
    import polars as pl
    import polars.selectors as cs

    return frame.with_columns(cs.by_dtype(pl.Float32).cast(pl.Float64).round_sig_figs(7))


def columns_of(sql: str) -> tuple[str, ...]:
    """Return the columns that a predicate names, sorted."""
    return tuple(sorted(set(expression(sql).meta.root_names())))


def thresholds(sql: str) -> list[tuple[str, str, float]]:
    """Return the comparisons with numbers in a predicate as (column, operator, number).

    >>> thresholds("word_count BETWEEN 50 AND 100000 AND quality > 0.5")
    [('word_count', '>=', 50.0), ('word_count', '<=', 100000.0), ('quality', '>', 0.5)]
    """
    found: list[tuple[str, str, float]] = []
    for column, low, high in _BETWEEN.findall(sql):
        found += [(column, ">=", float(low)), (column, "<=", float(high))]
    return found + [(column, op, float(number)) for column, op, number in COMPARISON.findall(sql)]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
