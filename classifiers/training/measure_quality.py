"""Measure a quality and a domain model on text that they were not trained on.

Run as `python -m classifiers.training.measure_quality DATA --quality MODEL --domain MODEL [--card]`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import classifiers
from classifiers.card import read_card, write_card
from classifiers.evaluation import roc_auc
from classifiers.training.domain import HELD_OUT_SOURCES
from classifiers.training.quality import EDITED, is_selling
from classifiers.training.sources import Record, Sources, held_out

LENGTHS = (20, 100, 400)


def auc(positive: npt.NDArray[Any], negative: npt.NDArray[Any]) -> float:
    """The chance that a random positive scores above a random negative."""
    truth = np.arange(len(positive) + len(negative)) < len(positive)
    return round(roc_auc(np.concatenate([positive, negative]), truth), 4)


def parts(records: Iterable[Record], words: int, most: int = 1500) -> list[str]:
    """Return one run of `words` words from each record that is long enough, `most` of them at most."""
    rng = random.Random(words)
    found = []
    for record in records:
        split = record["text"].split()
        if len(split) >= words:
            start = rng.randrange(len(split) - words + 1)
            found.append(" ".join(split[start : start + words]))
    return rng.sample(found, min(most, len(found)))


def english_web(sources: Sources) -> list[Record]:
    """Return unfiltered English Common Crawl pages; their part of cc_text has no licence and trains nothing."""
    pages = [r for r in sources.evaluation("raw_web/cc_text") if "cs336" in r["source"] or "assign" in r["source"]]
    labels, _ = classifiers.load("language").predict([page["text"] for page in pages])
    return [page for page, label in zip(pages, labels[:, 0], strict=True) if label == "en"]


def quality(sources: Sources, model: classifiers.Model) -> dict[str, Any]:
    """Return the measurements of a quality model."""
    nltk = sources.evaluation("high_quality/nltk_corpora")
    tech = sources.evaluation("high_quality/peps_rustbook_progit")
    spam = [r for r in sources.evaluation("quality_labels/spam_assassin") if r["label"] == "spam" and held_out(r)]
    edited = {
        "textbooks (OpenStax)": sources.evaluation("high_quality/openstax_textbooks"),
        "news (ABC)": [r for r in nltk if "abc" in r["source"]],
        "Pro Git": [r for r in tech if "progit" in r["source"]],
        "held-out Wikipedia": [r for r in sources.evaluation("high_quality/wikipedia_misc") if held_out(r)],
    }
    other = {"unfiltered web": english_web(sources), "held-out spam": spam}
    found: dict[str, Any] = {}
    for words in LENGTHS:
        good = {name: model.score(parts(records, words)) for name, records in edited.items()}
        poor = {name: model.score(parts(records, words)) for name, records in other.items()}
        found[f"AUC, {words} words"] = {
            f"{one} over {two}": auc(good[one], poor[two])
            for one in good for two in poor if min(len(good[one]), len(poor[two])) >= 20
        }  # fmt: skip
    registers: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for record in sources.evaluation("raw_web/turku_registers_multiling"):
        if held_out(record, 0.2) and record["text"].strip():
            if record["label"] in EDITED:
                registers[record["lang"]][0].append(record["text"])
            elif is_selling(record):
                registers[record["lang"]][1].append(record["text"])
    found["AUC, informational and narrative over selling (Turku registers, held out)"] = {
        code: auc(model.score(good), model.score(poor))
        for code, (good, poor) in sorted(registers.items()) if min(len(good), len(poor)) >= 5
    }  # fmt: skip
    found["median score of whole documents"] = {
        name: round(float(np.median(model.score([r["text"] for r in records]))), 3)
        for name, records in (edited | other | extra(sources, nltk)).items()
    }
    return found


def extra(sources: Sources, nltk: list[Record]) -> dict[str, list[Record]]:
    """Return further sources, for which neither side is right; code and LaTeX were given to both in training."""
    return {
        "film reviews": sources.evaluation("quality_labels/movie_reviews"),
        "forum and overheard talk": [r for r in nltk if "webtext" in r["source"]],
        "personal and course pages (WebKB)": sources.evaluation("raw_web/webkb_pages_main_text"),
        "web pages, main text": sources.evaluation("raw_web/extraction_bench_pages_main_text"),
        "Python code": [r for r in sources.evaluation("code/code_mixed") if r["lang"] == "python"],
        "LaTeX mathematics": sources.evaluation("math/stacks_hott_tex"),
    }


def domain(sources: Sources, model: classifiers.Model) -> dict[str, Any]:
    """Return for each held-out source how its documents are labelled."""
    code, tex = sources.evaluation("code/code_mixed"), sources.evaluation("math/stacks_hott_tex")
    college = sources.evaluation("math/college_math_asdiv_mathqa")
    sets = {
        "code: GPL repository, left out": [r for r in code if "GPL" in str(r["license"])],
        "code: held-out repositories": [r for r in code if r["source"] in HELD_OUT_SOURCES],
        "math: HoTT book": [r for r in tex if r["source"] in HELD_OUT_SOURCES],
        "math: mawps problems": [r for r in college if r["source"] in HELD_OUT_SOURCES],
        "math: held-out gsm8k": [r for r in sources.evaluation("math/gsm8k_train") if held_out(r)],
        "general: textbooks (OpenStax physics, sociology)": sources.evaluation("high_quality/openstax_textbooks"),
        "general: news (masakhanews, 15 languages)": sources.evaluation("lid/masakhanews"),
        "general: web pages, main text": sources.evaluation("raw_web/extraction_bench_pages_main_text"),
        "general: personal and course pages": sources.evaluation("raw_web/webkb_pages_main_text"),
        "general: film reviews": sources.evaluation("quality_labels/movie_reviews"),
        "general: Pro Git": [
            r for r in sources.evaluation("high_quality/peps_rustbook_progit") if "progit" in r["source"]
        ],
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, records in sets.items():
        labels, _ = model.predict([r["text"] for r in records])
        counts = Counter(labels[:, 0].tolist())
        found[name] = {label: round(counts[label] / len(records), 4) for label in model.labels}
    return found


def main() -> None:
    """Print the measurements; with --card also put them into the models' cards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("--quality", type=Path)
    parser.add_argument("--domain", type=Path)
    parser.add_argument("--card", action="store_true", help="write the measurements into the card beside each model")
    options = parser.parse_args()
    for path, evaluate in ((options.quality, quality), (options.domain, domain)):
        if path is None:
            continue
        found = evaluate(Sources(options.data), classifiers.load(path))
        print(json.dumps(found, indent=1, ensure_ascii=False))
        if options.card:
            write_card(path, read_card(path) | {"measured": found})


if __name__ == "__main__":
    main()
