"""An audit by two proxies, and what it says of their agreement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import curate
from curate.audit.second_opinion import second_opinion
from curate.cli import main
from tests.corpora import prose, small_corpus, write_jsonl


def audited(proxy: str, **bits: tuple[float, float]) -> dict[str, object]:
    return {
        "proxy": proxy,
        "seconds": 1.0,
        "references": [{"name": "books"}, {"name": "news"}],
        "arms": [
            {"name": arm, "bits_per_byte": {"references": {"books": {"value": a}, "news": {"value": b}}}}
            for arm, (a, b) in bits.items()
        ],
    }


def test_agreement_is_over_arms_and_references() -> None:
    first = audited("ngram", raw=(3.0, 4.0), random=(2.9, 3.9), mix=(2.8, 4.1))
    second = second_opinion(first, audited("transformer", raw=(2.0, 3.0), random=(1.9, 3.1), mix=(1.8, 3.2)))
    assert second["proxy"] == "transformer" and len(second["arms"]) == 3
    assert (second["agreement"]["agreed"], second["agreement"]["pairs"]) == (5, 6)
    assert second["agreement"]["references"]["books"] == {"kendall": pytest.approx(1), "spearman": pytest.approx(1)}


def test_curate_audit_trains_both_proxies_and_says_how_far_they_agree(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the transformer proxy needs PyTorch (the extra proxy)")
    recipe = curate.Recipe.parse('[[steps]]\nname = "long_enough"\nfilter = "word_count >= 20"', "short")
    run = curate.corpus(small_corpus(tmp_path / "in"), tmp_path / "run", recipe, threads=1)
    books = write_jsonl(tmp_path / "books.jsonl", [{"text": prose(n)} for n in range(900, 905)])
    arguments = ["--proxy", "both", "--proxy-size", "100k", "--proxy-steps", "2", "--seeds", "1", "--threads", "1"]
    done = CliRunner().invoke(main, ["audit", str(run.path), "--reference", f"books={books}", *arguments])
    assert done.exit_code == 0, done.output
    assert "ngram (first) and transformer order" in " ".join(done.output.split())
    found = json.loads((run.path / "audit.json").read_text())
    assert found["proxy"] == "ngram" and found["second"]["proxy"] == "transformer"
    assert [arm["name"] for arm in found["second"]["arms"]] == [arm["name"] for arm in found["arms"]]
