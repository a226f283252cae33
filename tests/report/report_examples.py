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
        "mix": [example_domain("web", 1.0)],
        "sources": [example_source("web", {"long_enough": 20})],
        "duplicates": {},
        "warnings": [],
        "recipe": {
            "name": "example", "hash": "0123456789abcdef", "description": "", "tokens": None, "max_epochs": 4.0,
            "by": "source", "text": 'name = "example"\n',
        },
        "timing": {
            "seconds": 1.0, "mb_per_second": 10.0, "threads": 2,
            "by_stage": {"measure": {"seconds": 1.0, "mb_per_second": 10.0}},
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
        "epochs": 1.0, "capped": False,
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
    }


def example_sample(**changes: Any) -> dict[str, Any]:
    """Return a document that "long_enough" dropped, with some entries replaced."""
    sample: dict[str, Any] = {
        "id": "d1", "source": "web", "domain": "web", "step": "long_enough", "text": "Too short.",
        "characters": 10, "tokens": 3,
        "reasons": [{"signal": "word_count", "value": 2, "operator": ">=", "threshold": 20.0}],
        "rule": "word_count >= 20", "survivor": None, "similarity": None,
    }  # fmt: skip
    return sample | changes


def example_signal(**changes: Any) -> dict[str, Any]:
    """Return a histogram of three bins with a threshold, with some entries replaced."""
    limit = {"step": "long_enough", "operator": ">=", "value": 20.0, "where": None, "at": 20.0, "decisive": True}
    signal: dict[str, Any] = {
        "name": "word_count", "unit": "words", "definition": "Words.", "thresholds": [limit],
        "discrete": False, "logarithmic": False, "edges": [0.0, 20.0, 40.0, 60.0],
        "kept": [0, 50, 30], "dropped": [20, 0, 0], "beyond": [0, 5], "sampled": 100,
    }  # fmt: skip
    return signal | changes
