"""The speed of another toolkit's rules on texts of a file: run by `signals.py` with the Python of that toolkit.

    PYTHON benchmarks/signals_peers.py datatrove|dolma TEXTS.json SECONDS

TEXTS.json holds a list of texts. Each rule reads them once to get warm, then again and again for SECONDS of processor
time; prints a JSON object, rule -> MB a second, of its fastest time. Needs nothing of curate.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def datatrove() -> dict[str, Callable[[str], Any]]:
    """Return filters by the family of curate's signals that they stand for."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    gopher = [GopherQualityFilter(), GopherRepetitionFilter()]
    c4 = [C4QualityFilter(filter_no_terminal_punct=False)]
    fineweb = [FineWebQualityFilter()]

    def judge(filters: list[Any]) -> Callable[[str], None]:
        def each(text: str) -> None:
            for rules in filters:  # one after the other: datatrove keeps the words of a text for the next filter
                rules.filter(Document(text=text, id=""))

        return each

    return {
        "Gopher": judge(gopher),
        "C4": judge(c4),
        "FineWeb": judge(fineweb),
        "Gopher, C4 and FineWeb": judge(gopher + c4 + fineweb),
    }


def dolma() -> dict[str, Callable[[str], Any]]:
    """Return taggers by the family of curate's signals that they stand for; dolma has none of FineWeb's."""
    import dolma.taggers  # noqa: F401  # registers them
    from dolma.core.data_types import Document
    from dolma.core.registry import TaggerRegistry

    gopher, c4 = TaggerRegistry.get("gopher_v2")(), TaggerRegistry.get("c4_v2")()

    def tag(taggers: list[Any]) -> Callable[[str], None]:
        def each(text: str) -> None:
            for tagger in taggers:
                tagger.predict(Document(source="", id="", text=text))

        return each

    return {"Gopher": tag([gopher]), "C4": tag([c4]), "Gopher and C4": tag([gopher, c4])}


def speed(work: Callable[[str], Any], texts: list[str], limit: float) -> float:
    """Return MB of UTF-8 a second of processor time, the best of as many passes as fit the limit, at least one."""
    best = spent = 0.0
    size = sum(len(text.encode()) for text in texts) / 1e6
    for text in texts[: len(texts) // 10]:
        work(text)
    while spent < limit:
        started = time.process_time()
        for text in texts:
            work(text)
        seconds = time.process_time() - started
        spent += seconds
        best = max(best, size / seconds)
    return best


def main(peer: str, texts: str, limit: str) -> None:
    """Measure every rule of one toolkit."""
    loaded = json.loads(Path(texts).read_text(encoding="utf-8"))
    rules = {"datatrove": datatrove, "dolma": dolma}[peer]()
    print(json.dumps({name: speed(work, loaded, float(limit)) for name, work in rules.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
