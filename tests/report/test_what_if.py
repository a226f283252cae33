"""The sliders of the page answer as `curate tune` does, and their errors are those of the sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from report_examples import run_over

import curate
from curate.questions.tune import tune
from curate.report.histograms import histograms
from curate.report.sampled import sampled
from curate.report.what_if import positions, what_if
from tests.corpora import prose

RECIPE = """
[[steps]]
name = "long_enough"
filter = "word_count >= 40"

[[steps]]
name = "words"
filter = "mean_word_length BETWEEN 4.2 AND 10 AND word_count > 3"

[[steps]]
name = "not_long"
filter = "NOT (word_count > 200)"

[[steps]]
name = "elsewhere"
filter = "char_count < 600"
where = "source = 'b'"

[[steps]]
dedup = "exact"

[mix]
by = "source"
tokens = 3000
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    records = [{"id": f"d{i}", "text": prose(i, 1 + i % 23)} for i in range(120)]
    records += [{"id": f"c{i}", "text": prose(i, 1 + i % 23)} for i in range(10)]
    return run_over(tmp_path_factory.mktemp("what_if"), {"a": records[:70], "b": records[70:]}, RECIPE)


def curves(run: curate.Run, documents: int = 130) -> dict[tuple[str, str, str], dict[str, Any]]:
    frame = sampled(run, run.recipe, documents)
    found = what_if(frame, run.recipe, histograms(frame, run.recipe), documents)
    return {(slider["step"], name, slider["operator"]): slider for name, all_ in found.items() for slider in all_}


def test_every_comparison_of_a_filter_has_a_slider(run: curate.Run) -> None:
    assert set(curves(run)) == {
        ("long_enough", "word_count", ">="),
        ("words", "mean_word_length", ">="),
        ("words", "mean_word_length", "<="),
        ("words", "word_count", ">"),
        ("not_long", "word_count", ">"),
        ("elsewhere", "char_count", "<"),
    }


TRIMS = """
[[steps]]
name = "before"
filter = "char_count >= 150"

[[steps]]
dedup = "lines"
more_than = 2
min_left = 0

[[steps]]
name = "after"
filter = "char_count >= 400"
"""


def test_a_slider_says_what_tune_says_where_text_was_cut_too(tmp_path: Path) -> None:
    boiler = "This line stands on every page of the site, word for word, and goes."
    records = [{"id": f"d{i}", "text": f"{boiler}\n{prose(i, 1 + i % 7)}"} for i in range(60)]
    run = run_over(tmp_path, {"a": records}, TRIMS)
    assert 0 < run.report["output"]["documents"] < 60
    for (step, signal, operator), slider in curves(run, 60).items():
        rows = {row["threshold"]: row for row in tune(run, step, signal, slider["at"], operator).rows}
        assert slider["documents"] == pytest.approx([rows[at]["documents"] / 60 for at in slider["at"]], abs=1e-6)
        assert slider["tokens"] == pytest.approx([rows[at]["share"] for at in slider["at"]], abs=1e-6)
    now = next(row for row in tune(run, "after").rows if row["now"])
    assert (now["documents"], now["tokens"]) == tuple(run.report["output"][unit] for unit in ("documents", "tokens"))


def test_a_slider_says_what_tune_says(run: curate.Run) -> None:
    tokens = run.report["input"]["tokens"]
    moved = 0
    for (step, signal, operator), slider in curves(run).items():
        rows = {row["threshold"]: row for row in tune(run, step, signal, slider["at"], operator).rows}
        now = next(row["documents"] for row in rows.values() if row["now"])
        for place, at in enumerate(slider["at"]):
            assert slider["documents"][place] == pytest.approx(rows[at]["documents"] / 130, abs=1e-6), (step, at)
            assert slider["tokens"][place] == pytest.approx(rows[at]["tokens"] / tokens, abs=1e-6), (step, at)
            assert slider["change"][place] == rows[at]["documents"] - now
        assert set(slider["documents_error"]) == set(slider["tokens_error"]) == {0.0}  # all were looked at
        moved += len(set(slider["documents"])) > 1
    assert moved >= 4


def test_errors_are_those_of_samples_drawn_again_and_again() -> None:
    """A population of 4,000 and samples of 400: the error said is the spread of the answers."""
    rng = np.random.default_rng(1)
    tokens = rng.integers(10, 2000, 4_000)
    words = tokens + rng.integers(-9, 400, 4_000)
    recipe = curate.Recipe.parse('[[steps]]\nname = "f"\nfilter = "word_count >= 500"\n', "test")
    whole = pl.DataFrame({"word_count": words, "token_count": tokens}).with_columns(
        failed=pl.when(pl.col("word_count") < 500).then(pl.lit(["f"])).otherwise(pl.lit([], dtype=pl.List(pl.String))),
        dropped_by=pl.when(pl.col("word_count") < 500).then(pl.lit("f")),
    )
    chart = {"name": "word_count", "edges": [0.0, 500.0, 800.0, 2000.0], "discrete": False, "logarithmic": False}
    answers = []
    for _ in range(300):
        drawn = whole[rng.choice(4_000, 400, replace=False)]
        [slider] = what_if(drawn, recipe, [chart], 4_000)["word_count"]
        place = slider["at"].index(800.0)
        answers.append([slider[name][place] for name in ("documents", "tokens", "change")])
        said = [slider[f"{name}_error"][place] for name in ("documents", "tokens", "change")]
    assert np.std(answers, axis=0) == pytest.approx(said, rel=0.25)


def test_a_slider_stops_at_whole_numbers_where_values_are_whole() -> None:
    chart = {"edges": [-0.5, 0.5, 1.5, 2.5], "discrete": True, "logarithmic": False}
    assert positions(chart, 2.0) == [0, 1, 2, 3]
    assert 0.137 in positions({"edges": [0.0, 1.0], "discrete": False, "logarithmic": False}, 0.137)


def test_a_signal_without_values_has_no_slider(tmp_path: Path) -> None:
    run = run_over(tmp_path, {"web": []}, RECIPE)
    assert "keeps" not in (run.path / "report.html").read_text("utf-8")
