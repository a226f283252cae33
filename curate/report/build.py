"""Stage 4: put the figures of a decided run together and write report.json, report.html and report.md."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import curate
from curate.audit.stored import stored
from curate.errors import RunError
from curate.recipe import Mix, Recipe, fingerprint
from curate.report.account import totals
from curate.report.cost import provenance, timing
from curate.report.figures import figures_of
from curate.report.losses import losses, odd_duplicates
from curate.shards import atomic_bytes

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run


def report_run(
    run: Run,
    recipe: Recipe,
    engine: Engine,
    price_per_core_hour: float | None = None,
    *,
    tasks_done: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Write the report of a decided run and return it as a dictionary; with a price, the cost of a TB in money.

    `tasks_done` is called when the engine has run the last task of it.
    """
    from curate.report.markdown import markdown
    from curate.report.page import page
    from curate.report.samples import draw

    if not run.is_done("decide", run.stage("decide").get("key", "")):
        raise RunError(f"{run.path} is not decided yet; run: curate decide {run.path}")
    audited = stored(run)
    key = fingerprint(
        [run.stage(name).get(what) for name in ("decide", "write") for what in ("key", "done")]
        + [price_per_core_hour]
        + ([audited["created"], audited["decided"]] if audited else [])
    )
    if run.is_done("report", key) and (run.path / "report.html").is_file():
        return run.report
    begun = time.perf_counter()
    with run.doing("report", key):
        report = build(run, recipe, engine)
        with ThreadPoolExecutor(1) as beside:  # reads texts, while the rest reads columns
            samples = beside.submit(draw, run, recipe, engine)
            samples.add_done_callback(lambda _: tasks_done())
            details = look(run, recipe, report, samples.result)
        so_far = time.perf_counter() - begun  # all three files say the same: the report took what it took until here
        report["timing"] = timing(run, report["input"]["raw_bytes"], so_far, price_per_core_hour)
        atomic_bytes(run.path / "report.html", page(report, details).encode())
        atomic_bytes(run.path / "report.md", markdown(report).encode())
        atomic_bytes(run.path / "report.json", json.dumps(report, indent=1, ensure_ascii=False).encode())
    files = [run.path / name for name in ("report.json", "report.html", "report.md")]
    run.stage("report")["files"] = run.seals(known=files)
    run.save()
    return report


