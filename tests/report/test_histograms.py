"""Histograms hold every document once and never mix the two sides of a threshold."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from report_examples import run_over

import curate
from curate.report.histograms import histograms
from curate.report.sampled import sampled
from tests.corpora import prose

RECIPE = """
[[steps]]
name = "long_enough"
filter = "word_count >= 40"

[[steps]]
name = "words"
filter = "mean_word_length BETWEEN 3 AND 10"

[[steps]]
name = "stop_words"
filter = "gopher_stop_words >= 2"

[[steps]]
name = "either"
filter = "gopher_alpha_words >= 0.5 OR char_count < 10"

[[steps]]
name = "some"
filter = "gopher_dup_lines <= 0.3"
where = "source = 'elsewhere'"
"""


@pytest.fixture(scope="module")
def signals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    records = [{"id": f"d{i}", "text": prose(i, 3 + 3 * (i % 9))} for i in range(80)]
    records += [{"id": f"s{i}", "text": "short " * i} for i in range(1, 30)]
    run = run_over(tmp_path_factory.mktemp("histograms"), {"web": records}, RECIPE)
    return {entry["name"]: entry for entry in histograms(sampled(run, run.recipe, 109), run.recipe)}


def test_every_document_is_counted_once(signals: dict[str, dict[str, Any]]) -> None:
    for entry in signals.values():
        assert sum(entry["kept"]) + sum(entry["dropped"]) == entry["sampled"] == 109
        assert len(entry["edges"]) == len(entry["kept"]) + 1 == len(entry["dropped"]) + 1
        assert entry["edges"] == sorted(set(entry["edges"]))


def test_no_kept_document_is_on_the_failing_side_of_a_threshold(signals: dict[str, dict[str, Any]]) -> None:
    checked = 0
    for entry in signals.values():
        for limit in entry["thresholds"]:
            bins = zip(pairwise(entry["edges"]), entry["kept"], strict=True)
            if limit["decisive"] and limit["operator"] == ">=":
                assert sum(kept for (_, high), kept in bins if high <= limit["at"] + 1e-6) == 0
                assert any(abs(edge - limit["at"]) < 1e-5 * limit["at"] for edge in entry["edges"])
                checked += 1
    assert checked >= 3


def test_a_predicate_with_or_does_not_decide_alone(signals: dict[str, dict[str, Any]]) -> None:
    assert [limit["decisive"] for limit in signals["gopher_alpha_words"]["thresholds"]] == [False]


def test_a_filter_for_some_documents_does_not_decide_alone(signals: dict[str, dict[str, Any]]) -> None:
    [limit] = signals["gopher_dup_lines"]["thresholds"]
    assert not limit["decisive"]
    assert limit["where"] == "source = 'elsewhere'"


def test_small_whole_numbers_get_a_bin_each(signals: dict[str, dict[str, Any]]) -> None:
    entry = signals["gopher_stop_words"]
    assert entry["discrete"]
    assert entry["thresholds"][0]["at"] == 1.5
    assert {edge % 1 for edge in entry["edges"]} == {0.5}


def test_a_signal_with_one_value_has_a_histogram(tmp_path: Path) -> None:
    recipe = '[[steps]]\nname = "words"\nfilter = "mean_word_length >= 2"\n'
    run: curate.Run = run_over(tmp_path, {"web": [{"id": "a", "text": "some text here"}]}, recipe)
    [entry] = histograms(sampled(run, run.recipe, 1), run.recipe)
    assert sum(entry["kept"]) == 1
    assert entry["edges"] == sorted(set(entry["edges"]))
