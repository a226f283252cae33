"""The page in a real browser: silent, offline, harmless, searchable, and no wider than its screen."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from report_browser import Browser
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
)

import curate
from curate.report.numbers import percent
from curate.report.page import page

SHOWN = "[...document.querySelectorAll('.document:not([hidden])')]"


def search(browser: Browser, words: str) -> list[str]:
    """Type into the search field; return the texts of the documents that are left."""
    browser.evaluate(
        f"(() => {{ const field = document.getElementById('search'); field.value = {words!r};"
        " field.dispatchEvent(new Event('input')); })()"
    )
    found = browser.evaluate(f"{SHOWN}.map(item => item.textContent)")
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (1400, True), (400, False), (400, True)])
def test_a_page_opens_without_a_word_and_without_a_request(
    browser: Browser, finished_run: curate.Run, width: int, dark: bool
) -> None:
    browser.open(finished_run.path / "report.html", width, dark=dark)
    assert browser.complaints() == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (background < 60) == dark


def test_hostile_text_does_not_run(browser: Browser, hostile_run: curate.Run) -> None:
    browser.open(hostile_run.path / "report.html")
    browser.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    browser.evaluate(
        "for (const item of document.querySelectorAll('*'))"
        " item.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))"
    )
    assert browser.evaluate("typeof window.hacked") == "undefined"
    assert browser.evaluate("document.querySelectorAll('img, iframe, main svg[onload], .document script').length") == 0
    assert browser.complaints() == []
    shown = browser.evaluate("document.querySelector('.documents').textContent")
    assert all(payload in shown for payload in HOSTILE)


def test_hostile_names_reach_every_section_and_stay_text(browser: Browser, html_file: Path) -> None:
    attack = "<img src=x onerror=window.hacked=1>\"'><script>window.hacked=1</script>"
    steps = [example_step(attack, 100, 80), example_step("near", 80, 74, "dedup"), example_step("cut", 74, 74, "trim")]
    steps[0]["fails_most_of"] = [{"source": attack, "documents": 100, "fails": 80, "share": 0.8}]
    numbers = {"documents": 5, "tokens": 50}
    report = example_report(
        steps=steps,
        sources=[example_source(attack, {attack: 20, "near": 6})],
        mix=[{**example_domain(attack, 1.0, 0.9), "parts": [{**example_domain(attack, 0.5), "wanted_tokens": 1.0}]}],
        overlap={"filters": [attack, "other"], "documents": [[20, 3], [3, 9]]},
        languages={
            "column": attack,
            "rows": [{"language": attack, "input": numbers, "output": numbers, "written_tokens": 7}],
        },
        quality={
            "by": attack, "buckets": 2, "sampled": 9,
            "rows": [{"domain": attack, "tokens": 9, "available": [0.5, 0.5], "written": [0, 1], "epochs": [None, 1]}],
        },
        duplicates={"near": example_dedup(most_repeated=[[attack, 6]], parameters={
            "keep": attack, "bands": 14, "rows": 8, "verify": 0.7, "priority": [attack],
        })},
        trims={"cut": {
            "unit": "line", "lines_removed": 4, "documents_touched": 2, "documents_dropped": 0, "bytes_removed": 9,
            "tokens_removed": 2, "top": [{"text": attack, "count": 4}],
        }},
        provenance={
            "hashes": {"recipe": attack}, "models": [{"signal": attack, "model": attack, "sha256": attack}],
            "versions": {"curate": attack},
        },
    )  # fmt: skip
    words = {"documents": 1, "against_label": attack, "for": [{"word": attack, "count": 1, "adds": 1.0}], "against": []}
    classifier = example_classifier(
        signal=attack, model=attack, about=attack, words=words,
        labels=[{"label": attack, "documents": 1, "median": 1.0}],
        sources=[{"source": attack, "documents": 1, "without": 0, "quantiles": [0.0, 0.1, 0.2, 0.3, 1.0]}],
    )  # fmt: skip
    sample = example_sample(
        text=attack * 2, highlight=[(0, 9), (12, 40)], survivor=attack, similarity=0.9, step="near",
        difference=[([("same", attack), ("only", attack)], [("same", attack), ("only", attack)])],
    )  # fmt: skip
    slider = example_slider(step=attack)
    signals = [example_signal(name=attack, unit=attack, definition=attack, sliders=[slider])]
    details = {"signals": signals, "samples": [sample], "classifiers": [classifier]}
    html_file.write_text(page(report, details))
    browser.open(html_file)
    browser.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    browser.evaluate("document.querySelectorAll('input').forEach(item => item.dispatchEvent(new Event('input')))")
    browser.evaluate(
        "for (const item of document.querySelectorAll('[data-tip]'))"
        " item.dispatchEvent(new MouseEvent('pointermove', {bubbles: true}))"
    )
    assert browser.evaluate("typeof window.hacked") == "undefined"
    assert browser.evaluate("document.querySelectorAll('img, script:not(body > script:last-child)').length") == 0
    assert browser.complaints() == []
    for section in ("funnel", "mix", "sources", "duplicates", "signals", "classifiers", "documents", "recipe"):
        assert attack in browser.evaluate(f"document.getElementById('{section}').textContent"), section


SLIDER = "document.querySelector('.what-if input')"
ANSWER = "document.querySelector('.answer').textContent"


def moved(browser: Browser, position: int) -> str:
    browser.evaluate(f"(() => {{ {SLIDER}.value = {position}; {SLIDER}.dispatchEvent(new Event('input')); }})()")
    return " ".join(str(browser.evaluate(ANSWER)).split())


def with_slider(html_file: Path, **changes: object) -> None:
    signal = example_signal(sliders=[example_slider(**changes)])
    html_file.write_text(page(example_report(), {"signals": [signal], "samples": [], "classifiers": []}))


def test_a_slider_moves_the_numbers_and_goes_back(browser: Browser, html_file: Path) -> None:
    with_slider(html_file)
    browser.open(html_file)
    start = " ".join(str(browser.evaluate(ANSWER)).split())
    assert start == "keeps 80.0% ± 3.80 of documents, 90.0% ± 2.00 of tokens"
    assert moved(browser, 2) == (
        "keeps 30.0% ± 4.30 of documents, 50.0% ± 4.00 of tokens−500 ± 47 documents against now"
    )
    assert browser.evaluate("document.querySelector('.at').textContent") == "40"
    assert browser.evaluate("document.querySelector('.probe').getAttribute('visibility')") == "visible"
    assert "40: keeps 30.0%" in browser.evaluate(f"{SLIDER}.getAttribute('aria-valuetext')")
    browser.evaluate("document.querySelector('.reset').click()")
    assert " ".join(str(browser.evaluate(ANSWER)).split()) == start
    assert browser.evaluate("document.querySelector('.probe').getAttribute('visibility')") == "hidden"


def test_a_slider_obeys_the_keyboard(browser: Browser, html_file: Path) -> None:
    with_slider(html_file)
    browser.open(html_file)
    browser.evaluate(f"{SLIDER}.focus()")
    browser.press("ArrowRight", 39)
    assert browser.evaluate("document.querySelector('.at').textContent") == "40"
    browser.press("Home", 36)
    assert browser.evaluate("document.querySelector('.at').textContent") == "0"


def test_an_answer_without_chance_has_no_error_bar(browser: Browser, html_file: Path) -> None:
    nothing = [0.0] * 4
    with_slider(html_file, documents_error=nothing, tokens_error=nothing, change_error=[0] * 4)
    browser.open(html_file)
    assert "±" not in moved(browser, 2)


def test_sliders_of_a_run_agree_with_its_report(browser: Browser, finished_run: curate.Run) -> None:
    browser.open(finished_run.path / "report.html")
    report = finished_run.report
    before_the_mix = sum(step["dropped"] for step in report["steps"] if step["kind"] == "mix")
    share = (report["output"]["documents"] + before_the_mix) / report["input"]["documents"]
    answers = browser.evaluate("[...document.querySelectorAll('.of-documents')].map(item => item.textContent)")
    assert answers
    assert set(answers) == {percent(share)}


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
def test_every_section_at_once_fits_the_screen(browser: Browser, html_file: Path, width: int, dark: bool) -> None:
    names = [f"filter_{i}" for i in range(30)]
    both = [[1000 - 20 * max(i, j) for j in range(30)] for i in range(30)]
    report = example_report(
        steps=[example_step(name, 100, 100) for name in names] + [example_step("near", 100, 94, "dedup")],
        overlap={"filters": names, "documents": both},
        duplicates={"near": example_dedup()},
        sources=[example_source(f"source number {i}", {"near": 6, names[0]: 10}) for i in range(12)],
    )
    details = {
        "signals": [example_signal(sliders=[example_slider(), example_slider(operator="<=")]) for _ in range(3)],
        "samples": [example_sample(highlight=[(0, 3)])],
        "classifiers": [example_classifier(calibration=[[0.0, 0.1], [1.0, 0.9]])],
    }
    html_file.write_text(page(report, details))
    browser.open(html_file, width, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []
    small = (
        "[...document.querySelectorAll('main svg text')].filter(item => item.getBoundingClientRect().height < 7"
        " && item.getBoundingClientRect().height > 0).length"
    )
    assert browser.evaluate(small) == 0


def test_the_policy_stops_script_that_is_not_ours(browser: Browser, html_file: Path) -> None:
    html = page(example_report(), {"signals": [], "samples": [], "classifiers": []})
    attack = "<script>window.hacked=1</script><img src='http://localhost:9/x' onerror='window.hacked=1'>"
    html_file.write_text(html.replace("<footer>", attack + "<footer>"))
    browser.open(html_file)
    assert browser.evaluate("typeof window.hacked") == "undefined"
    assert any("Content Security Policy" in complaint for complaint in browser.complaints())


def test_search_finds_documents_by_text_id_and_reason(browser: Browser, html_file: Path) -> None:
    samples = [
        example_sample(id="kept/1", step=None, reasons=[], rule=None, text="A heron stands in the reeds."),
        example_sample(id="short/2", text="Too short."),
        example_sample(id="hostile", text="<b>heron</b> & friends"),
    ]
    html_file.write_text(page(example_report(), {"signals": [], "samples": samples, "classifiers": []}))
    browser.open(html_file)
    assert len(search(browser, "")) == 3
    assert len(search(browser, "HERON")) == 2
    assert len(search(browser, "heron reeds")) == 1
    assert len(search(browser, "<b>heron</b>")) == 1
    assert len(search(browser, "short/2")) == 1
    assert search(browser, "kingfisher") == []
    assert browser.evaluate("document.getElementById('found').textContent") == "0 of 3 documents"


def test_a_step_of_the_funnel_leads_to_what_it_dropped(browser: Browser, html_file: Path) -> None:
    samples = [example_sample(id=f"kept{i}", step=None) for i in range(30)] + [example_sample(id="gone")]
    html_file.write_text(page(example_report(), {"signals": [], "samples": samples, "classifiers": []}))
    browser.open(html_file)
    assert browser.evaluate(f"{SHOWN}.length") == 20
    browser.evaluate("document.getElementById('more').click()")
    assert browser.evaluate(f"{SHOWN}.length") == 31
    browser.evaluate("document.querySelector('a[data-step]').click()")
    assert browser.evaluate(f"{SHOWN}.map(item => item.querySelector('.name').textContent)") == ["gone"]


def test_the_funnel_changes_its_unit(browser: Browser, finished_run: curate.Run) -> None:
    browser.open(finished_run.path / "report.html")
    visible = (
        "[...document.querySelectorAll('.funnel tbody tr:first-child td:nth-child(4) > span')]"
        ".filter(cell => cell.offsetParent).map(cell => cell.className)"
    )
    assert browser.evaluate(visible) == ["u-documents"]
    browser.evaluate("document.querySelector('input[value=tokens]').click()")
    assert browser.evaluate(visible) == ["u-tokens"]


@pytest.mark.parametrize("width", [1400, 400])
def test_long_names_and_many_domains_fit_the_screen(browser: Browser, html_file: Path, width: int) -> None:
    long = "a_very_long_name_without_any_space_" * 12
    report = example_report(
        steps=[example_step(f"{long}{i}", 100, 100) for i in range(30)] + [example_step(long, 100, 0)],
        sources=[example_source(f"{long}{i}", {long: 90}) for i in range(60)],
        mix=[example_domain(f"{long}{i}", 1 / 60, target=1 / 60) for i in range(60)],
        warnings=[long, "https://example.org/" + "x" * 500],
        skipped_files={"/data/" + long: long},
        recipe={**example_report()["recipe"], "name": long, "text": f"# {long}"},
    )
    samples = [example_sample(id=long * 3, source=long, step=long, text=long * 20, survivor=long, similarity=0.9)]
    signals = [example_signal(name=long, unit=long, definition=long)]
    html_file.write_text(page(report, {"signals": signals, "samples": samples, "classifiers": []}))
    browser.open(html_file, width)
    browser.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []


def test_everything_is_reached_by_keyboard_and_named(browser: Browser, finished_run: curate.Run) -> None:
    browser.open(finished_run.path / "report.html")
    unnamed = (
        "[...document.querySelectorAll('input, select, button, a, summary, [role=img], [role=region]')].filter(item =>"
        " !(item.textContent.trim() || item.getAttribute('aria-label')"
        " || item.closest('label') || item.labels?.length)).length"
    )
    assert browser.evaluate(unnamed) == 0
    assert browser.evaluate("[...document.querySelectorAll('[tabindex]')].every(item => item.tabIndex === 0)")
    levels = browser.evaluate("[...document.querySelectorAll('main :is(h1, h2, h3)')].map(item => +item.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
