"""The audit that a run keeps: `audit.json` in its directory, shown in its report, outdated by other decisions.

Audits nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from curate.errors import RunError
from curate.shards import atomic_bytes

if TYPE_CHECKING:
    from curate.run import Run

FILE = "audit.json"


def store(run: Run, result: dict[str, Any], threads: int | None = None) -> None:
    """Keep the result of an audit in the run, and write the run's report again with it."""
    from curate.corpus import working
    from curate.report import report_run

    with working(run, threads) as engine:
        atomic_bytes(run.path / FILE, json.dumps(result, indent=1, ensure_ascii=False).encode())
        run.log(f"audit stored: {len(result['arms'])} arms, {len(result['references'])} references")
        price = run.report["timing"].get("price_per_core_hour") if (run.path / "report.json").is_file() else None
        report_run(run, run.recipe, engine, price)


def stored(run: Run) -> dict[str, Any] | None:
    """Return the audit of a run with `outdated`: whether other decisions were taken since; None where there is none."""
    path = run.path / FILE
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {**found, "outdated": found["decided"] != run.stage("decide").get("key")}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunError(f"cannot read {path}: {error}; delete it, and audit again") from None
