"""Pages of runs of ten documents, of none that survives and of a hundred thousand: small, silent, legible."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from report_browser import Browser
from report_examples import run_over

import curate
from tests.corpora import prose

RECIPE = """
[classifiers]
quality = "quality"

[[steps]]
name = "long_enough"
filter = "word_count >= 30"

[[steps]]
name = "few_repeats"
filter = "gopher_dup_5gram <= 0.5"

[[steps]]
dedup = "exact"
keep = "quality DESC"

[[steps]]
dedup = "minhash"
bands = 4
rows = 4
verify = 0.6

[mix]
by = "source"
shares = { a = 0.7, b = 0.3 }
tokens = 2000
"""

MANY = """
[[steps]]
name = "long_enough"
filter = "word_count >= 8"

[[steps]]
name = "liked"
filter = "score > 0.1"
where = "kind <> 'books'"

[[steps]]
dedup = "exact"

[[steps]]
top = 0.8
by = "score"

[mix]
by = "kind"
tokens = 200_000
shares = { web = 0.6, books = 0.4 }
quality = { by = "score" }

[mix.within.web]
by = "lang"
method = "unimax"
"""


def small(folder: Path, recipe: str) -> curate.Run:
    records = [{"id": f"d{i}", "text": prose(i, 2 + i)} for i in range(8)]
    records += [{"id": "copy", "text": prose(7, 9)}, {"id": "near", "text": prose(6, 8) + " And one more sentence."}]
    return run_over(folder, {"a": records[:5], "b": records[5:]}, recipe)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    """A hundred thousand short documents, one in twenty a copy."""
    folder = tmp_path_factory.mktemp("many")
    n = 100_000
    same_as = [i - 1 if i % 20 == 0 and i else i for i in range(n)]
    table = pa.table({
        "id": [f"d{i}" for i in range(n)],
        "text": [" ".join(f"w{(a * 31 + k * 7919) % 5021}" for k in range(5 + a * 7 % 19)) for a in same_as],
        "lang": [("en", "de", "sw")[i % 7 % 3] for i in range(n)],
        "kind": [("web", "web", "books")[i % 3] for i in range(n)],
        "score": [i * 2654435761 % 10_007 / 10_007 for i in range(n)],
    })  # fmt: skip
    pq.write_table(table, folder / "many.parquet")
    return curate.corpus(folder / "many.parquet", folder / "run", recipe=curate.Recipe.parse(MANY, "many"), threads=2)


def check(browser: Browser, run: curate.Run, width: int, dark: bool) -> None:
    file = run.path / "report.html"
    assert file.stat().st_size < 5_000_000
    browser.open(file, width, dark=dark)
    assert browser.complaints() == []
    browser.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    text = browser.evaluate("document.body.innerText")
    assert "NaN" not in text
    assert "undefined" not in text
    assert "nothing is missing in any of" in browser.evaluate("document.body.textContent")


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
def test_ten_documents(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    run = small(tmp_path, RECIPE)
    check(browser, run, width, dark)
    shown = browser.evaluate("[...document.querySelectorAll('section')].map(section => section.id)")
    assert shown == [
        "summary", "funnel", "mix", "audit", "sources", "duplicates", "signals", "classifiers", "documents", "recipe",
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "dark"), [(1400, True), (400, False)])
def test_no_survivor(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    run = small(tmp_path, '[[steps]]\nname = "never"\nfilter = "word_count >= 1000"\n')
    assert run.report["output"]["documents"] == 0
    check(browser, run, width, dark)
    assert "The mix is empty" in browser.evaluate("document.getElementById('summary').textContent")


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
def test_a_hundred_thousand(browser: Browser, many: curate.Run, width: int, dark: bool) -> None:
    check(browser, many, width, dark)
    slider = "[...document.querySelectorAll('.what-if')].find(box => box.dataset.sign === '>').querySelector('input')"
    answer = f"{slider}.closest('.what-if').querySelector('.of-documents').textContent"
    before = browser.evaluate(answer)
    browser.evaluate(f"(() => {{ const s = {slider}; s.value = s.max; s.dispatchEvent(new Event('input')); }})()")
    assert browser.evaluate(answer) != before


def test_a_page_prints_what_it_shows(browser: Browser, tmp_path: Path) -> None:
    browser.open(small(tmp_path, RECIPE).path / "report.html", media="print")
    hidden = "getComputedStyle(document.querySelector('.what-if input')).display"
    assert browser.evaluate(hidden) == "none"
    assert "keeps" in browser.evaluate("document.querySelector('.what-if').innerText")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_cost_is_in_money_only_with_a_price(tmp_path: Path) -> None:
    from curate.engines.local import Local
    from curate.pipeline import working
    from curate.report import report_run

    run = small(tmp_path, RECIPE)
    timing = run.report["timing"]
    expected = timing["seconds"] * timing["threads"] * 1e12 / run.report["input"]["raw_bytes"]
    assert timing["core_seconds_per_tb"] == pytest.approx(expected)
    assert timing["money_per_tb"] is None
    assert "a core-hour." not in (run.path / "report.html").read_text("utf-8")
    with working(run, Local(1)) as engine:
        timing = report_run(run, run.recipe, engine, 0.05)["timing"]
    assert timing["money_per_tb"] == pytest.approx(timing["core_seconds_per_tb"] / 3600 * 0.05)
    assert "At 0.05 a core-hour." in (run.path / "report.html").read_text("utf-8")
