"""The report as Markdown: the tables that go into a model card or a pull request."""

from __future__ import annotations

from typing import Any

_MOST = 10  # languages and pairs of filters; report.json has more


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(["---", *["---:"] * (len(header) - 1)]) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def markdown(report: dict[str, Any]) -> str:
    """Return summary, funnel, mix and sources as Markdown tables."""
    given, kept, written = report["input"], report["output"], report["output"]["written"]
    parts = [
        f"# Mix report: recipe `{report['recipe']['name']}`",
        _table(
            ["", "documents", "bytes", "tokens"],
            [
                ["in", *(f"{given[unit]:,}" for unit in ("documents", "bytes", "tokens"))],
                ["kept", *(f"{kept[unit]:,}" for unit in ("documents", "bytes", "tokens"))],
                ["written", *(f"{written[unit]:,}" for unit in ("documents", "bytes", "tokens"))],
            ],
        ),
        _facts(report),
        *(f"- {_cell(warning)}" for warning in report["warnings"]),
        "## Steps",
        _table(
            ["step", "dropped", "would drop", "drops alone", "documents left", "tokens left"],
            [
                [
                    _cell(step["name"]),
                    f"{step['dropped']:,}",
                    f"{step['would_drop']:,}",
                    "" if step["drops_alone"] is None else f"{step['drops_alone']:,}",
                    f"{step['documents_out']:,}",
                    f"{step['tokens_out']:,}",
                ]
                for step in report["steps"]
            ],
        ),
        *_audit(report["audit"]),
        *_duplicates(report["duplicates"]),
        *_trims(report),
        "## Mix",
        _table(
            ["domain", "documents", "tokens", "share", "target", "natural", "drift, bits", "epochs"],
            [
                [
                    _cell(entry["domain"]),
                    f"{entry['documents']:,}",
                    f"{entry['tokens']:,}",
                    f"{entry['share']:.1%}",
                    "" if entry["target_share"] is None else f"{entry['target_share']:.1%}",
                    f"{entry['natural_share']:.1%}",
                    f"{entry['drift_bits']:+.3f}",
                    f"{entry['epochs']:.2f}" + (", capped" if entry["capped"] else ""),
                ]
                for entry in report["mix"]
            ],
        ),
        *_languages(report["languages"]),
        *_overlap(report["overlap"]),
        "## Sources",
        _table(
            ["source", "documents in", "kept", "retention", "rejected"],
            [
                [
                    _cell(row["source"]),
                    f"{row['input']['documents']:,}",
                    f"{row['output']['documents']:,}",
                    f"{row['retention']:.1%}",
                    f"{row['rejected']:,}",
                ]
                for row in report["sources"]
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(report: dict[str, Any]) -> str:
    """Return the conservation check, speed, cost and hashes in a few lines."""
    timing, hashes = report["timing"], report["provenance"]["hashes"]
    lost = sum(amounts["documents"] for source in report["sources"] for amounts in source["lost"].values())
    facts = [
        f"In = kept + dropped, for each of {len(report['sources']):,} sources: {report['input']['documents']:,} = "
        f"{report['output']['documents']:,} + {lost:,} documents.",
        f"{timing['seconds']:.1f} s, {timing['mb_per_second']:.1f} MB/s of raw text.",
    ]
    if timing["core_seconds_per_tb"]:
        money = "" if timing["money_per_tb"] is None else f", {timing['money_per_tb']:,.2f} in money"
        facts.append(f"1 TB would take {timing['core_seconds_per_tb']:,.0f} core-seconds{money}.")
    facts.append(f"Drift of the mix from what there is: {report['drift_bits']:.3f} bits (KL).")
    facts.append(
        f"curate {report['curate']}, " + ", ".join(f"{name} `{value}`" for name, value in hashes.items()) + "."
    )
    return "  \n".join(facts)


def _languages(languages: dict[str, Any] | None) -> list[str]:
    """Return the largest languages as a table."""
    if not languages:
        return []
    rows = [
        [
            _cell(row["language"]),
            f"{row['input']['tokens']:,}",
            f"{row['output']['tokens']:,}",
            f"{row['written_tokens']:,}",
        ]
        for row in languages["rows"][:_MOST]
    ]
    return ["## Languages", _table(["language", "tokens in", "tokens kept", "tokens in the mix"], rows)]


def _overlap(overlap: dict[str, Any]) -> list[str]:
    """Return the pairs of filters that fail most documents together."""
    names, both = overlap["filters"], overlap["documents"]
    pairs = [(both[i][j], names[i], names[j]) for i in range(len(names)) for j in range(i) if both[i][j]]
    if not pairs:
        return []
    rows = [
        [_cell(one), _cell(other), f"{count:,}"]
        for count, one, other in sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:_MOST]
    ]
    return ["## Filters that fail the same documents", _table(["filter", "and", "fail both"], rows)]


def _audit(audit: dict[str, Any] | None) -> list[str]:
    """Return bits per byte by what a model was trained on, and what steps bought; nothing without an audit."""
    if audit is None:
        return []
    names = [one["name"] for one in audit["references"]]
    rows = []
    for arm in audit["arms"]:
        figures = arm["bits_per_byte"]
        each = [f"{figures['references'][name]['value']:.3f}" for name in names]
        mean = [_figure(figures["mean"], what, 3) for what in ("value", "difference")]
        rows.append([_cell(arm["name"]), *each, *mean])
    said = f"Bits per byte after training on {audit['sample']['bytes']:,} bytes of each; lower is better."
    if audit["outdated"]:
        said = f"Outdated: of other decisions than this report. {said}"
    parts = ["## Audit", said, _table(["trained on", *map(_cell, names), "mean", "against random"], rows)]
    steps = [
        [_cell(step["name"]), f"{step['tokens_paid']:.2%}", _figure(step["gain"]["mean"], "value", 4, "+")]
        for step in audit["steps"]
        if step["gain"]
    ]
    return parts + ([_table(["step", "tokens paid", "bits per byte bought"], steps)] if steps else [])


def _figure(figure: dict[str, Any], what: str, digits: int, sign: str = "") -> str:
    """Return a figure of an audit with its interval; nothing where there is none."""
    if what not in figure:
        return ""
    sign = "+" if what == "difference" else sign
    low, high = figure["interval" if what == "value" else f"{what}_interval"]
    return f"{figure[what]:{sign}.{digits}f} ({low:{sign}.{digits}f} to {high:{sign}.{digits}f})"


def _duplicates(duplicates: dict[str, Any]) -> list[str]:
    """Return the dedup steps as a table; what a method does not know is left empty."""
    if not duplicates:
        return []
    return [
        "## Duplicates",
        _table(
            ["step", "candidates", "spared", "precision", "dropped", "short dropped", "largest cluster"],
            [
                [
                    _cell(name),
                    f"{facts['candidates']:,}",
                    f"{facts['spared']:,}",
                    "" if facts.get("precision") is None else f"{facts['precision']:.1%}",
                    f"{facts['dropped']:,}",
                    f"{facts['short']['dropped'] + facts['empty']['dropped']:,}" if "short" in facts else "",
                    f"{facts['most_repeated'][0][1]:,}" if facts.get("most_repeated") else "",
                ]
                for name, facts in duplicates.items()
            ],
        ),
    ]


def _trims(report: dict[str, Any]) -> list[str]:
    """Return what the steps that trim cut, and the pieces that they cut most often."""
    if not report.get("trims", {}):
        return []
    rows = [
        [
            _cell(name),
            facts["unit"],
            f"{facts.get('lines_removed', facts.get('spans_removed')):,}",
            f"{facts['documents_touched']:,}",
            f"{facts['documents_dropped']:,}",
            f"{facts['bytes_removed']:,}",
            f"{facts['tokens_removed']:,}",
        ]
        for name, facts in report.get("trims", {}).items()
    ]
    header = ["step", "unit", "cut", "documents trimmed", "documents dropped", "bytes cut", "tokens cut"]
    often = [
        [_cell(name), f"{entry['count']:,}", _cell(entry["text"])]
        for name, facts in report.get("trims", {}).items()
        for entry in facts["top"][:5]
    ]
    return ["## Trimmed text", _table(header, rows), _table(["step", "copies", "cut most often"], often)]
