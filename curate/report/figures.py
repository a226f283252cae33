"""The numbers of the report, summed from signals and decisions on disk, shard by shard.

Checks that nothing was lost: what came in is what was kept, dropped, cut out or rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from curate.decide.cuts import SIZES, Cuts
from curate.errors import RunError
from curate.measure.stage import stored_counts
from curate.shards import Shard
from curate.tables import read_table

if TYPE_CHECKING:
    from curate.run import Run

COUNTS = ("documents", "bytes", "tokens")
Sums = npt.NDArray[np.int64]  # one value for each of COUNTS


def totals(sums: Sums) -> dict[str, int]:
    """Name the three sums."""
    return {name: int(value) for name, value in zip(COUNTS, sums, strict=True)}


class Figures:
    """Sums over documents: by step that dropped them, by domain and by source."""

    def __init__(self, steps: Sequence[dict[str, str]], trims: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.steps = list(steps)
        self.trims = trims or {}
        self.input = np.zeros(3, np.int64)
        self.kept = np.zeros(3, np.int64)
        self.written = np.zeros(3, np.int64)
        self.dropped = {step["name"]: np.zeros(3, np.int64) for step in steps}
        self.trimmed = {name: np.zeros(3, np.int64) for name in self.trims}  # part of what was dropped
        self.would_drop = dict.fromkeys(self.dropped, 0)
        self.drops_alone = dict.fromkeys(self.dropped, 0)
        self.domains: dict[str, Sums] = {}  # kept, then written
        self.sources: dict[str, dict[str, Sums]] = {}

    def add(self, run: Run, shard: Shard) -> None:
        """Add one shard; RunError where its signals and decisions do not belong together."""
        columns = ["doc", "byte_count", "token_count"]
        signals = read_table(run.signals_file(shard), columns)
        columns = ["doc", "dropped_by", "failed", "domain", "weight", "kept"]
        decisions = read_table(run.decisions_file(shard), columns)
        if not signals["doc"].equals(decisions["doc"]):
            raise RunError(
                f"shard {shard.name}: signals and decisions are of different documents; run: curate decide {run.path}"
            )
        sizes = np.stack(
            [
                np.ones(len(signals), np.int64),
                signals["byte_count"].to_numpy(),
                signals["token_count"].to_numpy(),
            ],
            axis=1,
        )
        weight = decisions["weight"].to_numpy()
        kept = decisions["kept"].to_numpy()
        source = self.sources.setdefault(
            shard.source, {"input": np.zeros(3, np.int64), "output": np.zeros(3, np.int64)}
        )
        self.input += sizes.sum(axis=0)
        source["input"] += sizes.sum(axis=0)
        sizes = self._trim(run, shard, sizes, source)
        self.kept += sizes[kept].sum(axis=0)
        self.written += (sizes * weight[:, None]).sum(axis=0)
        source["output"] += sizes[kept].sum(axis=0)
        for name, rows in _rows_by_value(decisions["dropped_by"]):
            self.dropped[name] += sizes[rows].sum(axis=0)
            dropped_by = source.setdefault(name, np.zeros(3, np.int64))
            dropped_by += sizes[rows].sum(axis=0)
        for name, rows in _rows_by_value(decisions["domain"]):
            sums = self.domains.setdefault(name, np.zeros(6, np.int64))
            sums[:3] += sizes[rows][kept[rows]].sum(axis=0)
            sums[3:] += (sizes[rows] * weight[rows][:, None]).sum(axis=0)
        self._add_failed(decisions["failed"])

    def _trim(self, run: Run, shard: Shard, sizes: Sums, source: dict[str, Sums]) -> Sums:
        """Count what each step cut from documents that it kept; return the sizes after all of them."""
        sizes = sizes.copy()
        for name, facts in self.trims.items():
            cuts = Cuts.of_step(run.path / facts["folder"], shard.name).staying()
            left = cuts.sizes[:, [SIZES.index("byte_count"), SIZES.index("token_count")]]
            lost = sizes[cuts.rows, 1:] - left
            sizes[cuts.rows, 1:] = left
            self.trimmed[name] += [np.count_nonzero(lost[:, 0]), *lost.sum(axis=0)]
            self.dropped[name][1:] += lost.sum(axis=0)
            source.setdefault(name, np.zeros(3, np.int64))[1:] += lost.sum(axis=0)
        return sizes

    def _add_failed(self, failed: Any) -> None:
        counts = failed.combine_chunks()
        lengths = np.diff(counts.offsets.to_numpy())
        names = counts.flatten()
        alone = np.repeat(lengths == 1, lengths)
        for name, rows in _rows_by_value(names):
            self.would_drop[name] += len(rows)
            self.drops_alone[name] += int(alone[rows].sum())

    def check(self) -> None:
        """Raise RunError unless documents, bytes and tokens add up, over all and for each source."""
        out = self.kept + sum(self.dropped.values(), np.zeros(3, np.int64))
        if not np.array_equal(self.input, out):
            raise RunError(f"lost documents: {totals(self.input)} came in, {totals(out)} were kept or dropped")
        for source, sums in self.sources.items():
            out = sum((value for name, value in sums.items() if name != "input"), np.zeros(3, np.int64))
            if not np.array_equal(sums["input"], out):
                raise RunError(
                    f"lost documents in source {source}: {totals(sums['input'])} came in, {totals(out)} went out"
                )

    def funnel(self) -> list[dict[str, Any]]:
        """Return the steps in order, with what entered and left each."""
        rows: list[dict[str, Any]] = []
        left = self.input.copy()
        for step in self.steps:
            before = left.copy()
            left = left - self.dropped[step["name"]]
            row: dict[str, Any] = {
                "name": step["name"],
                "kind": step["kind"],
                "dropped": int(before[0] - left[0]),
            }
            for number, unit in enumerate(COUNTS):
                row |= {f"{unit}_in": int(before[number]), f"{unit}_out": int(left[number])}
            if step["name"] in self.trimmed:
                row["trimmed"] = totals(self.trimmed[step["name"]])
            is_filter = step["kind"] == "filter"
            row["would_drop"] = self.would_drop[step["name"]] if is_filter else row["dropped"]
            row["drops_alone"] = self.drops_alone[step["name"]] if is_filter else None
            rows.append(row)
        return rows

    def mix(self, allocations: Sequence[dict[str, Any]], shares: dict[str, float]) -> list[dict[str, Any]]:
        """Return what each domain gives to the mix, and what it was asked for."""
        total = max(int(self.written[2]), 1)
        asked = {entry["domain"]: entry for entry in allocations}
        rows = []
        for domain in sorted({*self.domains, *shares}):
            sums = self.domains.get(domain, np.zeros(6, np.int64))
            if not sums.any() and domain not in shares:
                continue
            available = asked.get(domain, {}).get("available", int(sums[2]))
            rows.append({
                "domain": domain,
                "documents": int(sums[0]),
                "written_documents": int(sums[3]),
                "bytes": int(sums[4]),
                "tokens": int(sums[5]),
                "available_tokens": available,
                "share": int(sums[5]) / total,
                "target_share": shares.get(domain),
                "wanted_tokens": asked.get(domain, {}).get("wanted"),
                "epochs": int(sums[5]) / available if available else 0.0,
                "capped": asked.get(domain, {}).get("capped", False),
            })  # fmt: skip
        return rows

    def by_source(self, rejected: dict[str, int]) -> list[dict[str, Any]]:
        """Return what entered and was kept of each source, and what dropped the rest."""
        rows = []
        for source, sums in sorted(self.sources.items()):
            drops = {step["name"]: int(sums[step["name"]][0]) for step in self.steps if step["name"] in sums}
            retention = int(sums["output"][0]) / max(int(sums["input"][0]), 1)
            rows.append({
                "source": source,
                "input": totals(sums["input"]),
                "output": totals(sums["output"]),
                "rejected": rejected.get(source, 0),
                "retention": retention,
                "dropped": drops,
            })  # fmt: skip
        return rows


def _rows_by_value(column: Any) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """Return the rows of each value of a string column, nulls left out."""
    encoded = (column.combine_chunks() if hasattr(column, "combine_chunks") else column).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy()
    return [(name, np.flatnonzero(codes == code)) for code, name in enumerate(encoded.dictionary.to_pylist())]


def rejected(run: Run) -> tuple[dict[str, int], dict[str, int]]:
    """Return documents and bytes rejected in all, and documents by source."""
    total = {"documents": 0, "bytes": 0}
    by_source: dict[str, int] = {}
    for shard in run.measured:
        counts = stored_counts(run, shard)
        if counts and counts.rejected:
            total["documents"] += counts.rejected
            total["bytes"] += counts.rejected_bytes
            by_source[shard.source] = by_source.get(shard.source, 0) + counts.rejected
    return total, by_source
