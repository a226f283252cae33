"""An evaluation of a classifier as one HTML page that opens offline: style of the mix report, no script at all.

Places the marks of its plots; computes no figures. Names of labels, sources and files go through autoescaping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from curate.report import charts
from curate.report.page import policy, style_sheet, template

WIDTH, HEIGHT = 320, 230  # of a square-ish plot's view box
LEFT, RIGHT, TOP, BOTTOM = 34, 312, 8, 204
_MOST_COLUMNS = 12  # of a confusion matrix
_MOST_ROWS = 60
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def evaluation_page(result: Mapping[str, Any]) -> str:
    """Return the page for what `curate.classifier.evaluate.evaluate` returned."""
    style = style_sheet()
    detail = result["positive"]
    filled = template("evaluation.html")
    html: str = filled.render(
        result=result,
        name=Path(result["model"]["path"]).name,
        policy=policy(style, ""),
        style=Markup(style),  # ours, and pinned by the policy
        matrix=_matrix(result["confusion"]),
        groups={what: result[what][:_MOST_ROWS] for what in ("sources", "languages")},
        hidden={what: max(0, len(result[what]) - _MOST_ROWS) for what in ("sources", "languages")},
        mistakes=mistakes,
        detail=detail,
        spread=detail and _spread(detail),
        reliability=detail and _reliability(detail["calibration"]),
        trade=detail and _trade(detail["thresholds"]),
        axes=_axes(),
        box={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
    )
    return html


def mistakes(confusion: Mapping[str, Mapping[str, int]], most: int = 3) -> list[tuple[str, str, int]]:
    """Return the largest wrong cells of a confusion matrix: (true label, predicted label, documents)."""
    wrong = [(n, true, said) for true, row in confusion.items() for said, n in row.items() if said != true]
    return [(true, said, n) for n, true, said in sorted(wrong, key=lambda cell: (-cell[0], cell[1:]))[:most]]


def _matrix(confusion: Mapping[str, Mapping[str, int]]) -> dict[str, Any] | None:
    """Return the confusion matrix as rows; None where there are too many labels to print one."""
    columns = list(dict.fromkeys([*confusion, *(said for row in confusion.values() for said in row)]))
    if len(columns) > _MOST_COLUMNS:
        return None
    rows = [(true, [row.get(said, 0) for said in columns], sum(row.values())) for true, row in confusion.items()]
    return {"columns": columns, "rows": rows}


def _spread(detail: Mapping[str, Any]) -> charts.Histogram:
    """Place the histogram of scores: documents of the label above, others below, thresholds as lines."""
    found = detail["histogram"]
    marks = [
        {"at": row["threshold"], "value": row["threshold"], "operator": ">=", "decisive": False}
        for row in detail["thresholds"]
        if row["share"] in (0.1, 0.5)
    ]
    return charts.histogram({
        "edges": found["edges"], "kept": found["positive"], "dropped": found["negative"], "logarithmic": False,
        "discrete": False, "beyond": (False, False), "thresholds": marks,
    })  # fmt: skip


def _reliability(curves: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Place the calibration curves: the share of positives over the mean score of each bin."""
    tones = {"raw": "filter", "calibrated": "kept"}
    return [
        {
            "name": name,
            "error": curve["error"],
            "tone": tones[name],
            "path": _path((point["probability"], point["share"]) for point in curve["bins"]),
            "points": [{"x": _x(point["probability"]), "y": _y(point["share"]), **point} for point in curve["bins"]],
        }
        for name, curve in curves.items()
    ]


def _trade(thresholds: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Place precision and recall over the share of tokens kept."""
    rows = list(thresholds)
    return [
        {
            "name": name,
            "tone": tone,
            "path": _path((row["kept"], row[name]) for row in rows),
            "points": [{"x": _x(row["kept"]), "y": _y(row[name])} for row in rows],
        }
        for name, tone in (("precision", "kept"), ("recall", "dedup"))
    ]


def _axes() -> dict[str, list[tuple[float, str]]]:
    return {
        "x": [(_x(value), f"{value:g}") for value in _TICKS],
        "y": [(_y(value), f"{value:g}") for value in _TICKS],
    }


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_x(x)} {_y(y)}" for x, y in points)


def _x(value: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * value, 2)


def _y(value: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value, 2)
