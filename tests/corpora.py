"""Small corpora for tests: English-like prose from a seed, and files made of it. Nothing here is random twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

_SUBJECTS = [
    "the gardener",
    "a retired teacher",
    "our neighbour",
    "the museum",
    "every visitor",
    "the small harbour",
    "a young engineer",
    "the committee",
    "that river",
    "an old library",
]
_VERBS = [
    "keeps",
    "repairs",
    "describes",
    "remembers",
    "measures",
    "paints",
    "visits",
    "explains",
    "follows",
    "collects",
]
_OBJECTS = [
    "the wooden bridge",
    "seven broken clocks",
    "letters from the coast",
    "a map of the valley",
    "the history of the mill",
    "strange birds",
    "apples of every kind",
    "the winter market",
    "drawings of ships",
    "the oldest houses",
]
_ENDS = [
    "before the rain begins",
    "with great patience",
    "in the middle of the night",
    "for the children of the village",
    "and nobody knows why",
    "when the ferry is late",
    "to have something to talk about",
    "while the others sleep",
    "as if it were easy",
    "on the first day of spring",
]


def sentence(source: random.Random) -> str:
    """One sentence of ordinary words."""
    words = " ".join(source.choice(part) for part in (_SUBJECTS, _VERBS, _OBJECTS, _ENDS))
    return (
        f"{words[0].upper()}{words[1:]}, and {source.randrange(2, 99)} people {source.choice(_VERBS).rstrip('s')} it."
    )


def prose(seed: int, sentences: int = 12) -> str:
    """A document of its own: several paragraphs of sentences; documents of different seeds are no duplicates."""
    source = random.Random(seed)
    lines = [" ".join(sentence(source) for _ in range(3)) for _ in range(max(1, sentences // 3))]
    return "\n\n".join(lines)


def write_jsonl(path: Path, records: Iterable[dict[str, object]]) -> Path:
    """Write records as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def small_corpus(directory: Path, documents: int = 60) -> Path:
    """Two files: prose with three exact duplicates, three near-duplicates and two documents that are too short."""
    records = [{"id": f"d{i}", "text": prose(i), "year": 2000 + i % 20} for i in range(documents)]
    records += [{"id": f"copy{i}", "text": prose(i), "year": 1990} for i in range(3)]
    records += [{"id": f"near{i}", "text": prose(i) + " One more short remark.", "year": 1991} for i in range(3, 6)]
    records += [{"id": "short1", "text": "Too short."}, {"id": "short2", "text": "Also too short."}]
    half = len(records) // 2
    write_jsonl(directory / "a.jsonl", records[:half])
    write_jsonl(directory / "b.jsonl", records[half:])
    return directory


RECIPE = """
clean = ["unicode"]

[[steps]]
name = "long_enough"
filter = "word_count >= 20"

[[steps]]
name = "ordinary_words"
filter = "mean_word_length BETWEEN 3 AND 10"

[[steps]]
dedup = "exact"

[[steps]]
dedup = "minhash"
verify = 0.7
"""
