"""The Markdown summary has the figures of the report in tables that no name can break."""

from __future__ import annotations

from report_examples import example_domain, example_report, example_source, example_step

from curate.report.markdown import markdown


def test_the_summary_has_what_came_in_and_what_was_kept() -> None:
    lines = markdown(example_report()).splitlines()
    assert "| in | 100 | 10,000 | 2,500 |" in lines
    assert "| kept | 80 | 8,000 | 2,000 |" in lines
    assert "| long_enough | 20 | 20 | 20 | 80 | 2,000 |" in lines


def test_a_name_cannot_break_its_table_or_bring_markup() -> None:
    name = "a|b\n<script>c"
    report = example_report(
        steps=[example_step(name, 100, 80)], mix=[example_domain(name, 1.0)], sources=[example_source(name, {name: 20})]
    )
    text = markdown(report)
    assert text.count("| a\\|b &lt;script>c |") == 3
    assert "<script>" not in text
