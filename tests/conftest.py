"""Fixtures: a small corpus and a finished run over it, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

import curate
from curate.kernels.warmup import ensure_compiled
from tests.corpora import RECIPE, small_corpus


def pytest_configure(config: pytest.Config) -> None:
    """Compile all kernels before the first test needs one: once, before the processes that run the tests begin."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        ensure_compiled(lambda message: None, everything=True)


@pytest.fixture(scope="session")
def corpus_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the two files of `small_corpus`. Read only, by agreement."""
    return small_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    """A recipe without classifiers: two filters, exact and near-duplicates."""
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="session")
def finished_run(corpus_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    """A finished run over the small corpus. Read only, by agreement."""
    recipe = curate.Recipe.parse(RECIPE, "test")
    return curate.corpus(corpus_dir, tmp_path_factory.mktemp("runs") / "run", recipe=recipe, threads=2)
