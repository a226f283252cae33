"""Garbage in: a clear message or a counted reject, never a traceback, a write elsewhere or a lost document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import curate
from tests.garbage import GOOD, KINDS, Kind, between
from tests.garbage_runs import RECIPE, outcome


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_garbage_is_refused_or_counted(kind: Kind, tmp_path: Path) -> None:
    found = outcome(kind, tmp_path, size=2 << 20)
    if kind.refused is not None:
        assert found.message and re.search(kind.refused, found.message), found
        return
    assert found.message is None, found
    assert set(kind.good) <= found.ids
    assert found.rejected >= kind.rejects
    assert found.documents + found.rejected == found.accounted


def test_a_bad_file_is_skipped_when_asked_and_the_others_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    refused = [kind for kind in KINDS if kind.refused and "source" not in kind.name]
    for number, kind in enumerate(refused):
        (folder / str(number)).mkdir(parents=True)
        kind.write(folder / str(number), 1 << 20)
    (folder / "good.jsonl").write_bytes(between())
    recipe = curate.Recipe.parse(RECIPE.replace("topic", "source"), "test")
    run = curate.corpus(folder, tmp_path / "run", recipe, skip_bad_files=True)
    assert {path.split("/")[-2] for path in run.report["skipped_files"]} == {str(n) for n in range(len(refused))}
    assert set(run.signals().collect()["id"]) == set(GOOD)


def test_a_corpus_of_nothing_but_bad_files_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"nothing")
    with pytest.raises(curate.InputError, match=r"none of the input files could be read.*a\.parquet"):
        curate.corpus(tmp_path / "a.parquet", tmp_path / "run", skip_bad_files=True)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_more_expansion_can_be_allowed(suffix: str, tmp_path: Path) -> None:
    kind = next(kind for kind in KINDS if kind.name == {"gz": "a gzip bomb", "zst": "a zstd bomb"}[suffix])
    kind.write(tmp_path, 80 << 20)
    recipe = curate.Recipe.parse('[[steps]]\nname = "l"\nfilter = "word_count > 2"', "test")
    run = curate.corpus(tmp_path / f"a.jsonl.{suffix}", tmp_path / "run", recipe, max_expansion=10**6)
    assert run.report["input"]["documents"] == (suffix == "zst")
