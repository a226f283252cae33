"""Warnings about what deduplication did, and about sources of which hardly anything is left.

Words for figures that decide counted; nothing is counted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.decide.fold import MIX
from curate.report.numbers import percent

_SHOWN = 5  # sources that one step is blamed for, in words; report.json names all
_TOO_FEW = 20  # documents of a source of which to keep few is no news, if no dedup step is to blame
_LEFT = 0.1


def losses(report: dict[str, Any]) -> list[str]:
    """Return a sentence for each source that a dedup step, or all steps before the mix, all but wiped out.

    Also one for each dedup step that could not compare all that it had to.
    """
    found: list[str] = []
    blamed: set[str] = set()
    for name, facts in report["duplicates"].items():
        alarms = facts.get("alarms", [])
        blamed.update(alarm["source"] for alarm in alarms)
        found += [alarm_sentence(name, alarm) for alarm in alarms[:_SHOWN]]
        if len(alarms) > _SHOWN:
            found.append(
                f"Step {name} takes more than {percent(facts['alarm'])} of {len(alarms) - _SHOWN} more sources: "
                "report.json lists them."
            )
        if crowded := facts.get("crowded"):
            found.append(
                f"Step {name} kept {crowded['documents']:,} documents that share a band with more than "
                f"{crowded['most']:,} others that stay, and were compared with the best ranked of these only: "
                "there may be duplicates among them. More rows in a band make buckets smaller."
            )
    return found + [
        message
        for source in report["sources"]
        if source["source"] not in blamed and (message := _wiped_out(source)) is not None
    ]


def alarm_sentence(step: str, alarm: Mapping[str, Any]) -> str:
    """Return a sentence about a source that lost much to a step, with examples."""
    examples = "; ".join(map(_example, alarm["examples"]))
    return (
        f"Source {alarm['source']} loses {alarm['dropped']:,} of {alarm['documents']:,} documents "
        f"({percent(alarm['share'])}) in {step}, such as {examples}."
    )


def _example(example: dict[str, Any]) -> str:
    if example["survivor"] is None:
        return f"{example['dropped']}, which is too short"
    similarity = "" if example["similarity"] is None else f" (similarity {example['similarity']:.2f})"
    return f"{example['dropped']} for {example['survivor']}{similarity}"


def _wiped_out(source: dict[str, Any]) -> str | None:
    """Say so when a source loses more than nine tenths of its documents before the mix is drawn."""
    drops = {name: count for name, count in source["dropped"].items() if name != MIX}
    documents = source["input"]["documents"]
    left = 1 - sum(drops.values()) / max(documents, 1)
    if documents < _TOO_FEW or left >= _LEFT:
        return None
    worst = max(drops, key=lambda name: drops[name])
    return f"Source {source['source']} keeps only {left:.1%} of its documents; most go to {worst}."


def odd_duplicates(duplicates: dict[str, Any]) -> list[str]:
    """Return sentences about sources that a step names in vain, and duplicates that only folded numbers make."""
    found = []
    for name, facts in duplicates.items():
        for source, meant in facts.get("absent_sources", {}).items():
            found.append(f'Step {name} names the source "{source}", of which the inputs have nothing{meant or "."}')
        folded = facts.get("folded", {"documents": 0})
        if folded["documents"]:
            found.append(
                f"Step {name} drops {folded['documents']:,} documents only because numbers count as 0: "
                f"{folded['clusters']:,} clusters hold together by nothing else."
            )
    return found
