"""Whether documents meet a predicate of the recipe: SQL over their columns, evaluated by polars.

What the SQL of a predicate may be, and which columns it names, is in `curate.predicates`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curate.errors import RecipeError
from curate.predicates import columns_of, decimals, expression, thresholds

if TYPE_CHECKING:
    import polars as pl

Bools = npt.NDArray[np.bool_]


def evaluate(name: str, sql: str, frame: pl.DataFrame) -> Bools:
    """Return where a predicate is true; null counts as false. RecipeError when it does not fit the columns."""
    import polars as pl

    frame = decimals(frame.select(columns_of(sql)))
    for column, operator, number in thresholds(sql):
        if column in frame.columns and frame[column].dtype == pl.String:
            raise RecipeError(
                f'"{name}": `{column} {operator} {number:g}` compares a number with text: some values of {column} in '
                f"the inputs are strings; write CAST({column} AS DOUBLE) {operator} {number:g}"
            )
    try:
        met = frame.select(expression(sql).alias("met")).to_series()
        if met.dtype != pl.Boolean:
            raise RecipeError(f'"{name}": the predicate `{sql}` gives {met.dtype}, not true or false')
        if len(met) != len(frame):
            raise RecipeError(f'"{name}": the predicate `{sql}` must give one answer a document')
    except pl.exceptions.PolarsError as error:
        types = ", ".join(f"{column} {dtype}" for column, dtype in frame.schema.items())
        raise RecipeError(f'"{name}": cannot evaluate `{sql}` on {types}: {str(error).splitlines()[0]}') from None
    answer: Bools = met.fill_null(False).to_numpy()
    return answer
