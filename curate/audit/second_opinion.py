"""An audit by a second proxy beside that of a first: what it says, and how far both agree in ranking."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from curate.audit.agreement import agreement


def second_opinion(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return the arms of the second audit, and the agreement of both over arms and references.

    Both are results of `curate.audit.audit.audit` over the same runs, references and samples.
    """
    names = [one["name"] for one in first["references"]]

    def table(result: dict[str, Any]) -> list[list[float]]:
        figures = [arm["bits_per_byte"]["references"] for arm in result["arms"]]
        return [[of[name]["value"] for name in names] for of in figures]

    ranks = asdict(agreement(table(first), table(second), names))
    each = {name: dict(zip(("kendall", "spearman"), pair, strict=True)) for name, pair in ranks["references"].items()}
    return {
        "proxy": second["proxy"],
        "arms": second["arms"],
        "seconds": second["seconds"],
        "agreement": {**ranks, "references": each},
    }
