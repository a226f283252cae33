"""The page in a real browser: silent, offline, harmless, searchable, and no wider than its screen."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from report_browser import Browser
from report_examples import (
    HOSTILE,
    example_domain,
    example_report,
    example_sample,
    example_signal,
    example_source,
    example_step,
)

import curate
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
