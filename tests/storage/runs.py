"""Runs in a store and on a disk, compared byte by byte."""

from __future__ import annotations

import curate
from curate.storage import files_below
from tests.corpora import RECIPE

TRIMMED_AND_SHUFFLED = (
    RECIPE
    + """
[[steps]]
name = "lines"
dedup = "lines"
unit = "line"
more_than = 1

[mix]
shuffle = true
"""
)


def answers(run: curate.Run) -> dict[str, bytes]:
    """Return the decisions and the mix, byte by byte; names of shards have a hash of where the inputs are."""
    decisions = {f"{number}": run.decisions_file(shard).read_bytes() for number, shard in enumerate(run.measured)}
    return decisions | {run.name_of(path): path.read_bytes() for path in files_below(run.path / "mix")}
