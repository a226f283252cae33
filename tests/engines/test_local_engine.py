"""The threads of this process as an engine: what becomes of the others when an item fails."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import curate
from curate.engines.failures import MOST
from curate.engines.local import Local
from curate.errors import EngineError, InputError, RecipeError
from tests.corpora import RECIPE, prose, write_jsonl
from tests.engines.tasks import Fails


@pytest.mark.parametrize("threads", [1, 2])
def test_an_item_that_fails_does_not_stop_the_others(threads: int, tmp_path: Path) -> None:
    found = []
    with pytest.raises(InputError, match=r"^bad.jsonl: cannot be read$"):
        for item, result in Local(threads).run(Fails(tmp_path, "input", times=9), ["bad", "a", "b", "c"]):
            found.append((item, result))
    assert sorted(found) == [("a", "A"), ("b", "B"), ("c", "C")]


def test_several_that_fail_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"2 of 3 tasks failed, the others are done(.|\n)*bad.jsonl: cannot be read"):
        list(Local(1).run(Fails(tmp_path, "input", times=9), ["bad", "good", "bad"]))


def test_too_many_that_fail_stop_the_rest(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=rf"{MOST + 1} of 100 tasks failed; the rest was not tried"):
        list(Local(1).run(Fails(tmp_path, "input", times=999), ["bad"] * 100))


def test_a_mistake_in_the_recipe_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="word_count is text"):
        list(Local(1).run(Fails(tmp_path, "recipe", times=9), ["bad"] * 50))


def test_a_run_measures_the_shards_that_can_be_read_and_goes_on_when_the_others_can_be(tmp_path: Path) -> None:
    for number in range(6):
        write_jsonl(tmp_path / "in" / f"{number}.jsonl", [{"id": f"{number}-{i}", "text": prose(i)} for i in range(5)])
    bad = [tmp_path / "in" / f"{number}.jsonl.gz" for number in (1, 4)]
    for file in bad:
        file.write_bytes(b"this is no gzip")
    with pytest.raises(EngineError, match=r"2 of 8 tasks failed, the others are done") as failed:
        curate.corpus(tmp_path / "in", tmp_path / "run", curate.Recipe.parse(RECIPE), threads=1)
    assert all(file.name in str(failed.value) for file in bad)
    measured = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "run" / "signals").iterdir()}
    assert len(measured) == 6
    for file in bad:
        file.write_bytes(gzip.compress(b'{"text": "Now it can be read."}\n'))
    again = curate.corpus(tmp_path / "in", tmp_path / "run", curate.Recipe.parse(RECIPE), threads=1)
    assert again.report["input"]["documents"] == 32
    for name, changed in measured.items():
        assert (tmp_path / "run" / "signals" / name).stat().st_mtime_ns == changed, "not measured again"
