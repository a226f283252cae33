"""Lengths, languages and drift are counted exactly, with what a trim left and what the mix repeats."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from report_examples import run_over

import curate
from curate.report.breakdowns import MOST_LANGUAGES, Languages, Lengths
from curate.report.figures import with_drift
from tests.corpora import prose


def test_lengths_double_and_hold_every_document() -> None:
    lengths = Lengths()
    lengths.add(np.array([0, 1, 2, 3, 4, 1000]), np.array([0, 1, 2, 3, 2, 1000]), np.array([0, 1, 1, 0, 1, 1], bool))
    rows = lengths.table()
    assert [(row["from"], row["to"]) for row in rows[:4]] == [(0, 0), (1, 1), (2, 3), (4, 7)]
    assert (rows[-1]["from"], rows[-1]["to"]) == (512, 1023)
    assert rows[2] == {
        "from": 2, "to": 3, "input": {"documents": 2, "tokens": 5}, "output": {"documents": 2, "tokens": 4},
    }  # fmt: skip
    assert sum(row["input"]["tokens"] for row in rows) == 1010


def test_languages_count_what_came_in_was_kept_and_is_repeated() -> None:
    languages = Languages()
    before = np.array([[1, 40, 10], [1, 40, 10], [1, 40, 10]])
    after = np.array([[1, 40, 8], [1, 40, 10], [1, 40, 10]])
    values = pa.chunked_array([pa.array(["en", "en", None])])
    languages.add("lang", values, before, after, np.array([True, False, True]), np.array([3, 0, 1]))
    assert languages.table() == {
        "column": "lang",
        "rows": [
            {
                "language": "en", "input": {"documents": 2, "tokens": 20}, "output": {"documents": 1, "tokens": 8},
                "written_tokens": 24,
            },
            {
                "language": "unknown", "input": {"documents": 1, "tokens": 10},
                "output": {"documents": 1, "tokens": 10}, "written_tokens": 10,
            },
        ],
    }  # fmt: skip


def test_many_languages_end_in_one_row() -> None:
    languages = Languages()
    n = MOST_LANGUAGES + 5
    sizes = np.ones((n, 3), np.int64)
    values = pa.chunked_array([pa.array([f"l{i:03d}" for i in range(n)])])
    languages.add("language", values, sizes, sizes, np.ones(n, bool), np.ones(n, np.int64))
    rows = (languages.table() or {})["rows"]
    assert len(rows) == MOST_LANGUAGES + 1
    assert (rows[-1]["language"], rows[-1]["input"]["documents"]) == ("5 other", 5)


def test_drift_is_the_divergence_of_the_mix_from_what_there_is() -> None:
    rows = with_drift([
        {"share": 0.5, "available_tokens": 100},
        {"share": 0.5, "available_tokens": 300},
        {"share": 0.0, "available_tokens": 0},
    ])  # fmt: skip
    assert [row["natural_share"] for row in rows] == [0.25, 0.75, 0]
    assert [row["drift_bits"] for row in rows] == [0.5, pytest.approx(0.5 * math.log2(0.5 / 0.75)), 0]


def test_a_source_that_a_filter_all_but_fails_is_flagged(tmp_path: Path) -> None:
    recipe = '[[steps]]\nname = "long"\nfilter = "word_count >= 20"\n'
    short = [{"id": f"s{i}", "text": f"short {i}"} for i in range(30)]
    long = [{"id": f"l{i}", "text": prose(i)} for i in range(30)]
    report = run_over(tmp_path, {"tweets": [*short, *long[:5]], "books": long[5:]}, recipe).report
    assert report["steps"][0]["fails_most_of"] == [{"source": "tweets", "documents": 35, "fails": 30, "share": 30 / 35}]
    assert "Filter long fails 86% of tweets." in report["warnings"]


def test_what_a_source_lost_adds_up_in_every_unit(finished_run: curate.Run) -> None:
    for source in finished_run.report["sources"]:
        for unit in ("documents", "bytes", "tokens"):
            lost = sum(amounts[unit] for amounts in source["lost"].values())
            assert source["input"][unit] == source["output"][unit] + lost
            assert sum(sums[unit] for sums in source["domains"].values()) == source["output"][unit]
