"""Pages to look into: one of an ordinary run, and one of a run over documents that attack it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from report_browser import Browser, executable
from report_examples import HOSTILE, run_over

import curate
from tests.corpora import prose

_HOSTILE_RECIPE = """
description = "<script>window.hacked=1</script> & 'more'"

[[steps]]
name = "<img src=x onerror=window.hacked=1>"
filter = "word_count >= 20"

[[steps]]
name = "'\\"><script>window.hacked=1</script>"
dedup = "exact"

[[steps]]
name = "<svg onload=window.hacked=1>"
dedup = "lines"
more_than = 3
min_length = 5

[[steps]]
dedup = "minhash"
verify = 0.5

[[steps]]
filter = "quality >= 0 AND (lang IS NULL OR lang <> 'xx')"
name = "</style><script>window.hacked=1</script>"

[[steps]]
filter = "gopher_dup_lines <= 0.3"
name = "lines<details open ontoggle=window.hacked=1>"

[classifiers]
quality = "quality"
domain = "domain"

[mix]
by = "topic"   # </pre><script>window.hacked=1</script>
"""


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    """A run whose texts, ids, metadata, step names and recipe all try to run script."""
    kept = [{"id": f"{h} {i}", "text": f"{h} {prose(i)} {h}", "topic": h, "lang": h} for i, h in enumerate(HOSTILE)]
    copies = [{**record, "id": f"copy {record['id']}"} for record in kept]
    near = [
        {**record, "id": f"near {record['id']}", "text": f"{record['text']} {h} <b>end"}
        for record, h in zip(kept, HOSTILE, strict=True)
    ]
    lines = [{"id": f"lines {h}", "text": f"{h}\n" * 4 + prose(50 + i), "topic": h} for i, h in enumerate(HOSTILE)]
    short = [{"id": f"short {h}", "text": h, "topic": h} for h in HOSTILE]
    sources = {"web": kept + copies + near, "other": short + lines}
    return run_over(tmp_path_factory.mktemp("hostile"), sources, _HOSTILE_RECIPE, "<svg onload=window.hacked=1>")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium for all tests of a run."""
    if executable() is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on PATH")
    browser = Browser(tmp_path_factory.mktemp("browser") / "profile")
    yield browser
    browser.close()


@pytest.fixture
def html_file(tmp_path: Path) -> Path:
    """Where a test writes a page for the browser."""
    return tmp_path / "page.html"
