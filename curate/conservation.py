"""What came in went out: checked for every shard when a stage ends, against the files that the stage left.

In documents, bytes and tokens. The sums over steps, domains and sources are the report's (`curate.report.figures`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from curate.errors import RunError
from curate.shards import Shard
from curate.tables import read_footer, read_table

if TYPE_CHECKING:
    from curate.measure.stored import ShardCounts
    from curate.run import Run

UNITS = ("documents", "bytes", "tokens")
_SIZES = ("byte_count", "token_count")
_AGAIN = "its files were deleted; run curate corpus again: it measures this shard again"


def check_measured(run: Run, shard: Shard, counts: ShardCounts) -> None:
    """Raise RunError, naming the shard, unless its signals, sketches and rejects hold what measuring counted."""
    signals = read_table(run.signals_file(shard), ["byte_count", "token_count"])
    rejects = run.rejects_file(shard)
    rejected = 0
    if rejects.is_file():
        with rejects.open("rb") as lines:
            rejected = sum(1 for _ in lines)
    counted = {
        "documents": counts.documents,
        "bytes": counts.bytes,
        "tokens": counts.tokens,
        "sketches": counts.documents,
        "rejected": counts.rejected,
    }
    there = {
        "documents": len(signals),
        "bytes": _sum(signals["byte_count"]),
        "tokens": _sum(signals["token_count"]),
        "sketches": read_footer(run.sketches_file(shard)).num_rows,
        "rejected": rejected,
    }
    if there != counted:
        for file in (run.signals_file(shard), run.sketches_file(shard)):
            file.unlink(missing_ok=True)
        raise RunError(f"shard {shard.name}: {_difference(counted, there, 'were counted', 'are on disk')}; {_AGAIN}")


def check_decided(run: Run, shard: Shard) -> None:
    """Raise RunError, naming the shard, unless each measured document is either kept or dropped by one step."""
    signals = read_table(run.signals_file(shard), ["doc", "byte_count", "token_count"])
    decisions = read_table(run.decisions_file(shard), ["doc", "kept", "dropped_by", "weight"])
    if not signals["doc"].equals(decisions["doc"]):
        raise RunError(
            f"shard {shard.name}: signals and decisions are of different documents; run: curate decide {run.path}"
        )
    kept = decisions["kept"].to_numpy()
    dropped = decisions["dropped_by"].is_valid().to_numpy()
    weight = decisions["weight"].to_numpy()
    sizes = np.stack([np.ones(len(signals), np.int64), *(signals[name].to_numpy() for name in _SIZES)], axis=1)
    given = dict(zip(UNITS, sizes.sum(axis=0).tolist(), strict=True))
    went = dict(zip(UNITS, (sizes[kept].sum(axis=0) + sizes[dropped].sum(axis=0)).tolist(), strict=True))
    if given != went:
        raise RunError(f"shard {shard.name}: {_difference(given, went, 'came in', 'were kept or dropped')}")
    odd = np.flatnonzero((kept == dropped) | (kept != (weight > 0)) | (weight < 0))
    if len(odd):
        raise RunError(f"shard {shard.name}: {len(odd):,} documents are both kept and dropped, such as row {odd[0]}")


def check_written(shard: Shard, asked: Mapping[str, int], written: Mapping[str, int]) -> None:
    """Raise RunError, naming the shard, unless the mix has what was decided of it."""
    if dict(asked) != dict(written):
        raise RunError(
            f"shard {shard.name}: {_difference(asked, written, 'were decided on', 'were written')}; "
            f"has {shard.paths[0]} changed since it was measured? Run curate corpus again"
        )


def _difference(one: Mapping[str, Any], other: Mapping[str, Any], did: str, does: str) -> str:
    """Say which counts differ, and how."""
    units = [unit for unit in one if one[unit] != other[unit]]
    return ", ".join(f"{one[unit]:,} {unit} {did}, {other[unit]:,} {does}" for unit in units)


def _sum(column: Any) -> int:
    return int(pc.sum(column).as_py() or 0)
