"""Sources: what each gave and which steps took the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.report.charts import share, stack
from curate.report.sections.words import MOST_ROWS

_TONES = 6  # steps with a colour of their own in the bars


def sources(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sources, largest first, with the steps that took most in colours of their own."""
    entries = sorted(report["sources"], key=lambda entry: -entry["input"]["documents"])
    total: dict[str, int] = {}
    for entry in entries:
        for step, dropped in entry["dropped"].items():
            total[step] = total.get(step, 0) + dropped
    ranked = [step for step in sorted(total, key=lambda name: -total[name]) if total[step]]
    tones = {step: f"step{number}" for number, step in enumerate(ranked[:_TONES], 1)}
    rows = []
    for entry in entries:
        dropped = sorted(((n, s) for s, n in entry["dropped"].items() if n), reverse=True)
        parts = [("kept", "kept", entry["output"]["documents"])]
        parts += [(tones[step], step, entry["dropped"].get(step, 0)) for step in tones]
        parts.append(("other", "other steps", sum(n for n, step in dropped if step not in tones)))
        whole = entry["input"]["documents"]
        rows.append({
            **entry,
            "bar": stack(parts, whole),
            "losses": [(step, n, share(n, whole)) for n, step in dropped],
            "low": whole >= 20 and entry["retention"] < 0.1,
        })  # fmt: skip
    return {
        "rows": rows[:MOST_ROWS],
        "hidden": len(rows[MOST_ROWS:]),
        "legend": [("kept", "kept"), *((tone, step) for step, tone in tones.items())]
        + ([("other", "other steps")] if len(ranked) > _TONES else []),
    }
