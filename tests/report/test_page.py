"""The page says what the report says, fetches nothing, and shows hostile text as text."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_examples import (
    HOSTILE,
    example_classifier,
    example_dedup,
    example_domain,
    example_report,
    example_sample,
    example_signal,
    example_slider,
    example_source,
    example_step,
    run_over,
)

import curate
from curate.report.page import page
from tests.corpora import prose, write_jsonl

NOTHING: dict[str, Any] = {"signals": [], "samples": [], "classifiers": []}


class Page(HTMLParser):
    """The elements and the text of a page, as a parser sees them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self._silent = False
        self.feed(html)
        self.text = " ".join("".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._silent = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        if tag in ("td", "th"):
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def parsed(report: dict[str, Any], **details: Any) -> Page:
    return Page(page(report, NOTHING | details))


def of_run(run: curate.Run) -> Page:
    return Page((run.path / "report.html").read_text("utf-8"))


def check_harmless(found: Page) -> None:
    """Nothing on the page runs, loads or leads anywhere but what the page itself brings."""
    assert len(found.all("script")) == len(found.all("style")) == 1
    assert not {tag for tag, _ in found.elements} & {"img", "iframe", "object", "embed", "form", "base", "video", "use"}
    for tag, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcdoc", "style")]
        target = attributes.get("href") or "#"
        assert target.startswith("#") or (tag == "link" and target.startswith("data:image/svg+xml,"))


def test_a_run_shows_its_figures(finished_run: curate.Run) -> None:
    text = of_run(finished_run).text
    report = finished_run.report
    for step in report["steps"]:
        assert step["name"] in text
    assert "kept of 68" in text
    assert "0 ✓" in text
    assert "word_count >= 20" in text
    assert "No record was rejected. No file was skipped." in text


def test_every_section_has_a_heading_and_a_link(finished_run: curate.Run) -> None:
    found = of_run(finished_run)
    sections = [str(section["id"]) for section in found.all("section")]
    assert sections == ["summary", "funnel", "mix", "audit", "sources", "duplicates", "signals", "documents", "recipe"]
    ids = {attributes.get("id") for _, attributes in found.elements}
    assert all(section["aria-labelledby"] in ids for section in found.all("section"))
    assert {f"#{name}" for name in sections} <= {link.get("href") for link in found.all("a")}


def test_every_chart_has_a_table_behind_it(finished_run: curate.Run) -> None:
    html = (finished_run.path / "report.html").read_text("utf-8")
    figures = [figure.split("</figure>")[0] for figure in html.split("<figure")[1:]]
    charts = [figure for figure in figures if 'role="img"' in figure]
    assert len(charts) >= 4
    assert all("<table" in figure for figure in charts)


def test_a_page_loads_nothing(finished_run: curate.Run) -> None:
    found = of_run(finished_run)
    check_harmless(found)
    [policy] = [m["content"] for m in found.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_hostile_text_stays_text(hostile_run: curate.Run) -> None:
    found = of_run(hostile_run)
    check_harmless(found)
    shown = "".join(found.pieces)
    for payload in HOSTILE:
        assert payload in shown


def test_hostile_names_stay_text() -> None:
    for payload in HOSTILE:
        report = example_report(
            steps=[example_step(payload, 100, 80)],
            sources=[example_source(payload, {payload: 20})],
            mix=[example_domain(payload, 1.0, target=0.5)],
            duplicates={payload: {"candidates": 3, "dropped": 2, "spared": 1}},
            warnings=[payload],
            skipped_files={payload: payload},
        )
        limit = {**example_signal()["thresholds"][0], "step": payload, "where": payload}
        signal = example_signal(name=payload, unit=payload, definition=payload, thresholds=[limit])
        sample = example_sample(id=payload, step=payload, source=payload, domain="d", survivor=payload, similarity=0.9)
        found = parsed(report, signals=[signal], samples=[sample])
        check_harmless(found)
        assert "".join(found.pieces).count(payload) > 10


def test_control_characters_become_pictures() -> None:
    html = page(example_report(), NOTHING | {"samples": [example_sample(text="a\x00b\x1b[31mc\x7f\td\ne")]})
    assert "a␀b␛[31mc␡\td\ne" in html
    assert not {chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127)} & set(html)


def test_the_rule_stands_beside_the_value_that_failed_it() -> None:
    text = parsed(example_report(), samples=[example_sample()]).text
    assert "word_count 2, not ≥ 20" in text
    assert "long_enough asks for word_count >= 20" in text
    assert "word_count = 2 needs ≥ 20" in text


def test_a_duplicate_names_its_survivor_and_how_alike_they_are() -> None:
    sample = example_sample(step="near", reasons=[], rule=None, survivor="d7", similarity=0.8147)
    text = parsed(example_report(), samples=[sample]).text
    assert "81.5% like d7" in text


def test_a_cut_text_says_so() -> None:
    text = parsed(example_report(), samples=[example_sample(text="x" * 1500, characters=9000)]).text
    assert "the first 1,500 characters" in text


def test_a_missing_document_is_not_hidden() -> None:
    report = example_report(steps=[example_step("long_enough", 100, 81)])
    assert "1 ✗" in parsed(report).text


def test_warnings_and_skipped_files_are_shown() -> None:
    report = example_report(
        warnings=[f"warning {i}" for i in range(9)],
        skipped_files={"<b>x.gz": "truncated & broken"},
        rejected={"documents": 7, "bytes": 1234},
    )
    text = parsed(report).text
    assert "9 things to know" in text
    assert "warning 8" in text
    assert "<b>x.gz: truncated & broken" in text
    assert "7 records (1.2 kB) are not documents" in text


def test_a_share_is_shown_against_its_target() -> None:
    domains = [example_domain("math", 0.2, target=0.3), example_domain("web", 0.8, target=0.7)]
    found = parsed(example_report(mix=domains))
    assert len([line for line in found.all("line") if line.get("class") == "target"]) == 2
    assert "20.0% 30.0%" in found.text


def test_repeated_documents_are_told_from_kept_ones() -> None:
    report = example_report()
    report["output"]["written"] = {"documents": 160, "bytes": 16_000, "tokens": 4_000}
    assert "160 in the mix, repeats counted" in parsed(report).text


def test_a_run_of_no_documents_has_a_page() -> None:
    none = {"documents": 0, "bytes": 0, "tokens": 0}
    report = example_report(
        input={**none, "raw_bytes": 0}, output={**none, "written": none}, steps=[example_step("long_enough", 0, 0)],
        mix=[], sources=[], lengths=[], overlap={"filters": [], "documents": []},
        timing={
            "seconds": 0.0, "mb_per_second": math.nan, "threads": None, "by_stage": {}, "core_seconds_per_tb": None,
        },
    )  # fmt: skip
    text = parsed(report).text
    assert "Nothing was kept, so there is no mix." in text
    assert "The input held no documents." in text
    assert "There are no documents to show." in text
    assert "nan" not in text
    assert "None" not in text


def test_a_recipe_without_steps_has_a_page(tmp_path: Path) -> None:
    text = of_run(run_over(tmp_path, {"web": [{"id": "a", "text": prose(1)}]}, 'clean = ["unicode"]')).text
    assert "The recipe has no steps: every document is kept." in text
    assert "100%" in text


def test_a_run_without_survivors_has_a_page(tmp_path: Path) -> None:
    recipe = '[[steps]]\nname = "never"\nfilter = "word_count > 1000000"\n'
    found = of_run(run_over(tmp_path, {"web": [{"id": str(i), "text": prose(i)} for i in range(10)]}, recipe))
    assert "kept of 10" in found.text
    assert "Filter never fires on every document." in found.text


def test_figures_that_are_not_numbers_are_dashes() -> None:
    domain = {**example_domain("web", 1.0), "target_share": None, "epochs": math.nan, "share": math.nan}
    sample = example_sample(characters=None, tokens=None, survivor="d2", similarity=None, domain=None)
    found = parsed(example_report(mix=[domain], created=math.nan), samples=[sample])
    assert "–" in found.text
    assert "nan" not in found.text.lower()


def test_thousands_of_sources_and_domains_stay_a_readable_page() -> None:
    names = [f"shard-{i:05d}" for i in range(5_000)]
    report = example_report(
        sources=[example_source(name, {"long_enough": 20}) for name in names],
        mix=[example_domain(name, 1 / 5_000) for name in names],
    )
    html = page(report, NOTHING)
    assert len(html.encode()) < 1_000_000
    assert "4,900 smaller sources are in report.json" in html
    assert "4,900 smaller domains" in html


def test_a_page_with_everything_at_its_most_stays_under_5_mb() -> None:
    names = [f"step {i} " + "n" * 60 for i in range(120)]
    curve = {key: [0.123456] * 124 for key in ("documents", "documents_error", "tokens", "tokens_error")}
    curve |= {key: [-123_456_789] * 124 for key in ("change", "change_error")}
    slider = example_slider(at=[0.1234 * i for i in range(124)], now=0.0, **curve)
    text = "& < words that differ " * 300
    sample = example_sample(
        text=text[:1_500], survivor="s" * 400, similarity=0.9, highlight=[(i, i + 1) for i in range(0, 1_500, 4)],
        difference=[([("only", text[:6_000])], [("only", text[:6_000])])],
    )  # fmt: skip
    report = example_report(
        steps=[example_step(name, 100, 100) for name in names],
        overlap={"filters": names[:30], "documents": [[900] * 30] * 30},
        sources=[example_source(f"s{i}", dict.fromkeys(names[:40], 2)) for i in range(300)],
        duplicates={name: example_dedup() for name in names[:5]},
        warnings=["w" * 300] * 100,
    )
    details = {
        "signals": [example_signal(name=f"signal {i}", sliders=[slider, slider]) for i in range(120)],
        "samples": [{**sample, "step": name} for name in names for _ in range(12)],
        "classifiers": [example_classifier()] * 8,
    }
    html = page(report, details)
    assert len(html.encode()) < 5_000_000


@pytest.mark.parametrize("character", ["&", "\U0001f600", "'"])
def test_a_page_stays_under_5_mb_whatever_the_texts_are(character: str) -> None:
    steps = [example_step(f"step {i} " + "n" * 200, 100, 100) for i in range(60)]
    samples = [
        example_sample(step=step["name"], id="i" * 5_000, text=character * 1_500, characters=1_500)
        for step in steps
        for _ in range(12)
    ]
    signals = [example_signal(name=f"signal {i}") for i in range(60)]
    html = page(example_report(steps=steps), {"signals": signals, "samples": samples, "classifiers": []})
    assert len(html.encode()) < 5_000_000
    assert character * 30 in html or "&amp;" * 30 in html or "&#39;" * 30 in html


def test_documents_that_all_have_the_same_large_value_have_a_histogram(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": " ".join(["word"] * 1500)}] * 3)
    recipe = curate.Recipe.parse('[[steps]]\nname = "long"\nfilter = "word_count >= 50"')
    run = curate.corpus(tmp_path / "in.jsonl", tmp_path / "run", recipe)
    assert run.report["output"]["documents"] == 3
    assert "word_count" in (run.path / "report.html").read_text(encoding="utf-8")
