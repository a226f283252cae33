"""What each section of the page shows: the report's figures arranged into rows, bars and sentences.

Computes no figures of its own beyond shares and sums, writes no HTML; escaping is the template's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.errors import RecipeError
from curate.recipe import Dedup, Filter, LineDedup, Recipe, SubstringDedup, Top
from curate.report.charts import SIGNS, share, stack
from curate.report.numbers import count, is_number, measured, percent, short, size

UNITS = {"documents": count, "tokens": short, "bytes": size}
KINDS = {"filter": "Filters", "dedup": "Duplicates", "trim": "Trimmed text", "top": "Top share", "mix": "Mix sampling"}
MOST_ROWS = 100  # sources and domains on the page; report.json has all of them
_TONES = 6  # steps with a colour of their own in the bars of the sources


def overview(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what came in and was kept by unit, and the account of it: in = kept + dropped by each kind of step."""
    lost = {
        kind: {unit: _dropped(report, kind, unit) for unit in UNITS}
        for kind in dict.fromkeys(step["kind"] for step in report["steps"])
    }
    given, kept = report["input"], report["output"]
    parts = [("kept", "Kept", kept), *((_tone(kind), KINDS.get(kind, kind), lost[kind]) for kind in lost)]
    return {
        "units": [
            {
                "unit": unit,
                "input": given[unit],
                "kept": kept[unit],
                "written": kept["written"][unit],
                "share": share(kept[unit], given[unit]),
                "bar": stack([(tone, label, amounts[unit]) for tone, label, amounts in parts], given[unit]),
            }
            for unit in UNITS
        ],
        "account": [
            (tone, label, [amounts[unit] for unit in UNITS], share(amounts["documents"], given["documents"]))
            for tone, label, amounts in parts
        ],
        "missing": [given[unit] - sum(amounts[unit] for _, _, amounts in parts) for unit in UNITS],
    }


def _dropped(report: Mapping[str, Any], kind: str, unit: str) -> int:
    return sum(step[f"{unit}_in"] - step[f"{unit}_out"] for step in report["steps"] if step["kind"] == kind)


def funnel(report: Mapping[str, Any], rules: Mapping[str, str], sampled: set[str]) -> list[dict[str, Any]]:
    """Return the steps with a bar for each unit: what is left, and what this step took, of all that came in."""
    rows = []
    for number, step in enumerate(report["steps"], 1):
        figures = {}
        for unit, write in UNITS.items():
            before, left, whole = step[f"{unit}_in"], step[f"{unit}_out"], report["input"][unit]
            figures[unit] = {
                "dropped": write(before - left),
                "of_entering": percent(share(before - left, before)),
                "left": write(left),
                "of_all": percent(share(left, whole)),
                "bar": stack([("kept", "left", left), (_tone(step["kind"]), "dropped", before - left)], whole),
            }
        quiet = bool(report["input"]["documents"]) and step["kind"] == "filter" and step["would_drop"] == 0
        rows.append({
            **step, "number": number, "rule": rules.get(step["name"], ""), "figures": figures,
            "quiet": quiet, "sampled": step["name"] in sampled,
        })  # fmt: skip
    return rows


