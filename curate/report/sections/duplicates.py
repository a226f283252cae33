"""Duplicates: what each deduplication step found, how sure it was, what is repeated most, what was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.dedup.bands import candidate_chance
from curate.report import charts
from curate.report.charts import share, stack
from curate.report.losses import alarm_sentence
from curate.report.numbers import count, measured
from curate.report.sections.words import shorten

_SOURCES = 20  # in the table of removal by source
_ALARMS = 5
_SHOWN = 12  # repeated documents and lines


def duplicates(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the deduplication steps: candidates and what verification made of them, clusters, similarities, losses."""
    steps = {step["name"]: step for step in report["steps"]}
    rows = []
    for name, found in report["duplicates"].items():
        step = steps.get(name, {})
        parts = [("dedup", "dropped", found["dropped"]), ("spared", "spared", found["spared"])]
        rows.append({
            "name": name,
            **found,
            "tokens": step.get("tokens_in", 0) - step.get("tokens_out", 0),
            "of_entering": share(found["dropped"], step.get("documents_in")),
            "bar": stack(parts, max(found["candidates"], found["dropped"] + found["spared"])),
            "told": _told(found.get("parameters", {})),
            "clusters": _clusters(found.get("cluster_sizes", [])),
            "similarities": _similarities(found),
            "repeated": [(shorten(str(name), 120), n) for name, n in found.get("most_repeated", [])[:_SHOWN]],
            "losses": _losses(report, name),
            "notes": _notes(found) + [alarm_sentence(name, alarm) for alarm in found.get("alarms", [])[:_ALARMS]],
        })  # fmt: skip
    return rows


def _told(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a step was told as (name, value), what is empty or off left out."""
    told = []
    for name, value in parameters.items():
        if value not in (None, [], "", False):
            written = ", ".join(map(str, value)) if isinstance(value, list) else measured(value)
            told.append((name.replace("_", " "), shorten(written, 120)))
    return told


def _clusters(sizes: Sequence[Sequence[int]]) -> dict[str, Any] | None:
    """Return documents by the size of their cluster, sizes in powers of two, those without duplicates left out."""
    bins: dict[int, list[int]] = {}
    for size, documents in sizes:
        if size > 1:
            found = bins.setdefault((size - 1).bit_length(), [0, 0])
            found[0] += documents // size
            found[1] += documents
    if not bins:
        return None
    most = max(documents for _, documents in bins.values())
    rows = []
    for power in range(1, max(bins) + 1):
        clusters, documents = bins.get(power, [0, 0])
        low, high = (1 << (power - 1)) + 1, 1 << power
        rows.append({
            "size": f"{low:,}" if low == high else f"{low:,}–{high:,}",
            "clusters": clusters,
            "documents": documents,
            "bar": stack([("dedup", "documents", documents)], most),
        })  # fmt: skip
    alone = sum(documents for size, documents in sizes if size == 1)
    return {"rows": rows, "alone": alone}


def _similarities(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the similarities of dropped and spared documents as columns, under the S-curve of the bands."""
    dropped, spared = found.get("similarity"), found.get("spared_similarity")
    if not dropped or not spared:
        return None
    edges = dropped["edges"]
    told = found["parameters"]
    chances = [candidate_chance(edge, told["bands"], told["rows"]) for edge in edges]
    rows = [
        {"range": f"{low:.2f}–{high:.2f}", "dropped": d, "spared": s, "chance": chance}
        for low, high, d, s, chance in zip(
            edges, edges[1:], dropped["counts"], spared["counts"], _middle(told), strict=False
        )
    ]
    verify = told["verify"]
    return {
        "rows": [row for row in rows if row["dropped"] or row["spared"]],
        "chart": charts.columns([(row["dropped"] + row["spared"], row["spared"]) for row in rows], stacked=True),
        "curve": charts.curve(list(zip(edges, chances, strict=True))),
        "threshold": charts.across(verify) if verify is not None else None,
        "verify": verify,
        "bands": told["bands"],
        "rows_per_band": told["rows"],
        "tips": [
            f"similarity {row['range']}: {count(row['dropped'])} dropped, {count(row['spared'])} spared; "
            f"{row['chance']:.0%} of such pairs share a band"
            for row in rows
        ],
    }


def _middle(told: Mapping[str, Any]) -> list[float]:
    return [candidate_chance(0.025 + 0.05 * i, told["bands"], told["rows"]) for i in range(20)]


def _losses(report: Mapping[str, Any], step: str) -> list[dict[str, Any]]:
    """Return the sources that lost documents to a step, the largest losses first."""
    rows = []
    for entry in report["sources"]:
        lost = entry["dropped"].get(step, 0)
        if lost:
            of_source = share(lost, entry["input"]["documents"])
            rows.append({"source": entry["source"], "dropped": lost, "share": of_source,
                         "bar": stack([("dedup", "dropped", lost)], entry["input"]["documents"])})  # fmt: skip
    return sorted(rows, key=lambda row: (-row["dropped"], row["source"]))[:_SOURCES]


def _notes(found: Mapping[str, Any]) -> list[str]:
    """Return sentences about short, empty, protected and folded documents."""
    notes = []
    for name, what in (("short", "too short for a shingle"), ("empty", "without a word")):
        facts = found.get(name) or {}
        if facts.get("documents") or facts.get("dropped"):
            notes.append(
                f"{count(facts.get('documents', 0))} documents are {what}; {count(facts['dropped'])} of them dropped."
            )
    if found.get("protected"):
        notes.append(f"{count(found['protected'])} duplicates stay because their source is protected.")
    folded = found.get("folded") or {}
    if folded.get("documents"):
        notes.append(f"{count(folded['documents'])} are duplicates only because numbers count as 0.")
    return notes


def trims(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps that trim, with what they cut most often."""
    return [
        {
            "name": name,
            **facts,
            "cut": facts.get("lines_removed", facts.get("spans_removed", 0)),
            "often": facts.get("top", [])[:_SHOWN],
        }
        for name, facts in report.get("trims", {}).items()
    ]
