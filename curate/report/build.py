"""Stage 4: put the figures of a decided run together and write report.json, report.html and report.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import curate
from curate.decide import MIX
from curate.recipe import Recipe, fingerprint
from curate.report.figures import Figures, rejected, totals
from curate.shards import atomic_bytes

if TYPE_CHECKING:
    from curate.engines.local import Local
    from curate.run import Run


def report_run(run: Run, recipe: Recipe, engine: Local) -> dict[str, Any]:
    """Write the report of a decided run and return it as a dictionary."""
    from curate.report.histograms import histograms
    from curate.report.markdown import markdown
    from curate.report.page import page
    from curate.report.samples import draw

    key = fingerprint([run.stage("decide").get("key"), run.stage("write").get("key")])
    if run.is_done("report", key) and (run.path / "report.html").is_file():
        return run.report
    with run.doing("report", key):
        report = build(run, recipe)
        details = {
            "signals": histograms(run, recipe, report["input"]["documents"]),
            "samples": draw(run, recipe, engine),
        }
        atomic_bytes(run.path / "report.html", page(report, details).encode())
        atomic_bytes(run.path / "report.md", markdown(report).encode())
    report["timing"] = timing(run, report)
    atomic_bytes(run.path / "report.json", json.dumps(report, indent=1, ensure_ascii=False).encode())
    return report


def build(run: Run, recipe: Recipe) -> dict[str, Any]:
    """Return the report as a dictionary; RunError when documents were lost on the way."""
    decided = run.stage("decide")
    figures = Figures(decided["steps"])
    for shard in run.measured:
        figures.add(run, shard)
    figures.check()
    reject_totals, reject_sources = rejected(run)
    steps = figures.funnel()
    report: dict[str, Any] = {
        "curate": curate.__version__,
        "created": run.manifest["created"],
        "input": {**totals(figures.input), "raw_bytes": run.stage("measure")["counts"]["raw_bytes"]},
        "output": {
            **totals(figures.kept),
            "written": totals(figures.written),
        },
        "rejected": reject_totals,
        "skipped_files": run.stage("measure").get("skipped", {}),
        "steps": steps,
        "mix": figures.mix(decided["mix"], recipe.mix.shares),
        "sources": figures.by_source(reject_sources),
        "duplicates": decided.get("duplicates", {}),
        "recipe": {
            "name": recipe.name,
            "hash": recipe.fingerprint(),
            "description": recipe.description,
            "tokens": recipe.mix.tokens,
            "max_epochs": recipe.mix.max_epochs,
            "by": recipe.mix.by,
            "text": recipe.text,
        },
    }
    report["warnings"] = warnings(report, recipe)
    report["timing"] = timing(run, report)
    return report


def timing(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    """Return seconds by stage and the speed of the whole run in MB of raw text a second."""
    stages = {name: run.stage(name).get("seconds", 0.0) for name in ("measure", "decide", "write", "report")}
    seconds = sum(stages.values())
    megabytes = report["input"]["raw_bytes"] / 1e6
    return {
        "seconds": seconds,
        "mb_per_second": megabytes / seconds if seconds else 0.0,
        "threads": run.manifest.get("threads"),
        "by_stage": {
            name: {"seconds": spent, "mb_per_second": megabytes / spent if spent else 0.0}
            for name, spent in stages.items()
        },
    }


def warnings(report: dict[str, Any], recipe: Recipe) -> list[str]:
    """Return what a reader should know before trusting the mix."""
    found = []
    documents = report["input"]["documents"]
    for file, reason in report["skipped_files"].items():
        found.append(f"{file} could not be read and was skipped: {reason}")
    if report["rejected"]["documents"]:
        found.append(
            f"{report['rejected']['documents']:,} records are not documents and are in rejects/ with the reason."
        )
    for step in report["steps"]:
        if step["kind"] == "filter" and documents and step["would_drop"] == 0:
            found.append(f"Filter {step['name']} never fires: no document fails it.")
        if step["kind"] == "filter" and documents and step["would_drop"] == documents:
            found.append(f"Filter {step['name']} fires on every document.")
    if documents and not report["output"]["documents"]:
        found.append("The mix is empty: no document met every step.")
    found += [message for source in report["sources"] if (message := _wiped_out(source))]
    for entry in report["mix"]:
        wanted = entry["wanted_tokens"]
        if wanted and entry["capped"] and entry["tokens"] < 0.999 * wanted:
            found.append(
                f"Domain {entry['domain']} is short: it gives {entry['tokens']:,} of {round(wanted):,} tokens even at "
                f"{recipe.mix.max_epochs:g} epochs; give it more text, a smaller share, or raise max_epochs."
            )
    asked = report["recipe"]["tokens"]
    if asked and report["output"]["written"]["tokens"] < 0.999 * asked and documents:
        found.append(
            f"The mix holds {report['output']['written']['tokens']:,} tokens, not the {asked:,} asked for: "
            f"that is all there is at {recipe.mix.max_epochs:g} epochs."
        )
    outside = [
        entry["domain"] for entry in report["mix"] if recipe.mix.shares and entry["domain"] not in recipe.mix.shares
    ]
    if outside:
        found.append(f"No share was given to {', '.join(outside)}: nothing of it is in the mix.")
    return found


def _wiped_out(source: dict[str, Any]) -> str | None:
    """Say so when a source loses more than nine tenths of its documents before the mix is drawn."""
    drops = {name: count for name, count in source["dropped"].items() if name != MIX}
    documents = source["input"]["documents"]
    left = 1 - sum(drops.values()) / max(documents, 1)
    if documents < 20 or left >= 0.1:
        return None
    worst = max(drops, key=lambda name: drops[name])
    return f"Source {source['source']} keeps only {left:.1%} of its documents; most go to {worst}."