def mix(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the domains, largest first, with bars scaled to the largest share."""
    entries = sorted(report["mix"], key=lambda entry: -max(entry["share"], entry["target_share"] or 0))
    scale = max((max(e["share"], e["target_share"] or 0) for e in entries), default=0) or 1.0
    natural = sum(entry["available_tokens"] for entry in entries)
    rows = [
        {
            **entry,
            "natural": share(entry["available_tokens"], natural),
            "bar": stack([("kept", "share of the mix", entry["share"])], scale),
            "target": None if entry["target_share"] is None else 100 * share(entry["target_share"], scale),
        }
        for entry in entries
    ]
    return {
        "rows": rows[:MOST_ROWS],
        "hidden": len(rows[MOST_ROWS:]),
        "hidden_tokens": sum(row["tokens"] for row in rows[MOST_ROWS:]),
        "targets": any(entry["target_share"] is not None for entry in entries),
    }


def sources(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sources, largest first, with the steps that took most in colours of their own."""
    entries = sorted(report["sources"], key=lambda entry: -entry["input"]["documents"])
    total: dict[str, int] = {}
    for entry in entries:
        for step, dropped in entry["dropped"].items():
            total[step] = total.get(step, 0) + dropped
    ranked = [step for step in sorted(total, key=lambda name: -total[name]) if total[step]]
    tones = {step: f"step{number}" for number, step in enumerate(ranked[:_TONES], 1)}
    rows = []
    for entry in entries:
        dropped = sorted(((n, s) for s, n in entry["dropped"].items() if n), reverse=True)
        parts = [("kept", "kept", entry["output"]["documents"])]
        parts += [(tones[step], step, entry["dropped"].get(step, 0)) for step in tones]
        parts.append(("other", "other steps", sum(n for n, step in dropped if step not in tones)))
        whole = entry["input"]["documents"]
        rows.append({
            **entry,
            "bar": stack(parts, whole),
            "losses": [(step, n, share(n, whole)) for n, step in dropped],
            "low": whole >= 20 and entry["retention"] < 0.1,
        })  # fmt: skip
    return {
        "rows": rows[:MOST_ROWS],
        "hidden": len(rows[MOST_ROWS:]),
        "legend": [("kept", "kept"), *((tone, step) for step, tone in tones.items())]
        + ([("other", "other steps")] if len(ranked) > _TONES else []),
    }


def duplicates(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the deduplication steps: candidates, and what verification made of them."""
    steps = {step["name"]: step for step in report["steps"]}
    rows = []
    for name, found in report["duplicates"].items():
        step = steps.get(name, {})
        parts = [("dedup", "dropped", found["dropped"]), ("spared", "spared", found["spared"])]
        rows.append({
            "name": name,
            **found,
            "tokens": step.get("tokens_in", 0) - step.get("tokens_out", 0),
            "of_entering": share(found["dropped"], step.get("documents_in")),
            "bar": stack(parts, max(found["candidates"], found["dropped"] + found["spared"])),
        })  # fmt: skip
    return rows


def stages(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the stages that took time, with bars scaled to the whole."""
    timing = report["timing"]
    spent = {name: stage for name, stage in timing["by_stage"].items() if stage["seconds"]}
    return [
        {"name": name, **stage, "bar": stack([("other", name, stage["seconds"])], timing["seconds"])}
        for name, stage in spent.items()
    ]


def documents(samples: Sequence[Mapping[str, Any]], rules: Mapping[str, str], longest: int) -> list[dict[str, Any]]:
    """Return the samples with texts of at most `longest` characters and the reason as a sentence of parts."""
    return [
        {
            **sample,
            "id": shorten(str(sample["id"]), 300),
            "survivor": None if sample["survivor"] is None else shorten(str(sample["survivor"]), 300),
            "text": visible(sample["text"][:longest]),
            "preview": visible(" ".join(sample["text"][:400].split())[:180]),
            "cut": min(longest, len(sample["text"])) < (sample["characters"] or 0),
            "shown": min(longest, len(sample["text"])),
            "rule": sample["rule"] or rules.get(sample["step"] or "", ""),
            "reasons": [_reason(reason) for reason in sample["reasons"]],
        }
        for sample in samples
    ]


def _reason(reason: Mapping[str, Any]) -> dict[str, Any]:
    limit = f"{SIGNS[reason['operator']]} {measured(reason['threshold'])}" if "operator" in reason else ""
    return {"signal": reason["signal"], "value": shorten(measured(reason["value"]), 80), "limit": limit}


def shorten(text: str, longest: int) -> str:
    """Cut a name that nobody would read to its end.

    >>> shorten("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def visible(text: str) -> str:
    """Show control characters as the pictures that Unicode has for them; HTML allows none but line ends and tabs.

    >>> visible("a\\x00b\\n")
    'a␀b\\n'
    """
    return text.translate(_PICTURES)


_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421}


def rules_of(report: Mapping[str, Any]) -> dict[str, str]:
    """Return what each step of the report's recipe asks for, in a line; nothing when this version cannot read it."""
    try:
        recipe = Recipe.parse(report["recipe"]["text"], report["recipe"]["name"])
    except RecipeError:
        return {}
    rules = {"mix": "drawn to the budget and shares of the mix"}
    for step in recipe.steps:
        if isinstance(step, Filter):
            rules[step.name] = f"{step.sql}, where {step.where}" if step.where else step.sql
        elif isinstance(step, Top):
            rules[step.name] = f"best {measured(100 * step.share)}% of tokens by {step.by}{_within(step.within)}"
        elif isinstance(step, LineDedup):
            rules[step.name] = f"a {step.unit} seen more than {step.more_than} times in {short(step.bucket)} documents"
        elif isinstance(step, SubstringDedup):
            rules[step.name] = f"runs of {step.min_words} words and more that stand elsewhere too"
        else:
            rules[step.name] = _dedup_rule(step)
    return rules


def _dedup_rule(step: Dedup) -> str:
    if step.method == "exact":
        return f"the same text{_within(step.within)}"
    check = f"Jaccard ≥ {measured(step.verify)}" if is_number(step.verify) else "not verified"
    return f"word {step.ngram}-grams, {step.bands} bands of {step.rows} rows, {check}{_within(step.within)}"


def _within(columns: Sequence[str]) -> str:
    return f" within {', '.join(columns)}" if columns else ""


def _tone(kind: str) -> str:
    return kind if kind in KINDS else "other"
