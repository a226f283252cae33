"""Funnel: where sources went, what each step took of what, and which filters fail the same documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.report import flow
from curate.report.charts import share, stack
from curate.report.numbers import percent
from curate.report.sections.words import KINDS, UNITS, tone

_SOURCES = 9  # with a node of their own; the others share one
_DOMAINS = 6
_PAIRS = 40  # of filters, in the table behind the matrix
_KEPT, _REST = "kept", "other domains"


def funnel(report: Mapping[str, Any], rules: Mapping[str, str], sampled: set[str]) -> list[dict[str, Any]]:
    """Return the steps with a bar for each unit: what is left, and what this step took, of all that came in."""
    rows = []
    for number, step in enumerate(report["steps"], 1):
        figures = {}
        for unit, write in UNITS.items():
            before, left, whole = step[f"{unit}_in"], step[f"{unit}_out"], report["input"][unit]
            figures[unit] = {
                "dropped": write(before - left),
                "of_entering": percent(share(before - left, before)),
                "left": write(left),
                "of_all": percent(share(left, whole)),
                "bar": stack([("kept", "left", left), (tone(step["kind"]), "dropped", before - left)], whole),
            }
        quiet = bool(report["input"]["documents"]) and step["kind"] == "filter" and step["would_drop"] == 0
        rows.append({
            **step, "number": number, "rule": rules.get(step["name"], ""), "figures": figures,
            "quiet": quiet, "sampled": step["name"] in sampled, "hit": step.get("fails_most_of") or [],
        })  # fmt: skip
    return rows


def flows(report: Mapping[str, Any]) -> dict[str, flow.Flow]:
    """Return a diagram for each unit: from the sources to the domains of the mix and the kinds of steps."""
    return {unit: _flow(report, unit) for unit in UNITS}


def _flow(report: Mapping[str, Any], unit: str) -> flow.Flow:
    entries = sorted(report["sources"], key=lambda entry: (-entry["input"][unit], entry["source"]))
    few = entries if len(entries) <= _SOURCES + 1 else entries[:_SOURCES]
    names = {entry["source"]: entry["source"] for entry in few}
    rest = f"{len(entries) - len(few)} more sources"
    kinds = {step["name"]: step["kind"] for step in report["steps"]}
    domains = _domains(report, unit)
    amounts: dict[tuple[str, str], int] = {}

    def add(source: str, to: str, amount: int) -> None:
        place = (names.get(source, rest), to)
        amounts[place] = amounts.get(place, 0) + amount

    for entry in entries:
        for domain, sums in entry["domains"].items():
            add(entry["source"], domains.get(domain, _REST), sums[unit])
        for step, sums in entry["lost"].items():
            kind = kinds.get(step, "filter")
            add(entry["source"], KINDS.get(kind, kind), sums[unit])
    right = dict.fromkeys([*domains.values(), _REST], "kept")
    right |= {KINDS.get(kind, kind): tone(kind) for kind in [*kinds.values(), "filter"]}
    return flow.flow(amounts, [*dict.fromkeys(names.values()), rest], right)


def _domains(report: Mapping[str, Any], unit: str) -> dict[str, str]:
    """Return the label of each domain that has a node of its own; one label where there is one domain a source."""
    total: dict[str, int] = {}
    for entry in report["sources"]:
        for domain, sums in entry["domains"].items():
            total[domain] = total.get(domain, 0) + sums[unit]
    if set(total) <= {entry["source"] for entry in report["sources"]}:
        return dict.fromkeys(total, _KEPT)
    ranked = sorted(total, key=lambda name: (-total[name], name))
    few = ranked if len(ranked) <= _DOMAINS + 1 else ranked[:_DOMAINS]
    return {name: f"{_KEPT}: {name}" for name in few}


def overlap(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the matrix of filters that fail the same documents, and the pairs that share most; None without pairs.

    A cell is the share of the row's failures that fail the column's filter too.
    """
    names, both = report["overlap"]["filters"], report["overlap"]["documents"]
    if len(names) < 2:
        return None
    cells = [
        {"row": i, "column": j, "share": share(both[i][j], both[i][i]), "documents": both[i][j]}
        for i in range(len(names))
        for j in range(len(names))
        if i != j and both[i][j]
    ]
    pairs = [cell for cell in cells if cell["row"] < cell["column"]]
    pairs.sort(key=lambda cell: (-cell["documents"], cell["row"], cell["column"]))
    return {
        "names": names,
        "fails": [both[i][i] for i in range(len(names))],
        "cells": cells,
        "pairs": [
            {
                "first": names[cell["row"]],
                "second": names[cell["column"]],
                "documents": cell["documents"],
                "of_first": cell["share"],
                "of_second": share(cell["documents"], both[cell["column"]][cell["column"]]),
            }
            for cell in pairs[:_PAIRS]
        ],
    }
