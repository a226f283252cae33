"""Mix: shares against targets and nature, classes inside classes, languages, lengths and quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.report import charts
from curate.report.charts import share, stack
from curate.report.numbers import short
from curate.report.sections.words import MOST_ROWS

_LANGUAGES = 20


def mix(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the domains, largest first, each followed by the classes inside it, with bars scaled to the largest."""
    entries = sorted(report["mix"], key=lambda entry: -max(entry["share"], entry["target_share"] or 0))
    scale = max((max(e["share"], e["target_share"] or 0, e["natural_share"]) for e in entries), default=0) or 1.0
    rows = [
        {
            **entry,
            "depth": 0,
            "bar": stack([("kept", "share of the mix", entry["share"])], scale),
            "target": None if entry["target_share"] is None else 100 * share(entry["target_share"], scale),
            "nature": 100 * share(entry["natural_share"], scale),
        }
        for entry in entries
    ]
    shown = [row for top in rows[:MOST_ROWS] for row in (top, *_parts(top["parts"], report, scale))]
    return {
        "rows": shown,
        "hidden": len(rows[MOST_ROWS:]),
        "hidden_tokens": sum(row["tokens"] for row in rows[MOST_ROWS:]),
        "targets": any(entry["target_share"] is not None for entry in entries),
        "drawn": report["drift_bits"] > 1e-9 or any(entry["target_share"] is not None for entry in entries),
        "drift": report["drift_bits"],
    }


def _parts(parts: Sequence[Mapping[str, Any]], report: Mapping[str, Any], scale: float, depth: int = 1) -> list[Any]:
    """Return the classes inside a class, the largest first, and those inside them, as rows."""
    total = report["output"]["written"]["tokens"]
    rows: list[Any] = []
    for part in sorted(parts, key=lambda part: -part["tokens"])[:MOST_ROWS]:
        of_all = share(part["tokens"], total)
        bar = stack([("kept", "share of the mix", of_all)], scale)
        empty = dict.fromkeys(("target", "nature", "target_share", "natural_share", "drift_bits", "documents"))
        rows.append({**part, **empty, "depth": depth, "share": of_all, "bar": bar})
        rows += _parts(part["parts"], report, scale, depth + 1)
    return rows


def languages(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the languages by tokens that came in, with their share then, of what was kept, and of the mix."""
    found = report["languages"]
    if not found or not found["rows"]:
        return None
    given, kept, written = (
        sum(get(row) for row in found["rows"]) for get in (_given, _kept, lambda row: row["written_tokens"])
    )
    rows = [
        {
            "language": row["language"],
            "documents": row["input"]["documents"],
            "tokens": _given(row),
            "before": share(_given(row), given),
            "kept": share(_kept(row), kept),
            "after": share(row["written_tokens"], written),
            "retention": share(_kept(row), _given(row)),
        }
        for row in found["rows"]
    ]
    scale = max(max(row["before"], row["after"]) for row in rows) or 1.0
    for row in rows:
        row["bar"] = stack([("kept", "share of the mix", row["after"])], scale)
        row["mark"] = 100 * share(row["before"], scale)
    return {"column": found["column"], "rows": rows[:_LANGUAGES], "hidden": len(rows[_LANGUAGES:])}


def _given(row: Mapping[str, Any]) -> int:
    return int(row["input"]["tokens"])


def _kept(row: Mapping[str, Any]) -> int:
    return int(row["output"]["tokens"])


def lengths(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the distribution of tokens a document as columns: the share of all documents and of kept ones."""
    rows = report["lengths"]
    total = sum(row["input"]["documents"] for row in rows)
    kept = sum(row["output"]["documents"] for row in rows)
    if not total:
        return None
    table = [
        {
            "range": f"{short(row['from'])} to {short(row['to'])}" if row["to"] > row["from"] else f"{row['from']:,}",
            "tick": short(row["from"]),
            "input": row["input"]["documents"],
            "output": row["output"]["documents"],
            "before": share(row["input"]["documents"], total),
            "after": share(row["output"]["documents"], kept),
        }
        for row in rows
    ]
    return {"rows": table, "chart": charts.columns([(row["before"], row["after"]) for row in table])}


def quality(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the domains with the share of their tokens in each bucket of quality, shaded by the largest share."""
    found = report.get("quality")
    if not found or not found["rows"]:
        return None
    most = max((value for row in found["rows"] for value in row["written"]), default=0) or 1.0
    rows = [
        {
            "domain": row["domain"],
            "cells": [
                {"bucket": bucket, "written": w, "available": a, "epochs": e, "shade": round(share(w, most), 3)}
                for bucket, (w, a, e) in enumerate(zip(row["written"], row["available"], row["epochs"], strict=True), 1)
            ],
        }
        for row in found["rows"]
    ]
    return {**found, "rows": rows}
