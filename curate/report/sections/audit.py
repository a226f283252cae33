"""Audit: what models trained on the mix, on random documents and on raw text make of references, and of each step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from curate.report.charts import nice
from curate.report.sections.words import visible

TONES = {"mix": "kept", "raw": "other", "corpus": "dedup"}
VERDICTS = {"buys": "kept", "nothing": "filter", "harms": "filter", "free": "other"}
WIDTH, HEIGHT = 320, 190  # of the chart of steps
LEFT, RIGHT, TOP, BOTTOM = 42, 306, 14, 158
_LABELS = 4  # steps with a name in the chart
_LEAST = 1e-5  # share of tokens at the left end of the axis


def audit(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the audit of a report with its marks placed; None where there is none."""
    found = report["audit"]
    if found is None:
        return None
    steps = [step for step in found["steps"] if step["gain"] or step["gain_alone"]]
    return {
        **found,
        "names": [one["name"] for one in found["references"]],
        "differences": _differences(found),
        "shown_steps": _with_marks(steps),
        "quiet": len(found["steps"]) - len(steps),
        "plot": _plot([step for step in steps if step["gain"] and step["tokens_paid"] > 0]),
        "idle": [step for step in steps if step["verdict"] in ("nothing", "harms")],
    }


def _differences(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the differences from random documents of each arm by reference, as marks on one axis."""
    arms = [arm for arm in found["arms"] if "difference" in arm["bits_per_byte"]["mean"]]
    rows = []
    every = [arm["bits_per_byte"] for arm in arms]
    ends = [
        end for one in every for figure in (*one["references"].values(), one["mean"])
        for end in figure["difference_interval"]
    ]  # fmt: skip
    place = _axis(ends)
    for name in (*(one["name"] for one in found["references"]), None):
        marks = []
        for arm in arms:
            figures = arm["bits_per_byte"]
            figure = figures["mean"] if name is None else figures["references"][name]
            marks.append(
                {
                    **_mark(figure["difference"], figure["difference_interval"], place),
                    "arm": arm["name"],
                    "tone": TONES.get(arm["kind"], "other"),
                }
            )
        rows.append({"reference": name or "mean of all", "marks": marks})
    return {"rows": rows, "zero": place(0.0), "arms": [{"name": a["name"], "tone": TONES[a["kind"]]} for a in arms]}


def _axis(ends: Sequence[float]) -> Any:
    """Return the function from a number to percent of an axis that holds 0 and all of these, with a margin."""
    low, high = min([0.0, *ends]), max([0.0, *ends])
    width = (high - low) or 1.0

    def place(value: float) -> float:
        return round(3 + 94 * min(max((value - low) / width, 0.0), 1.0), 2)

    return place


def _mark(value: float, interval: Sequence[float], place: Any) -> dict[str, Any]:
    low, high = (place(end) for end in interval)
    return {
        "at": place(value),
        "low": low,
        "reach": round(max(high - low, 0.4), 2),
        "value": value,
        "interval": interval,
    }


def _with_marks(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the steps with the gains of leaving them out as marks on one axis, and their tone."""
    place = _axis([end for step in steps if step["gain"] for end in step["gain"]["mean"]["interval"]])
    return [
        {
            **step,
            "tone": VERDICTS[step["verdict"]],
            "zero": place(0.0),
            "mark": step["gain"] and _mark(step["gain"]["mean"]["value"], step["gain"]["mean"]["interval"], place),
            "alone": step["gain_alone"] and step["gain_alone"]["mean"],
        }
        for step in steps
    ]


def _plot(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return points of bits per byte gained (up) against tokens paid (to the right, logarithmic)."""
    if not steps:
        return None
    ends = [end for step in steps for end in step["gain"]["mean"]["interval"]]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    spread = (high - low) or 1.0
    least = math.floor(math.log10(max(min(step["tokens_paid"] for step in steps), _LEAST)))
    most = math.log10(max(step["tokens_paid"] for step in steps)) + 0.08

    def across(paid: float) -> float:
        share = (math.log10(max(paid, _LEAST)) - least) / max(most - least, 1e-9)
        return float(round(LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0), 1))

    def up(gain: float) -> float:
        return float(round(BOTTOM - (BOTTOM - TOP) * (gain - low) / spread, 1))

    points = [
        {
            "name": step["name"],
            "tone": VERDICTS[step["verdict"]],
            "x": across(step["tokens_paid"]),
            "y": up(step["gain"]["mean"]["value"]),
            "low": up(step["gain"]["mean"]["interval"][0]),
            "high": up(step["gain"]["mean"]["interval"][1]),
            "label": None,
        }
        for step in steps
    ]
    _name_some(points, steps)
    unit = nice(spread / 4)
    ticks = [k * unit for k in range(math.ceil(low / unit - 1e-9), math.floor(high / unit + 1e-9) + 1)]
    return {
        "points": points,
        "zero": up(0.0),
        "across": [(across(10.0**k), f"{100 * 10.0**k:g}%") for k in range(least, math.floor(most) + 1)],
        "up": [(up(value), "0" if abs(value) < unit / 2 else f"{value:+.3g}".replace("-", "−")) for value in ticks],
    }


def _name_some(points: list[dict[str, Any]], steps: Sequence[Mapping[str, Any]]) -> None:
    """Name the points of the steps that pay or gain most, where there is room beside them."""
    taken: list[tuple[float, float, float, float]] = []
    order = sorted(range(len(points)), key=lambda k: (-steps[k]["tokens_paid"], steps[k]["name"]))
    for k in order[:_LABELS]:
        point, text = points[k], visible(points[k]["name"])
        text = text if len(text) <= 24 else text[:23] + "…"
        width = 4.6 * len(text)
        left = point["x"] - 5 - width
        x, anchor = (left, "end") if left > LEFT else (point["x"] + 5, "start")
        for y in (point["y"] + 3, point["y"] - 6, point["y"] + 12, point["y"] - 15, point["y"] + 21):
            box = (x, x + width, y - 8, y + 1)
            if TOP - 4 < y < BOTTOM and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                at = point["x"] - 5 if anchor == "end" else point["x"] + 5
                point["label"] = {"text": text, "x": round(at, 1), "y": round(y, 1), "anchor": anchor}
                break


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
