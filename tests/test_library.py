"""`import curate` in a notebook."""

from __future__ import annotations

import importlib
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import curate
from tests.corpora import RECIPE, prose


def test_the_public_api_is_what_all_says_and_every_name_is_there() -> None:
    for name in curate.__all__:
        assert getattr(curate, name) is not None
    assert set(curate.__all__) <= set(dir(curate))


def test_a_stage_is_a_function_even_after_its_module_was_imported() -> None:
    homes = {"measure": "measure.texts", "decide": "decide.stage", "write": "write.stage", "corpus": "corpus"}
    for name, home in homes.items():
        importlib.import_module(f"curate.{name}")
        module = importlib.import_module(f"curate.{home}")
        assert callable(getattr(curate, name))
        assert getattr(curate, name) is getattr(module, name)


@pytest.mark.parametrize("wrap", [list, pa.array, pl.Series, lambda texts: pa.chunked_array([texts[:1], texts[1:]])])
def test_measure_takes_anything_that_arrow_reads_as_strings(wrap: object) -> None:
    found = curate.measure(wrap(["one two", "", "three"]), signals=["word_count", "char_count"])  # type: ignore[operator]
    assert found.to_dict(as_series=False) == {"char_count": [7, 0, 5], "word_count": [2, 0, 1]}


def test_measure_keeps_the_columns_of_a_frame_in_front() -> None:
    frame = pl.DataFrame({"url": ["u"], "text": ["one two"]})
    assert curate.measure(frame, signals=["word_count"]).columns == ["url", "text", "word_count"]


def test_measure_names_the_nearest_signal() -> None:
    with pytest.raises(curate.RecipeError, match='did you mean "word_count"'):
        curate.measure(["x"], signals=["words_count"])


def test_classifiers_are_signals_under_their_name() -> None:
    found = curate.measure(
        [prose(1, 30), "Dies ist ein ganz gewöhnlicher deutscher Satz über das Wetter."], ["language", "quality"]
    )
    assert found["language"].to_list() == ["en", "de"]
    assert found["language_score"].is_between(0, 1).all()
    assert found["quality"].is_between(0, 1).all()


def test_measure_decide_and_write_in_memory_agree_with_a_run(finished_run: curate.Run, corpus_dir: Path) -> None:
    frame = pl.concat([pl.read_ndjson(path) for path in sorted(corpus_dir.iterdir())], how="diagonal")
    recipe = curate.Recipe.parse(RECIPE)
    decisions = curate.decide(frame, recipe)
    on_disk = finished_run.decisions().collect().sort("id")
    columns = ["doc", "id", "kept", "dropped_by", "failed", "cluster", "cluster_size", "survivor", "similarity"]
    assert decisions.sort("id").select(columns).equals(on_disk.select(columns))
    mix = curate.write(frame, decisions, recipe)
    assert (
        mix.sort("id")
        .select("id", "text", "year")
        .equals(finished_run.mix().collect().sort("id").select("id", "text", "year"))
    )


def test_a_run_can_be_opened_and_asked(finished_run: curate.Run) -> None:
    run = curate.Run(finished_run.path)
    assert run.report["output"]["documents"] == 60
    assert run.decisions().filter(pl.col("dropped_by") == "dedup_exact").collect().height == 3
    assert run.recipe.steps == curate.Recipe.parse(RECIPE).steps
