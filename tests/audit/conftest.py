"""The run over the planted corpus, and its audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from audit_corpora import RECIPE, REFERENCE, planted

import curate
from tests.corpora import prose, write_jsonl


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prose of other seeds than the corpus."""
    records = [{"id": f"r{i}", "text": prose(i)} for i in REFERENCE]
    return write_jsonl(tmp_path_factory.mktemp("reference") / "prose.jsonl", records)


@pytest.fixture(scope="session")
def planted_run(tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    """A finished run over the planted corpus. Read only, by agreement: copy it to store something in it."""
    folder = tmp_path_factory.mktemp("planted")
    corpus = write_jsonl(folder / "web.jsonl", planted())
    return curate.corpus(corpus, folder / "run", recipe=curate.Recipe.parse(RECIPE, "planted"), threads=2)


@pytest.fixture(scope="session")
def audited(planted_run: curate.Run, reference: Path) -> dict[str, Any]:
    """The audit of the planted run."""
    return curate.audit(planted_run, {"prose": reference}, threads=2)
