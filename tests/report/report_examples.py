"""Reports to make pages of: real runs over a handful of documents, and shapes that no small run has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import curate
from tests.corpora import write_jsonl

HOSTILE = [
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "' onmouseover='window.hacked=1' x='",
    "</title></style><svg/onload=window.hacked=1>",
    "<!-- <iframe src=javascript:window.hacked=1>",
    "{{ 7 * 7 }}{% raw %}",
    "line\u2028separator \u202egnihtyreve",
    "&lt;b&gt; &amp; <b>bold</b>",
    "<details open ontoggle=window.hacked=1>",
]


def run_over(
    folder: Path, sources: Mapping[str, Sequence[Mapping[str, Any]]], recipe: str, name: str = "test"
) -> curate.Run:
    """Write records as one file a source and curate them."""
    inputs = []
    for number, (source, records) in enumerate(sources.items()):
        path = write_jsonl(folder / f"input{number}.jsonl", [dict(record) for record in records])
        inputs.append(f"{source}={path}")
    return curate.corpus(inputs, folder / "run", recipe=curate.Recipe.parse(recipe, name), threads=1)


def example_report(**changes: Any) -> dict[str, Any]:
    """Return a report of one filter over one source of 100 documents, with some entries replaced."""
    size = {"documents": 100, "bytes": 10_000, "tokens": 2_500}
    kept = {"documents": 80, "bytes": 8_000, "tokens": 2_000}
    report: dict[str, Any] = {
        "curate": "0.1.0",
        "created": 0.0,
        "input": {**size, "raw_bytes": 10_100},
        "output": {**kept, "written": dict(kept)},
        "rejected": {"documents": 0, "bytes": 0},
        "skipped_files": {},
        "steps": [example_step("long_enough", 100, 80)],
        "overlap": {"filters": ["long_enough"], "documents": [[20]]},
        "mix": [example_domain("web", 1.0)],
        "drift_bits": 0.0,
        "languages": None,
        "lengths": [
            {
                "from": 16, "to": 31,
                "input": {"documents": 100, "tokens": 2_500}, "output": {"documents": 80, "tokens": 2_000},
            }
        ],
        "quality": None,
        "sources": [example_source("web", {"long_enough": 20})],
        "duplicates": {},
        "rehydration": None,
        "trims": {},
        "warnings": [],
        "audit": None,
        "recipe": {
            "name": "example", "hash": "0123456789abcdef", "description": "", "tokens": None, "max_epochs": 4.0,
            "by": "source", "rehydrate": False, "text": 'name = "example"\n',
        },
        "timing": {
            "seconds": 1.0, "mb_per_second": 10.0, "threads": 2, "core_seconds_per_tb": 200_000.0,
            "price_per_core_hour": None, "money_per_tb": None,
            "by_stage": {"measure": {"seconds": 1.0, "mb_per_second": 10.0}},
        },
        "provenance": {
            "hashes": {"recipe": "0123456789abcdef"}, "models": [], "versions": {"curate": "0.1.0"},
        },
    }  # fmt: skip
    return report | changes


def example_step(name: str, before: int, after: int, kind: str = "filter") -> dict[str, Any]:
    """Return a step that leaves `after` of `before` documents of 100 bytes and 25 tokens."""
    dropped = before - after
    step: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "dropped": dropped,
        "would_drop": dropped,
        "drops_alone": dropped,
        "fails_most_of": [],
    }
    for unit, size in (("documents", 1), ("bytes", 100), ("tokens", 25)):
        step |= {f"{unit}_in": before * size, f"{unit}_out": after * size}
    return step


def example_domain(name: str, share: float, target: float | None = None) -> dict[str, Any]:
    """Return a domain with a share of 2,000 tokens."""
    tokens = round(2_000 * share)
    return {
        "domain": name, "documents": 80, "written_documents": 80, "bytes": 4 * tokens, "tokens": tokens,
        "available_tokens": tokens, "share": share, "target_share": target, "wanted_tokens": tokens,
        "epochs": 1.0, "capped": False, "natural_share": share, "drift_bits": 0.0, "parts": [],
    }  # fmt: skip


def example_source(name: str, dropped: Mapping[str, int], documents: int = 100) -> dict[str, Any]:
    """Return a source of some documents, of which those that no step dropped are kept."""
    kept = documents - sum(dropped.values())
    return {
        "source": name,
        "input": {"documents": documents, "bytes": 100 * documents, "tokens": 25 * documents},
        "output": {"documents": kept, "bytes": 100 * kept, "tokens": 25 * kept},
        "rejected": 0,
        "retention": kept / max(documents, 1),
        "dropped": dict(dropped),
        "lost": {step: {"documents": n, "bytes": 100 * n, "tokens": 25 * n} for step, n in dropped.items()},
        "domains": {name: {"documents": kept, "bytes": 100 * kept, "tokens": 25 * kept}} if kept else {},
    }


def example_sample(**changes: Any) -> dict[str, Any]:
    """Return a document that "long_enough" dropped, with some entries replaced."""
    sample: dict[str, Any] = {
        "id": "d1", "source": "web", "domain": "web", "step": "long_enough", "text": "Too short.",
        "characters": 10, "tokens": 3,
        "reasons": [{"signal": "word_count", "value": 2, "operator": ">=", "threshold": 20.0}],
        "rule": "word_count >= 20", "survivor": None, "similarity": None, "begin": 0, "highlight": [],
        "difference": None,
    }  # fmt: skip
    return sample | changes


def example_signal(**changes: Any) -> dict[str, Any]:
    """Return a histogram of three bins with a threshold, with some entries replaced."""
    limit = {"step": "long_enough", "operator": ">=", "value": 20.0, "where": None, "at": 20.0, "decisive": True}
    signal: dict[str, Any] = {
        "name": "word_count", "unit": "words", "definition": "Words.", "thresholds": [limit],
        "discrete": False, "logarithmic": False, "edges": [0.0, 20.0, 40.0, 60.0],
        "kept": [0, 50, 30], "dropped": [20, 0, 0], "beyond": [0, 5], "sampled": 100, "sliders": [],
    }  # fmt: skip
    return signal | changes


def example_slider(**changes: Any) -> dict[str, Any]:
    """Return a slider with four thresholds from 0 to 60, now at 20, of a sample of 100 documents of 1,000."""
    slider: dict[str, Any] = {
        "step": "long_enough", "operator": ">=", "now": 20.0, "sampled": 100, "at": [0.0, 20.0, 40.0, 60.0],
        "documents": [1.0, 0.8, 0.3, 0.0], "documents_error": [0.0, 0.038, 0.043, 0.0],
        "tokens": [1.0, 0.9, 0.5, 0.0], "tokens_error": [0.0, 0.02, 0.04, 0.0],
        "change": [200, 0, -500, -800], "change_error": [38, 0, 47, 38],
    }  # fmt: skip
    return slider | changes


def example_dedup(**changes: Any) -> dict[str, Any]:
    """Return the facts of a minhash step that dropped 6 documents and spared 2."""
    counts = [0] * 20
    edges = [round(0.05 * i, 2) for i in range(21)]
    facts: dict[str, Any] = {
        "method": "minhash", "documents": 80, "candidates": 8, "dropped": 6, "spared": 2, "protected": 0,
        "parameters": {"keep": "", "bands": 14, "rows": 8, "verify": 0.7}, "precision": 0.75,
        "cluster_sizes": [[1, 70], [2, 4], [6, 6]], "most_repeated": [["d7", 6], ["d9", 2]],
        "similarity": {"edges": edges, "counts": [*counts[:18], 4, 2]},
        "spared_similarity": {"edges": edges, "counts": [*counts[:12], 2, *counts[13:]]},
        "short": {"documents": 3, "dropped": 1}, "empty": {"documents": 0, "dropped": 0}, "alarm": 0.5, "alarms": [],
    }  # fmt: skip
    return facts | changes


def example_classifier(**changes: Any) -> dict[str, Any]:
    """Return what a classifier with a positive label said of 100 documents of one source."""
    facts: dict[str, Any] = {
        "signal": "quality", "model": "quality", "about": "Edited prose.", "label": "hq", "calibrated": False,
        "documents": 99, "labels": [], "calibration": None,
        "sources": [{"source": "web", "documents": 100, "without": 1, "quantiles": [0.1, 0.2, 0.5, 0.7, 0.9]}],
        "words": {
            "documents": 3, "against_label": "lq",
            "for": [{"word": "harbour", "count": 3, "adds": 0.2}],
            "against": [{"word": "FREE", "count": 2, "adds": -0.4}],
        },
    }  # fmt: skip
    return facts | changes
