"""The figures of an audit put together: arms, steps with what they bought, leaks, and what to be careful about.

Computes no figure itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import curate
from curate.audit.arms import ALL, MIXED, RANDOM, StepArms
from curate.audit.proxy import Proxy
from curate.audit.references import Reference
from curate.audit.samples import Group, Samples
from curate.audit.tasks import Task
from curate.audit.trials import Figures
from curate.decide.fold import MIX
from curate.run import Run
from curate.storage import absolute

_FEW_BYTES = 1_000_000  # of a sample, below which most differences are luck
_FEW_DOCUMENTS = 30  # of a reference, below which its interval says little
PAYS = 0.001  # share of the tokens that a step may take before it has to buy something


@dataclass(frozen=True)
class Asked:
    """What was audited, and how: `wanted` bytes of each sample were asked for, there are `size`."""

    runs: Sequence[Run]
    references: Sequence[Reference]
    tasks: Sequence[Task]
    proxy: Proxy
    wanted: int
    size: int
    seeds: int


def result(
    asked: Asked,
    figures: Figures,
    documents: Mapping[str, float],
    samples: Samples,
    by_step: Group | None,
    steps: Sequence[StepArms],
) -> dict[str, Any]:
    """Return the result of an audit as `audit.json` has it; see docs/audit.md."""
    first = asked.runs[0]
    names = [*(one.name for one in asked.references), *(task.name for task in asked.tasks)]
    found = {
        "curate": curate.__version__,
        "created": time.time(),
        "proxy": asked.proxy.name,
        "run": str(first.path),
        "recipe": first.recipe.name,
        "decided": first.stage("decide")["key"],
        "clean": list(first.recipe.clean),
        "sample": {
            "bytes": asked.size,
            "asked_for": asked.wanted,
            "step_bytes": by_step.bytes if by_step else None,
            "seeds": asked.seeds,
            "step_seeds": by_step.seeds if by_step else None,
            "shards": len(samples.documents.shards),
            "of_shards": len(first.measured),
        },
        "references": [
            {
                "name": one.name,
                "documents": len(one.texts),
                "bytes": one.texts.nbytes,
                "held_out": one.source is not None,
            }
            for one in asked.references
        ],
        "tasks": [{"name": task.name, "questions": len(task)} for task in asked.tasks],
        "leaks": samples.leaks(names),
        "arms": _arms(asked, figures, documents),
        "steps": _steps(figures, samples, by_step, steps) if by_step else [],
    }
    found["warnings"] = _warnings(found)
    return found


def _arms(asked: Asked, figures: Figures, documents: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the arms of all runs, then of corpora."""
    labels = _labels(asked.runs)
    found = []
    for key in documents:
        origin, name = key.split("/", 1)
        if origin == "step":
            continue
        number = int(origin) if origin.isdecimal() else None
        several = len(asked.runs) > 1 and number is not None
        against = f"0/{RANDOM}"
        found.append(
            {
                "name": f"{labels[number or 0]}: {name}" if several else name,
                "kind": "corpus" if number is None else name,
                "run": None if number is None else str(asked.runs[number].path),
                "documents": documents[key],
                "bits_per_byte": figures.bits_per_byte(key, None if key == against else against),
                "tasks": figures.tasks(key, None if key == against else against),
            }
        )
    return found


def _labels(runs: Sequence[Run]) -> list[str]:
    """Return a short name for each run: that of its directory, or its path where two are called alike."""
    names = [Path(absolute(str(run.path))).name for run in runs]
    return [name if names.count(name) == 1 else str(run.path) for name, run in zip(names, runs, strict=True)]


def _steps(figures: Figures, samples: Samples, by_step: Group, steps: Sequence[StepArms]) -> list[dict[str, Any]]:
    """Return what each step bought, against all steps (left out) and against random documents (alone)."""
    trained = {arm.name for arm in by_step.arms}
    tokens = samples.documents.column("token_count")
    trims = samples.documents.run.stage("decide").get("trims", {})
    cut = sum(facts["tokens_removed"] for facts in trims.values())
    all_tokens = max(int(tokens.sum()), 1)
    found = []
    for step in steps:
        base = MIXED if step.kind == MIX else ALL
        gain = gain_alone = None
        if step.without and step.without.name in trained:
            gain = _gain(figures.bits_per_byte(f"step/{step.without.name}", f"step/{base}"))
        if step.alone and step.alone.name in trained:
            gain_alone = _gain(figures.bits_per_byte(f"step/{RANDOM}", f"step/{step.alone.name}"))
        paid = float(tokens[step.paid].sum() / all_tokens)
        if step.kind == "trim":
            paid += cut / max(_measured_tokens(samples), 1)
        found.append(
            {
                "name": step.name,
                "kind": step.kind,
                "tokens_paid": paid,
                "gain": gain,
                "gain_alone": gain_alone,
                "verdict": _verdict(paid, gain),
            }
        )
    return found


def _measured_tokens(samples: Samples) -> int:
    counts: dict[str, Any] = samples.documents.run.stage("measure").get("counts", {})
    return int(counts.get("tokens", 0))


def _gain(compared: dict[str, Any]) -> dict[str, Any]:
    """Return the differences of a comparison as gains: {"value", "interval"} of each reference and of the mean."""

    def one(figure: dict[str, Any]) -> dict[str, Any]:
        return {"value": figure["difference"], "interval": figure["difference_interval"]}

    return {
        "references": {name: one(figure) for name, figure in compared["references"].items()},
        "mean": one(compared["mean"]),
    }


def _verdict(paid: float, gain: dict[str, Any] | None) -> str:
    """Return "buys", "harms" or "nothing" where a step pays tokens, and "free" where it takes next to none."""
    if gain is None or (paid < PAYS and gain["mean"]["interval"][0] <= 0 <= gain["mean"]["interval"][1]):
        return "free"
    low, high = gain["mean"]["interval"]
    return "buys" if low > 0 else "harms" if high < 0 else "nothing"


def _warnings(found: dict[str, Any]) -> list[str]:
    """Return what a reader should know before trusting the figures."""
    sample = found["sample"]
    said = []
    if sample["bytes"] < sample["asked_for"]:
        said.append(
            f"Samples are of {sample['bytes']:,} bytes instead of {sample['asked_for']:,}: that is four fifths of the "
            "smallest arm, or what references left of it."
        )
    if sample["bytes"] < _FEW_BYTES:
        said.append("Samples of less than 1 MB: what is compared is mostly luck.")
    said += [
        f"Reference {one['name']} has only {one['documents']} documents: its intervals say little."
        for one in found["references"]
        if one["documents"] < _FEW_DOCUMENTS
    ]
    mix = next(arm for arm in found["arms"] if arm["kind"] == MIXED)["bits_per_byte"]["mean"]
    if mix["difference_interval"][0] > 0:
        said.append("The mix predicts the references worse than random documents of the same size.")
    elif mix["difference_interval"][1] >= 0:
        said.append("The mix does not predict the references better than random documents of the same size.")
    for verdict, words in (("nothing", "buy nothing that shows"), ("harms", "make the references harder to predict")):
        steps = [step for step in found["steps"] if step["verdict"] == verdict]
        if steps:
            paid = sum(step["tokens_paid"] for step in steps)
            names = ", ".join(f"{step['name']} ({step['tokens_paid']:.1%})" for step in steps)
            said.append(f"Steps that take {paid:.1%} of the tokens {words} in samples of this size: {names}.")
    return said
