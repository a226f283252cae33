"""Asking for an engine: what fits together, and what is said where it does not. Starts no cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import curate
from curate.cli import main
from curate.measure.scores import model
from curate.shipped import Shipment, _here, local_copy


def said(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 1
    return result.output


def test_options_of_ray_need_ray(corpus_dir: Path, tmp_path: Path) -> None:
    for option in (("--address", "x:1"), ("--cpus-per-task", 2), ("--memory-per-task", "1GB")):
        assert 'are for the engine "ray": add --engine ray' in said(
            "corpus", corpus_dir, "--out", tmp_path / "r", *option
        )
    assert not (tmp_path / "r").exists()


def test_without_ray_the_message_says_what_to_install(
    corpus_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    told = said("corpus", corpus_dir, "--out", tmp_path / "r", "--engine", "ray")
    assert "pip install 'curate-corpus[ray]'" in told


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(curate.EngineError, match='there is no engine "spark"; it is one of local, ray'):
        curate.corpus("x", "y", engine="spark")


def test_ray_is_not_imported_unless_asked_for(corpus_dir: Path, tmp_path: Path) -> None:
    import subprocess

    code = "import sys, curate, curate.cli, curate.corpus, curate.engines.choose; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_shipped_file_is_found_where_it_was_packed_and_where_it_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import classifiers

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    there = tmp_path / "there"
    there.mkdir()
    shipped = Path(classifiers.load("quality").path)
    for suffix in (".ftz", ".json"):
        (there / f"mine{suffix}").write_bytes(shipped.with_suffix(suffix).read_bytes())
    mine = there / "mine.ftz"
    shipment = Shipment.of([mine, "language", there / "missing.txt"])
    assert set(shipment.content) == {str(mine), str(there / "mine.json")}
    shipment.unpack()
    assert local_copy(mine) == mine
    for path in there.iterdir():
        path.unlink()
    try:
        shipment.unpack()
        assert local_copy(mine) != mine
        assert model(str(mine)).labels == classifiers.load("quality").labels
        assert model(str(mine)).card == classifiers.load("quality").card
    finally:
        _here.clear()
