"""The report as one HTML page that opens offline: template, style and script in one string, nothing fetched.

Texts of a corpus are hostile: every value goes through the template's autoescaping, no data is put into the
script, and the content security policy allows only the script and style of this module, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from curate.caches import user_cache
from curate.report import charts, flow, numbers
from curate.report.sections import audit as audit_section
from curate.report.sections import classifiers, documents, duplicates, funnel, mix, signals, sources, summary
from curate.report.sections.rules import rules_of
from curate.report.sections.words import UNITS, shorten, visible

_HERE = Path(__file__).parent
_MOST_WARNINGS = 6


@dataclass(frozen=True)
class Room:
    """How much of what grows with the recipe is on the page: bytes of texts, documents of each step, sliders."""

    texts: int
    documents: int
    sliders: int


_MOST_BYTES = 4_900_000
_ROOMS = (Room(2_500_000, 99, 100), Room(1_200_000, 6, 60), Room(500_000, 3, 30), Room(150_000, 1, 0))


def page(report: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Return the page for a report as in `report.json` and its details; less of the texts where it would get large.

    `details`: "signals" as `histograms()` returns them with the "sliders" of `what_if()`, "samples" as `draw()` does,
    "classifiers" as `classifier_facts()` does.
    """
    html = ""
    for room in _ROOMS:
        html = _render(report, details, room)
        if len(html.encode()) <= _MOST_BYTES:
            break
    return html


def _render(report: Mapping[str, Any], details: Mapping[str, Any], room: Room) -> str:
    style, script = style_sheet(), (_HERE / "page.js").read_text("utf-8")
    rules = rules_of(report)
    samples = documents.some(details["samples"], room.documents)
    warnings = report["warnings"]
    filled = template("page.html")
    html: str = filled.render(
        report=report,
        policy=policy(style, script),
        style=Markup(style),  # ours, and pinned by the policy; nothing of a run is in it
        script=Markup(script),
        overview=summary.overview(report),
        warnings=warnings[:_MOST_WARNINGS],
        more_warnings=warnings[_MOST_WARNINGS:],
        funnel=funnel.funnel(report, rules, {sample["step"] for sample in samples}),
        flows=funnel.flows(report),
        overlap=funnel.overlap(report),
        mix=mix.mix(report),
        languages=mix.languages(report),
        lengths=mix.lengths(report),
        quality=mix.quality(report),
        sources=sources.sources(report),
        duplicates=duplicates.duplicates(report),
        trims=duplicates.trims(report),
        signals=signals.signals(details["signals"], room.sliders),
        audit=audit_section.audit(report),
        classifiers=classifiers.classifiers(details["classifiers"]),
        documents=documents.documents(samples, rules, documents.longest(samples, room.texts)),
        stages=summary.stages(report),
        units=list(UNITS),
    )
    return html


def style_sheet() -> str:
    """Return the style of all our pages, charts first: rules for phone and paper have the last word."""
    return (_HERE / "charts.css").read_text("utf-8") + (_HERE / "page.css").read_text("utf-8")


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


def _compiled() -> FileSystemBytecodeCache | None:
    """Return where compiled templates are kept: compiling them takes as long as all figures of a small run."""
    folder = user_cache() / f"templates-{jinja2.__version__}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


@cache
def template(name: str) -> Any:
    """Return a template of this folder, with the filters that write numbers; it escapes every value."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        bytecode_cache=_compiled(),
    )
    environment.filters |= {
        "count": numbers.count,
        "short": numbers.short,
        "size": numbers.size,
        "decimal": numbers.decimal,
        "percent": numbers.percent,
        "plus_minus": numbers.plus_minus,
        "signed": numbers.signed,
        "seconds": numbers.seconds,
        "measured": numbers.measured,
        "moment": numbers.moment,
        "shorten": shorten,
        "visible": visible,
    }
    environment.globals |= {
        "tip": charts.tip,
        "signs": charts.SIGNS,
        "area": charts,
        "steps_area": audit_section,
        "space": flow,
        "write": UNITS,
    }
    return environment.get_template(name)
