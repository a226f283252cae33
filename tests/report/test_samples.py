"""Sampled documents carry their reason: stretches that count for the rule, and the survivor beside a duplicate."""

from __future__ import annotations

from pathlib import Path

from report_examples import run_over

import curate
from curate.engines.local import Local
from curate.pipeline import working
from curate.report.samples import MAX_CHARACTERS, draw
from curate.report.sections.documents import pieces, sides, some
from tests.corpora import prose

RECIPE = """
[[steps]]
name = "few_ellipses"
filter = "gopher_ellipsis_lines <= 0.1"

[[steps]]
dedup = "minhash"
verify = 0.5
"""


def drawn(run: curate.Run) -> dict[str, dict[str, object]]:
    with working(run, Local(1)) as engine:
        return {str(sample["id"]): sample for sample in draw(run, run.recipe, engine)}


def test_what_counts_for_the_rule_is_marked_even_far_down(tmp_path: Path) -> None:
    far = " ".join(prose(1, 60).split()) + "\nand so on...\nand on...\n"
    records = [{"id": "near", "text": "To be continued...\n" + prose(2)}, {"id": "far", "text": far}]
    found = drawn(run_over(tmp_path, {"web": records}, RECIPE))
    marked = {name: [sample["text"][a:b] for a, b in sample["highlight"]] for name, sample in found.items()}  # type: ignore[index, attr-defined]
    assert marked == {"near": ["To be continued..."], "far": ["and so on...", "and on..."]}
    assert found["near"]["begin"] == 0
    assert int(str(found["far"]["begin"])) > MAX_CHARACTERS - 300
    assert found["far"]["characters"] == len(far)


def test_a_duplicate_stands_beside_its_survivor(tmp_path: Path) -> None:
    records = [{"id": "long", "text": prose(1, 20) + " One more."}, {"id": "short", "text": prose(1, 20)}]
    found = drawn(run_over(tmp_path, {"a": records[:1], "b": records[1:]}, RECIPE))
    assert found["long"]["difference"] is None
    assert found["short"]["survivor"] == "long"
    pairs = found["short"]["difference"]
    left, right = ("".join(text for pair in pairs for _, text in pair[side]) for side in (0, 1))  # type: ignore[attr-defined]
    assert (left, right) == (prose(1, 20), prose(1, 20) + " One more.")
    only = [text for pair in pairs for kind, text in pair[1] if kind == "only"]  # type: ignore[attr-defined]
    assert only == ["One more."]
    html = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "<mark>One more.</mark>" in html


def test_marks_cut_a_text_without_losing_a_character() -> None:
    text = "a <b> c & d"
    for spans in ([], [(0, 1)], [(2, 5), (4, 7)], [(0, 99)], [(5, 5)]):
        assert "".join(piece for _, piece in pieces(text, spans)) == text


def test_a_comparison_has_room_for_so_many_characters_and_no_more() -> None:
    pairs = [([("only", "x" * 900)], [("only", "y" * 400)]) for _ in range(3)]
    found = sides(pairs, 1_000)
    assert found is not None
    assert [[len(text) for _, text in side] for row in found["rows"] for side in row] == [[900], [400], [100], [100]]
    assert found["more"]
    same = sides([([("same", "z" * 500)], [("same", "z" * 500)])], 1_000)
    assert same is not None
    assert same["same"]
    assert len(same["rows"][0][0][0][1]) < 200


def test_every_step_keeps_some_of_its_samples() -> None:
    samples = [{"step": step, "id": i} for step in ("a", None) for i in range(5)]
    assert [(s["step"], s["id"]) for s in some(samples, 2)] == [("a", 0), ("a", 1), (None, 0), (None, 1)]
