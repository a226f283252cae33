"""Warnings about sources that deduplication wiped out, and about duplicates that need a second look."""

from __future__ import annotations

from typing import Any

import report_examples as examples

from curate.report.losses import losses, odd_duplicates


def alarm(source: str, **changes: Any) -> dict[str, Any]:
    shown = [{"dropped": "m0", "survivor": "w0", "similarity": 0.876}]
    return {"source": source, "documents": 1000, "dropped": 950, "share": 0.95, "examples": shown, **changes}


def report(alarms: list[dict[str, Any]], sources: list[dict[str, Any]]) -> dict[str, Any]:
    return examples.example_report(duplicates={"near": {"alarm": 0.9, "alarms": alarms}}, sources=sources)


def test_a_source_is_blamed_on_one_step_once() -> None:
    lost = examples.example_source("web", {"near": 95})
    assert losses(report([alarm("web")], [lost])) == [
        "Source web loses 950 of 1,000 documents (95.0%) in near, such as m0 for w0 (similarity 0.88)."
    ]
    [general] = losses(report([], [lost]))
    assert general.startswith("Source web keeps only 5.0%")


def test_many_alarms_are_counted_not_listed() -> None:
    found = losses(report([alarm(f"s{i}") for i in range(8)], []))
    assert len(found) == 6
    assert found[-1] == "Step near takes more than 90.0% of 3 more sources: report.json lists them."


def test_a_document_that_was_too_short_has_no_survivor_to_name() -> None:
    shown = [{"dropped": "m0", "survivor": None, "similarity": None}]
    [message] = losses(report([alarm("web", examples=shown)], []))
    assert message.endswith("such as m0, which is too short.")


def test_sources_that_are_not_there_and_folded_numbers_are_told() -> None:
    facts = {"absent_sources": {"wikis": '; did you mean "wiki"?'}, "folded": {"documents": 12, "clusters": 3}}
    first, second = odd_duplicates({"near": facts})
    assert first == 'Step near names the source "wikis", of which the inputs have nothing; did you mean "wiki"?'
    assert second.startswith("Step near drops 12 documents only because numbers count as 0: 3 clusters")
    assert odd_duplicates({"near": {"candidates": 1}}) == []
