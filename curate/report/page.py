"""The report as one HTML page that opens offline: template, style and script in one string, nothing fetched.

Texts of a corpus are hostile: every value goes through the template's autoescaping, no data is put into the
script, and the content security policy allows only the script and style of this module, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from curate.report import charts, numbers, sections
from curate.report.samples import MAX_CHARACTERS

_HERE = Path(__file__).parent
_TEXT_BUDGET = 2_500_000  # bytes of HTML that sample texts may take; the rest of the page needs under 1 MB
_MOST_WARNINGS = 6


def page(report: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Return the page for a report as in `report.json` and its details.

    `details`: "signals" as `histograms()` returns them, "samples" as `draw()` does.
    """
    style, script = (_HERE / "page.css").read_text("utf-8"), (_HERE / "page.js").read_text("utf-8")
    rules = sections.rules_of(report)
    samples = details["samples"]
    warnings = report["warnings"]
    signals = [{**entry, "chart": charts.histogram(entry)} for entry in details["signals"]]
    filled = template("page.html")
    html: str = filled.render(
        report=report,
        policy=policy(style, script),
        style=Markup(style),  # ours, and pinned by the policy; nothing of a run is in it
        script=Markup(script),
        overview=sections.overview(report),
        warnings=warnings[:_MOST_WARNINGS],
        more_warnings=warnings[_MOST_WARNINGS:],
        funnel=sections.funnel(report, rules, {sample["step"] for sample in samples}),
        mix=sections.mix(report),
        sources=sections.sources(report),
        duplicates=sections.duplicates(report),
        signals=signals,
        documents=sections.documents(samples, rules, _longest(samples)),
        stages=sections.stages(report),
        units=list(sections.UNITS),
    )
    return html


def policy(style: str, script: str) -> str:
    """Return the content security policy: this style, this script, no network, no forms, no other base."""
    directives = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _longest(samples: Sequence[Mapping[str, Any]]) -> int:
    """Return how many characters of each sample the page can hold and stay small."""
    longest = MAX_CHARACTERS
    while longest > 100 and sum(_cost(sample["text"][:longest]) for sample in samples) > _TEXT_BUDGET:
        longest //= 2
    return longest


def _cost(text: str) -> int:
    return len(text.encode()) + 4 * sum(text.count(character) for character in "&<>'\"")


@cache
def template(name: str) -> Any:
    """Return a template of this folder, with the filters that write numbers; it escapes every value."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "count": numbers.count,
        "short": numbers.short,
        "size": numbers.size,
        "decimal": numbers.decimal,
        "percent": numbers.percent,
        "seconds": numbers.seconds,
        "measured": numbers.measured,
        "moment": numbers.moment,
        "shorten": sections.shorten,
    }
    environment.globals |= {"tip": charts.tip, "signs": charts.SIGNS, "area": charts, "write": sections.UNITS}
    return environment.get_template(name)
