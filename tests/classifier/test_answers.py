"""Reading a score out of what language models write."""

from __future__ import annotations

import time

import pytest

from curate.classifier.answers import parse_score


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("It explains the water cycle well.\nScore: 4", 4),
        ("**Score:** 4", 4),
        ("**Score: 4**", 4),
        ("Score: **4**", 4),
        ("Educational score: 2", 2),
        ("Final score = 0", 0),
        ("The score is 3.", 3),
        ("I would give it a score of 3 out of 5.", 3),
        ("Score: 3/5", 3),
        ("Score: 3.0", 3),
        ("Score: 2.5", 2.5),
        ('{"reason": "thin", "score": 2}', 2),
        ("score: `1`", 1),
        ("Score: [5]", 5),
        ("Score 5", 5),
        ("3", 3),
        ("**3**", 3),
        ("3/5", 3),
        ("A good text.\n\n4", 4),
        ("Point 1 is met.\nScore so far: 1\nPoint 2 is met.\nScore: 2", 2),
        ("<think>Score: 5? No.</think>It is an advertisement. Score: 1", 1),
        ("I'm sorry to say that it is thin. Score: 1", 1),
        ("Partitura 5. Score: 2\n", 2),
        ("| Total | 4 |\nTotal: 4", 4),
    ],
)
def test_one_plain_score_is_read(answer: str, score: float) -> None:
    assert parse_score(answer) == (score, None)


@pytest.mark.parametrize(
    ("answer", "problem", "reason"),
    [
        ("I'm sorry, but I can't help with that.", "", "refusal"),
        ("I cannot evaluate this text.", "", "refusal"),
        ("As an AI, I am not able to judge.", "", "refusal"),
        ("Score: 3", "refusal", "refusal"),
        ("", "", "empty"),
        ("<think>It could be 3", "", "empty"),
        ("It is about rivers", "cut off", "cut off"),
        ("It is about rivers.", "", "malformed"),
        ("Score: 0-5", "", "malformed"),
        ("Score: N", "", "malformed"),
        ("Scores of 20 people: 4 died.", "", "malformed"),
        ("Score: 7", "", "out of range"),
        ("Score: -1", "", "out of range"),
        ("Score: 10", "", "out of range"),
        ("Score: 4/10", "", "out of range"),
    ],
)
def test_anything_else_has_a_reason_and_no_score(answer: str, problem: str, reason: str) -> None:
    assert parse_score(answer, problem) == (None, reason)


def test_a_score_counts_though_the_answer_was_cut_after_it() -> None:
    assert parse_score("Score: 4\nBecause", "cut off") == (4, None)


def test_a_long_answer_without_a_score_takes_no_time() -> None:
    started = time.monotonic()
    assert parse_score("score " * 20_000)[1] == "malformed"
    assert parse_score("<think>" * 5_000)[1] == "empty"
    assert parse_score(" " * 100_000 + "x")[1] == "malformed"
    assert time.monotonic() - started < 5