def look(run: Run, recipe: Recipe, report: dict[str, Any], drawn: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    """Return what the page shows beyond the report, from a sample; adds `quality` to the report.

    `samples`, documents to look at, as `drawn` gives them; `signals` as `histograms` does, with `sliders` as `what_if`
    does; `classifiers`.
    """
    from curate.report.histograms import histograms
    from curate.report.quality import quality_by_domain
    from curate.report.sampled import sampled
    from curate.report.scores import classifier_facts
    from curate.report.what_if import what_if

    documents = report["input"]["documents"]
    frame = sampled(run, recipe, documents)
    report["quality"] = quality_by_domain(frame, recipe)
    charts = histograms(frame, recipe)
    sliders = what_if(frame, recipe, charts, documents)
    samples = drawn()
    return {
        "signals": [{**chart, "sliders": sliders.get(chart["name"], [])} for chart in charts],
        "samples": samples,
        "classifiers": classifier_facts(frame, recipe, samples),
    }


_SOURCES_NAMED = 3  # that a filter all but fails
_STALE = "The mix is not written for these decisions"


def _skipped(run: Run) -> dict[str, str]:
    """Return the files that could not be read and were skipped, with the reason."""
    shards = {shard.name: shard for shard in run.shards}
    return {shards[name].paths[0]: reason for name, reason in run.stage("measure")["skipped"].items()}


def build(run: Run, recipe: Recipe, engine: Engine) -> dict[str, Any]:
    """Return what the report counts, without `timing` and `quality`; RunError when documents were lost on the way."""
    decided = run.stage("decide")
    trims = decided.get("trims", {})
    figures = figures_of(run, engine)
    mix = figures.mix(decided["mix"], recipe.mix.shares)
    report: dict[str, Any] = {
        "curate": curate.__version__,
        "created": run.manifest["created"],
        "input": {**totals(figures.all.input), "raw_bytes": run.stage("measure")["counts"]["raw_bytes"]},
        "output": {
            **totals(figures.all.output),
            "written": totals(figures.written),
        },
        "rejected": figures.rejected(),
        "skipped_files": _skipped(run),
        "steps": figures.funnel(),
        "overlap": figures.overlap.table(),
        "mix": mix,
        "drift_bits": sum(entry["drift_bits"] for entry in mix),
        "languages": figures.languages.table(),
        "lengths": figures.lengths.table(),
        "sources": figures.by_source(),
        "duplicates": decided.get("duplicates", {}),
        "rehydration": decided.get("rehydration"),
        "trims": {
            name: {fact: value for fact, value in facts.items() if fact != "folder"} for name, facts in trims.items()
        },
        "recipe": {
            "name": recipe.name,
            "hash": recipe.fingerprint(),
            "description": recipe.description,
            "tokens": recipe.mix.tokens,
            "max_epochs": recipe.mix.max_epochs,
            "by": recipe.mix.by,
            "rehydrate": recipe.mix.rehydrate,
            "text": recipe.text,
        },
        "provenance": provenance(run, recipe),
        "audit": stored(run),
    }
    stale = [] if run.stage("write").get("done") else [f"{_STALE}; run: curate write {run.path}"]
    report["warnings"] = stale + warnings(report, recipe)
    return report


def warnings(report: dict[str, Any], recipe: Recipe) -> list[str]:
    """Return what a reader should know before trusting the mix."""
    documents = report["input"]["documents"]
    found = _short_of_the_budget(report, recipe.mix)
    if documents and not report["output"]["documents"]:
        found.append("The mix is empty: no document met every step.")
    found += losses(report)
    if report["audit"] and report["audit"]["outdated"]:
        found.append("The audit is of other decisions; run curate audit again.")
    found += odd_duplicates(report["duplicates"])
    found += [f"{file} was skipped: {reason}" for file, reason in report["skipped_files"].items()]
    if report["rejected"]["documents"]:
        found.append(
            f"{report['rejected']['documents']:,} records are no documents: rejects/ has them, with the reason."
        )
    outside = [
        entry["domain"] for entry in report["mix"] if recipe.mix.shares and entry["domain"] not in recipe.mix.shares
    ]
    if outside:
        found.append(f"No share was given to {', '.join(outside)}: nothing of it is in the mix.")
    for step in report["steps"]:
        if step["kind"] == "filter" and documents and step["would_drop"] == 0:
            found.append(f"Filter {step['name']} never fires: no document fails it.")
        if step["kind"] == "filter" and documents and step["would_drop"] == documents:
            found.append(f"Filter {step['name']} fires on every document.")
        elif step.get("fails_most_of"):
            found.append(_most_of_a_source(step["name"], step["fails_most_of"]))
    return found


def _most_of_a_source(name: str, hit: list[dict[str, Any]]) -> str:
    """Say which sources a filter all but fails; the worst by name."""
    named = ", ".join(f"{entry['share']:.0%} of {entry['source']}" for entry in hit[:_SOURCES_NAMED])
    more = f", and most of {len(hit) - _SOURCES_NAMED} more sources" if len(hit) > _SOURCES_NAMED else ""
    return f"Filter {name} fails {named}{more}."


def _short_of_the_budget(report: dict[str, Any], mix: Mix) -> list[str]:
    """Say which classes could not give their share, whether the budget was missed, and what would make it possible."""
    found = []
    asked_for = [entry for entry in report["mix"] if entry["wanted_tokens"]]
    possible = []
    for entry in asked_for:
        wanted, gives = round(entry["wanted_tokens"]), entry["tokens"]
        share = entry["wanted_tokens"] / (report["recipe"]["tokens"] or sum(e["wanted_tokens"] for e in asked_for))
        if mix.method != "natural" and entry["capped"] and gives < 0.999 * wanted:
            name, limit = entry["domain"], mix.limit(entry["domain"])
            missing = (wanted - gives) / max(gives / max(entry["available_tokens"], 1), 1e-9)
            more = f"{round(missing):,} more tokens of text, " if gives else "text, "
            epochs = f", or max_epochs = {wanted / entry['available_tokens']:.3g}" if entry["available_tokens"] else ""
            possible.append(gives / share)
            found.append(
                f"{name} is short: it gives {gives:,} of {wanted:,} tokens even at {limit:g} epochs; "
                f"it takes {more}a share of {gives / max(report['output']['written']['tokens'], 1):.3g}{epochs}."
            )
    if possible and min(possible) >= 1:
        found.append(f"The shares can be met exactly with a budget of at most {int(min(possible)):,} tokens.")
    budget, written = report["recipe"]["tokens"], report["output"]["written"]["tokens"]
    if budget and written < 0.999 * budget and all(entry["capped"] for entry in asked_for):
        found.append(
            f"The mix holds {written:,} tokens, not the {budget:,} asked for: that is all there is within the "
            "limits on epochs and shares."
        )
    return found
