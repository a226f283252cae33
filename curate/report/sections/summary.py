"""Summary: what came in and was kept, the account of it in all and by source, time, cost, and what made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.report.charts import share, stack
from curate.report.sections.words import KINDS, MOST_ROWS, UNITS, tone


def overview(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what came in and was kept by unit, and the account of it: in = kept + dropped by each kind of step."""
    lost = {
        kind: {unit: _dropped(report, kind, unit) for unit in UNITS}
        for kind in dict.fromkeys(step["kind"] for step in report["steps"])
    }
    given, kept = report["input"], report["output"]
    parts = [("kept", "Kept", kept), *((tone(kind), KINDS.get(kind, kind), lost[kind]) for kind in lost)]
    return {
        "units": [
            {
                "unit": unit,
                "input": given[unit],
                "kept": kept[unit],
                "written": kept["written"][unit],
                "share": share(kept[unit], given[unit]),
                "bar": stack([(colour, label, amounts[unit]) for colour, label, amounts in parts], given[unit]),
            }
            for unit in UNITS
        ],
        "account": [
            (colour, label, [amounts[unit] for unit in UNITS], share(amounts["documents"], given["documents"]))
            for colour, label, amounts in parts
        ],
        "by_step": [
            (step["name"], tone(step["kind"]), [step[f"{unit}_in"] - step[f"{unit}_out"] for unit in UNITS])
            for step in report["steps"]
        ],
        "missing": [given[unit] - sum(amounts[unit] for _, _, amounts in parts) for unit in UNITS],
        "sources": by_source(report),
    }


def _dropped(report: Mapping[str, Any], kind: str, unit: str) -> int:
    return sum(step[f"{unit}_in"] - step[f"{unit}_out"] for step in report["steps"] if step["kind"] == kind)


def by_source(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the account of each source: for each unit what came in, was kept and was lost, and what is missing."""
    entries = sorted(report["sources"], key=lambda entry: (-entry["input"]["documents"], entry["source"]))
    rows = [{"source": entry["source"], "units": [_account(entry, unit) for unit in UNITS]} for entry in entries]
    missing = [sum(abs(row["units"][number]["missing"]) for row in rows) for number in range(len(UNITS))]
    return {"rows": rows[:MOST_ROWS], "hidden": len(rows[MOST_ROWS:]), "count": len(rows), "missing": sum(missing)}


def _account(entry: Mapping[str, Any], unit: str) -> dict[str, int]:
    lost = sum(amounts[unit] for amounts in entry["lost"].values())
    given, kept = entry["input"][unit], entry["output"][unit]
    return {"input": given, "kept": kept, "lost": lost, "missing": given - kept - lost}


def stages(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the stages that took time, with bars scaled to the whole."""
    timing = report["timing"]
    spent = {name: stage for name, stage in timing["by_stage"].items() if stage["seconds"]}
    return [
        {"name": name, **stage, "bar": stack([("other", name, stage["seconds"])], timing["seconds"])}
        for name, stage in spent.items()
    ]
