"""The report as Markdown: the tables that go into a model card or a pull request."""

from __future__ import annotations

from typing import Any


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
        *_duplicates(report["duplicates"]),
        "## Mix",
        _table(
            ["domain", "documents", "tokens", "share", "target", "epochs"],
            [
                [
                    _cell(entry["domain"]),
                    f"{entry['documents']:,}",
                    f"{entry['tokens']:,}",
                    f"{entry['share']:.1%}",
                    "" if entry["target_share"] is None else f"{entry['target_share']:.1%}",
                    f"{entry['epochs']:.2f}",
                ]
                for entry in report["mix"]
            ],
        ),
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
