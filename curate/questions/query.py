"""SQL over the signals and decisions of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from curate.errors import RunError

if TYPE_CHECKING:
    from curate.run import Run


def query(run: Run, sql: str) -> pl.DataFrame:
    """Answer an SQL SELECT over the tables `signals` and `decisions`; RunError says what is wrong with it."""
    try:
        with pl.SQLContext(signals=run.signals(), decisions=run.decisions()) as context:
            return context.execute(sql, eager=True)
    except pl.exceptions.PolarsError as error:
        raise RunError(
            f"cannot answer the query: {str(error).strip().splitlines()[0]} (tables: signals, decisions)"
        ) from None
