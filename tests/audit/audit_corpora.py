"""A corpus in which it is known what each step is worth."""

from __future__ import annotations

import random
from typing import Any

from tests.corpora import prose

GOOD, NEEDLESS, GARBAGE, COPIES = 240, 60, 150, 60
REFERENCE = range(10_000, 10_060)

RECIPE = """
clean = ["unicode"]

[[steps]]
name = "no_garbage"
filter = "kind <> 'garbage'"

[[steps]]
name = "needless"
filter = "kind <> 'needless'"

[[steps]]
name = "idle"
filter = "char_count >= 1"

[[steps]]
dedup = "exact"
"""
HARMFUL = RECIPE.replace("kind <> 'needless'", "kind = 'garbage' OR id < 'good03'")


def garbage(seed: int) -> str:
    """Text that teaches nothing about prose."""
    source = random.Random(seed)
    return " ".join("".join(source.choices("XQZJKVWY0123456789#$%", k=source.randrange(4, 12))) for _ in range(100))


def planted() -> list[dict[str, Any]]:
    """Prose, as much prose under another name, garbage, and exact copies of one document."""
    records = [{"id": f"good{i:03}", "text": prose(i), "kind": "good"} for i in range(GOOD)]
    records += [{"id": f"needless{i}", "text": prose(5_000 + i), "kind": "needless"} for i in range(NEEDLESS)]
    records += [{"id": f"garbage{i}", "text": garbage(i), "kind": "garbage"} for i in range(GARBAGE)]
    return records + [{"id": f"copy{i:03}", "text": prose(7_777), "kind": "good"} for i in range(COPIES)]
