"""The numbers of the report, summed from signals and decisions on disk, shard by shard, by tasks.

Checks that nothing was lost: what came in is what was kept, dropped, cut out or rejected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from curate.decide.cuts import SIZES, Cuts
from curate.engines.bundles import in_words
from curate.errors import RunError
from curate.measure.stored import ShardCounts, stored_counts
from curate.report.account import COUNTS, Account, Sums, add, add_all, none, totals
from curate.report.breakdowns import Languages, Lengths
from curate.report.overlap import Overlap
from curate.shards import Shard
from curate.tables import read_schema, read_table

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.run import Run

MOST_OF_A_SOURCE = 0.5  # of its documents; a filter that fails more is flagged
MOST_DOMAINS = 100  # of a source, in the report
FEW = 20  # documents of a source of which to lose most is no news


class Figures:
    """Sums over documents: by step that dropped them, by domain, by source, by length and by language."""

    def __init__(self, steps: Sequence[dict[str, str]], trims: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.steps = list(steps)
        self.trims = trims or {}
        self.all = Account(lost={step["name"]: none() for step in steps})
        self.written = none()
        self.rejected_bytes = 0
        self.trimmed = {name: none() for name in self.trims}  # part of what was lost
        self.drops_alone = {step["name"]: 0 for step in steps}
        self.domains: dict[str, Sums] = {}  # kept, then written
        self.sources: dict[str, Account] = {}
        self.overlap = Overlap([step["name"] for step in steps if step["kind"] == "filter"])
        self.lengths = Lengths()
        self.languages = Languages()

    def add(self, run: Run, shard: Shard) -> None:
        """Add one shard; RunError where its signals and decisions do not belong together."""
        language = Languages.choose(read_schema(run.signals_file(shard)))
        columns = ["doc", "byte_count", "token_count", *([language] if language else [])]
        signals = read_table(run.signals_file(shard), columns)
        columns = ["doc", "dropped_by", "failed", "domain", "weight", "kept"]
        decisions = read_table(run.decisions_file(shard), columns)
        if not signals["doc"].equals(decisions["doc"]):
            raise RunError(
                f"shard {shard.name}: signals and decisions are of different documents; run: curate decide {run.path}"
            )
        ones = np.ones(len(signals), np.int64)
        before = np.stack([ones, signals["byte_count"].to_numpy(), signals["token_count"].to_numpy()], axis=1)
        weight, kept = decisions["weight"].to_numpy(), decisions["kept"].to_numpy()
        accounts = (self.all, self.sources.setdefault(shard.source, Account()))
        for account in accounts:
            account.input += before.sum(axis=0)
        after = self._trim(run, shard, before, accounts)
        self.written += (after * weight[:, None]).sum(axis=0)
        for account in accounts:
            account.output += after[kept].sum(axis=0)
        for name, rows in _rows_by_value(decisions["dropped_by"]):
            for account in accounts:
                add(account.lost, name, after[rows].sum(axis=0))
        for name, rows in _rows_by_value(decisions["domain"]):
            of_kept = after[rows][kept[rows]].sum(axis=0)
            add(self.domains, name, np.r_[of_kept, (after[rows] * weight[rows][:, None]).sum(axis=0)])
            add(accounts[1].domains, name, of_kept)
        self._add_failed(decisions["failed"], accounts)
        self._add_rejected(stored_counts(run, shard), accounts)
        self.lengths.add(before[:, 2], after[:, 2], kept)
        if language:
            self.languages.add(language, signals[language], before, after, kept, weight)

    def _trim(self, run: Run, shard: Shard, sizes: Sums, accounts: Sequence[Account]) -> Sums:
        """Count what each step cut from documents that it kept; return the sizes after all of them."""
        sizes = sizes.copy()
        for name, facts in self.trims.items():
            cuts = Cuts.of_step(run.path / facts["folder"], shard.name).staying()
            left = cuts.sizes[:, [SIZES.index("byte_count"), SIZES.index("token_count")]]
            lost = sizes[cuts.rows, 1:] - left
            sizes[cuts.rows, 1:] = left
            self.trimmed[name] += [np.count_nonzero(lost[:, 0]), *lost.sum(axis=0)]
            for account in accounts:
                add(account.lost, name, np.r_[0, lost.sum(axis=0)])
        return sizes

    def _add_failed(self, failed: Any, accounts: Sequence[Account]) -> None:
        lists = failed.combine_chunks()
        lengths = np.diff(lists.offsets.to_numpy())
        names = lists.flatten()
        alone = np.repeat(lengths == 1, lengths)
        for name, rows in _rows_by_value(names):
            self.drops_alone[name] += int(alone[rows].sum())
            for account in accounts:
                account.would_drop[name] = account.would_drop.get(name, 0) + len(rows)
        self.overlap.add(np.repeat(np.arange(len(lengths)), lengths), names)

    def _add_rejected(self, counts: ShardCounts | None, accounts: Sequence[Account]) -> None:
        if counts:
            self.rejected_bytes += counts.rejected_bytes
            for account in accounts:
                account.rejected += counts.rejected

    def merge(self, other: Figures) -> None:
        """Add the figures of other shards of the run, which come after these."""
        self.all.merge(other.all)
        for source, account in other.sources.items():
            self.sources.setdefault(source, Account()).merge(account)
        add_all(self.domains, other.domains)
        self.written += other.written
        self.rejected_bytes += other.rejected_bytes
        for name, sums in other.trimmed.items():
            self.trimmed[name] += sums
        for name, documents in other.drops_alone.items():
            self.drops_alone[name] += documents
        self.overlap.merge(other.overlap)
        self.lengths.merge(other.lengths)
        self.languages.merge(other.languages)

    def check(self) -> None:
        """Raise RunError unless documents, bytes and tokens add up, over all and for each source."""
        self.all.check("the run")
        for source, account in self.sources.items():
            account.check(f"source {source}")

    def funnel(self) -> list[dict[str, Any]]:
        """Return the steps in order, with what entered and left each, and the sources that a filter all but fails."""
        rows: list[dict[str, Any]] = []
        left = self.all.input.copy()
        for step in self.steps:
            name, is_filter = step["name"], step["kind"] == "filter"
            before = left.copy()
            left = left - self.all.lost[name]
            row: dict[str, Any] = {"name": name, "kind": step["kind"], "dropped": int(before[0] - left[0])}
            for number, unit in enumerate(COUNTS):
                row |= {f"{unit}_in": int(before[number]), f"{unit}_out": int(left[number])}
            if name in self.trimmed:
                row["trimmed"] = totals(self.trimmed[name])
            row["would_drop"] = self.all.would_drop.get(name, 0) if is_filter else row["dropped"]
            row["drops_alone"] = self.drops_alone[name] if is_filter else None
            if is_filter:
                row["fails_most_of"] = self._fails_most_of(name)
            rows.append(row)
        return rows

    def _fails_most_of(self, name: str) -> list[dict[str, Any]]:
        """Return the sources of which a filter fails more than MOST_OF_A_SOURCE, the worst first."""
        found = []
        for source, account in self.sources.items():
            documents, fails = int(account.input[0]), account.would_drop.get(name, 0)
            if documents >= FEW and fails > MOST_OF_A_SOURCE * documents:
                found.append({"source": source, "documents": documents, "fails": fails, "share": fails / documents})
        return sorted(found, key=lambda entry: (-float(entry["share"]), str(entry["source"])))

    def mix(self, allocations: Sequence[dict[str, Any]], shares: dict[str, float]) -> list[dict[str, Any]]:
        """Return what each domain gives to the mix, what it was asked for, and what it has of all that was kept."""
        total = max(int(self.written[2]), 1)
        asked = {entry["domain"]: entry for entry in allocations}
        rows = []
        for domain in sorted({*self.domains, *shares}):
            sums = self.domains.get(domain, np.zeros(6, np.int64))
            if not sums.any() and domain not in shares:
                continue
            entry = asked.get(domain, {})
            available = entry.get("available", int(sums[2]))
            rows.append({
                "domain": domain,
                "documents": int(sums[0]),
                "written_documents": int(sums[3]),
                "bytes": int(sums[4]),
                "tokens": int(sums[5]),
                "available_tokens": available,
                "share": int(sums[5]) / total,
                "target_share": shares.get(domain),
                "wanted_tokens": entry.get("wanted"),
                "epochs": int(sums[5]) / available if available else 0.0,
                "capped": entry.get("capped", False),
                "parts": [_part(part) for part in entry.get("parts", ())],
            })  # fmt: skip
        return with_drift(rows)

    def rejected(self) -> dict[str, int]:
        """Return records that are no documents, and their bytes."""
        return {"documents": self.all.rejected, "bytes": self.rejected_bytes}

    def by_source(self) -> list[dict[str, Any]]:
        """Return what entered and was kept of each source, and what dropped the rest."""
        order = [step["name"] for step in self.steps]
        rows = []
        for source, account in sorted(self.sources.items()):
            lost = {name: totals(account.lost[name]) for name in order if name in account.lost}
            rows.append({
                "source": source,
                "input": totals(account.input),
                "output": totals(account.output),
                "rejected": account.rejected,
                "retention": int(account.output[0]) / max(int(account.input[0]), 1),
                "dropped": {name: amounts["documents"] for name, amounts in lost.items()},
                "lost": lost,
                "domains": _largest(account.domains),
            })  # fmt: skip
        return rows


def _largest(domains: Mapping[str, Sums]) -> dict[str, dict[str, int]]:
    """Return the domains that give most, by name, and one entry for all others together."""
    ranked = sorted(((name, sums) for name, sums in domains.items() if sums.any()), key=lambda item: -int(item[1][2]))
    found = {name: totals(sums) for name, sums in sorted(ranked[:MOST_DOMAINS])}
    rest = [sums for _, sums in ranked[MOST_DOMAINS:]]
    return found | ({f"{len(rest)} smaller": totals(np.sum(rest, axis=0))} if rest else {})


def _part(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a class inside a class, and those inside it, as the mix drew them."""
    tokens, available = round(entry["tokens"]), entry["available"]
    return {
        "domain": entry["domain"], "tokens": tokens, "available_tokens": available, "wanted_tokens": entry["wanted"],
        "epochs": tokens / available if available else 0.0, "capped": entry["capped"],
        "parts": [_part(part) for part in entry.get("parts", ())],
    }  # fmt: skip


