"""The audit that a run keeps: `audit.json` in its directory, shown in its report, outdated by other decisions.

Audits nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from curate.errors import RunError

if TYPE_CHECKING:
    from curate.run import Run

FILE = "audit.json"


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
