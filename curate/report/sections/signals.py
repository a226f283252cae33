"""Signals: histograms with their thresholds, and the sliders that ask what another threshold would keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.report import charts
from curate.report.charts import SIGNS
from curate.report.numbers import measured

_DATA = ("documents", "documents_error", "tokens", "tokens_error", "change", "change_error")


def signals(entries: Sequence[Mapping[str, Any]], room: int) -> list[dict[str, Any]]:
    """Return the signals with their charts and sliders placed, at most `room` sliders: `curate tune` has them all."""
    shown = []
    for number, entry in enumerate(entries):
        chosen = entry.get("sliders", [])[:room]
        room -= len(chosen)
        sliders = [_slider(entry, slider, f"slider-{number}-{which}") for which, slider in enumerate(chosen)]
        shown.append({**entry, "chart": charts.histogram(dict(entry)), "sliders": sliders})
    return shown


def _slider(entry: Mapping[str, Any], slider: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a slider: where it stands now, and its curves as numbers in text, which no browser can take for script."""
    now = slider["at"].index(slider["now"])
    data = {
        key: " ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in slider[key])
        for key in _DATA
    }
    data["at"] = " ".join(f"{value:.10g}" for value in slider["at"])
    data["x"] = " ".join(f"{x:g}" for x in charts.places(entry, slider["at"], slider["operator"]))
    return {
        "id": name,
        "step": slider["step"],
        "sign": SIGNS[slider["operator"]],
        "now": now,
        "last": len(slider["at"]) - 1,
        "threshold": measured(slider["now"]),
        "documents": slider["documents"][now],
        "documents_error": slider["documents_error"][now],
        "tokens": slider["tokens"][now],
        "tokens_error": slider["tokens_error"][now],
        "data": data,
    }