def with_drift(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add to each class its share of all that there is, and what it adds to the divergence of the mix from that.

    With p the share of the mix and q the natural one, a class adds p log2(p / q) bits; all together are the
    Kullback-Leibler divergence KL(mix || natural), 0 where the mix is as the corpus is.
    """
    natural = sum(row["available_tokens"] for row in rows)
    for row in rows:
        row["natural_share"] = row["available_tokens"] / natural if natural else 0.0
        p, q = row["share"], row["natural_share"]
        row["drift_bits"] = p * math.log2(p / q) if p > 0 and q > 0 else 0.0
    return rows


def _rows_by_value(column: Any) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """Return the rows of each value of a string column, nulls left out."""
    encoded = (column.combine_chunks() if hasattr(column, "combine_chunks") else column).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(-1).to_numpy()
    if len(names) <= 8:
        return [(name, np.flatnonzero(codes == code)) for code, name in enumerate(names)]
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return [(name, order[bounds[code] : bounds[code + 1]]) for code, name in enumerate(names)]


_TASKS_A_CORE = 8  # that shards are divided over: few, because each returns all sums


def figures_of(run: Run, engine: Engine) -> Figures:
    """Return the figures of all shards; RunError when documents were lost on the way."""
    decided = run.stage("decide")
    shards = run.measured
    size = max(1, -(-len(shards) // (_TASKS_A_CORE * engine.cores)))
    tasks = [_Some(number, shards[first : first + size]) for number, first in enumerate(range(0, len(shards), size))]
    found = dict(engine.run(partial(_add_up, run), tasks))
    whole = Figures(decided["steps"], decided.get("trims", {}))
    for task in tasks:
        whole.merge(found[task])
    whole.check()
    return whole


@dataclass(frozen=True, eq=False)
class _Some:
    """Shards that one task adds up. Picklable."""

    number: int
    shards: Sequence[Shard]

    @property
    def name(self) -> str:
        """What to call them in messages."""
        return in_words([shard.name for shard in self.shards])


def _add_up(run: Run, task: _Some, workers: Workers) -> Figures:
    decided = run.stage("decide")
    figures = Figures(decided["steps"], decided.get("trims", {}))
    for shard in task.shards:
        figures.add(run, shard)
    return figures
