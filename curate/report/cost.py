"""What a run took and what made it: seconds by stage, speed, core-seconds and money a TB, hashes and versions.

Wall time times threads is an upper bound of the core time: threads that wait are counted as working.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import curate
from curate.measure.scores import digest
from curate.recipe import Recipe
from curate.report.scores import model_if_there
from curate.run import STAGES

if TYPE_CHECKING:
    from curate.run import Run

TB = 1e12
_PACKAGES = ("numba", "numpy", "polars", "pyarrow")


def timing(run: Run, raw_bytes: int, report: float, price_per_core_hour: float | None = None) -> dict[str, Any]:
    """Return seconds by stage, the speed of the whole run in MB of raw text a second, and what a TB would cost.

    `report`: seconds of the last stage, which is not done yet.
    `core_seconds_per_tb`: threads times seconds for 10^12 bytes of raw text at this speed; None for a run without
    text. `money_per_tb`: that at a price for an hour of one core, in the currency of the price; None without one.
    """
    stages = {name: run.stage(name).get("seconds", 0.0) for name in STAGES} | {"report": report}
    seconds = sum(stages.values())
    megabytes = raw_bytes / 1e6
    threads = run.manifest.get("threads")
    per_tb = seconds * (threads or 1) * TB / raw_bytes if raw_bytes else None
    money = None if price_per_core_hour is None or per_tb is None else per_tb / 3600 * price_per_core_hour
    return {
        "seconds": seconds,
        "mb_per_second": megabytes / seconds if seconds else 0.0,
        "threads": threads,
        "core_seconds_per_tb": per_tb,
        "price_per_core_hour": price_per_core_hour,
        "money_per_tb": money,
        "by_stage": {
            name: {"seconds": spent, "mb_per_second": megabytes / spent if spent else 0.0}
            for name, spent in stages.items()
        },
    }


def provenance(run: Run, recipe: Recipe) -> dict[str, Any]:
    """Return what the figures depend on: hashes of recipe, inputs, signals and decisions, models, versions."""
    return {
        "hashes": {
            "recipe": recipe.fingerprint(),
            "inputs": run.input_key(),
            "signals": run.stage("measure").get("key"),
            "decisions": run.stage("decide").get("key"),
        },
        "models": [
            {"signal": use.signal, "model": use.model, "sha256": digest(found.path)}
            for use in recipe.classifiers
            if (found := model_if_there(use.model)) is not None
        ],
        "versions": {"curate": curate.__version__, "python": platform.python_version(), **_installed()},
    }


def _installed() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
