"""Measure a language model on text that it was not trained on, beside a reference fastText model where one is given.

Run as `python -m classifiers.training.measure_language DATA MODEL [--reference lid.176.ftz] [--card]`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

import classifiers
from classifiers.card import read_card, write_card
from classifiers.training.language import HELD_OUT_FROM, NTREX_CODES, TITLES_HELD_OUT, UDHR_ALIASES, ntrex_line
from classifiers.training.sources import LICENCES, Sources

LENGTHS = (20, 50, 200, 1000)
MASAKHA_CODES = {
    "eng": "en", "hau": "ha", "swa": "sw", "fra": "fr", "yor": "yo", "ibo": "ig", "amh": "am", "sna": "sn", "orm": "om",
    "run": "rn", "xho": "xh", "som": "so", "tir": "ti", "lug": "lg", "lin": "ln",
}  # fmt: skip
REFERENCE_ALIASES = {"sh": "sr"}  # labels that lid.176 has beside ours
RAW_WEB = ("raw_web/extraction_bench_pages_main_text", "raw_web/webkb_pages_main_text", "raw_web/cc_text")
ENGLISH_AT_LEAST = 0.65  # what recipes ask of `language_score`

Sample = tuple[str, str]
"""Code and text."""


def cuts(sources: Sources, length: int) -> list[Sample]:
    """Return held-out NTREX text of every language, joined and cut to `length` characters, 100 pieces at most."""
    joined: dict[str, list[str]] = defaultdict(list)
    for record in sources.evaluation("lid/ntrex128"):
        code = NTREX_CODES.get(record["lang"].split("-")[0])
        if code and ntrex_line(record) >= HELD_OUT_FROM:
            joined[code].append(record["text"])
    samples = []
    for code, lines in sorted(joined.items()):
        text = " ".join(lines)
        starts = range(0, len(text) - length, max(length, len(text) // 100))
        samples += [(code, text[start : start + length]) for start in starts]
    return samples


def documents(sources: Sources) -> dict[str, list[Sample]]:
    """Return whole documents of known language, by source."""
    return {
        "turku registers (web)": [
            (record["lang"], record["text"])
            for record in sources.evaluation("raw_web/turku_registers_multiling")
            if record["text"].strip()
        ],
        "masakhanews (news)": [
            (MASAKHA_CODES[record["lang"]], record["text"])
            for record in sources.evaluation("lid/masakhanews")
            if record["lang"] in MASAKHA_CODES
        ],
        "xquad, held-out articles": [
            (record["lang"], record["text"])
            for record in sources.evaluation("lid/xquad_contexts")
            if record["title"] in TITLES_HELD_OUT
        ],
    }


def predicted(model: classifiers.Model, texts: list[str]) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Return the label of each text, under the name that this project gives the language, and its probability."""
    labels, scores = model.predict(texts)
    renamed = REFERENCE_ALIASES | UDHR_ALIASES
    return [renamed.get(str(label), str(label)) for label in labels[:, 0]], scores[:, 0]


def accuracy(model: classifiers.Model, samples: list[Sample]) -> dict[str, float]:
    """Return the accuracy over all samples, over those in languages the model knows, and by language."""
    names, _ = predicted(model, [text for _, text in samples])
    known = set(model.labels)
    right: dict[str, list[bool]] = defaultdict(list)
    for (code, _), name in zip(samples, names, strict=True):
        right[code].append(name == code)
    every = [hit for hits in right.values() for hit in hits]
    in_known = [hit for code, hits in right.items() if code in known for hit in hits]
    summary = {"all": np.mean(every), "languages it knows": np.mean(in_known)}
    by_language = {code: np.mean(hits) for code, hits in sorted(right.items())}
    return {name: round(float(value), 4) for name, value in (summary | by_language).items()}


def untrained_pages(sources: Sources, name: str) -> list[str]:
    """Return the texts of 50 characters or more of a source, but for those that the model learned English from."""
    learned = {record["id"] for record in sources.training(name)} if name in LICENCES else set()
    return [r["text"] for r in sources.evaluation(name) if r["id"] not in learned and len(r["text"]) >= 50]


def english_agreement(model: classifiers.Model, reference: classifiers.Model, texts: list[str]) -> dict[str, float]:
    """Compare both models' verdict "English with at least 0.65" on raw web pages."""
    verdicts = []
    for one in (model, reference):
        names, scores = predicted(one, texts)
        verdicts.append((np.array(names) == "en") & (scores >= ENGLISH_AT_LEAST))
    ours, theirs = verdicts
    return {
        "documents": len(texts),
        "reference says English": int(theirs.sum()),
        "we say English": int(ours.sum()),
        "of theirs, ours too": round(float((ours & theirs).sum() / theirs.sum()), 4),
        "of ours, theirs too": round(float((ours & theirs).sum() / ours.sum()), 4),
        "same verdict": round(float((ours == theirs).mean()), 4),
    }


def measure(sources: Sources, model: classifiers.Model, reference: classifiers.Model | None) -> dict[str, Any]:
    """Return all measurements of `model`, and of `reference` on the same text."""
    sets = {f"NTREX lines 1800+, {length} characters": cuts(sources, length) for length in LENGTHS}
    sets |= documents(sources)
    found: dict[str, Any] = {}
    for name, samples in sets.items():
        ours = accuracy(model, samples)
        found[name] = {"documents": len(samples), "accuracy": ours["all"]}
        weakest = sorted((value, code) for code, value in ours.items() if len(code) <= 3 and code != "all")[:12]
        found[name]["weakest"] = {code: value for value, code in weakest}
        if reference is not None:
            both = [sample for sample in samples if sample[0] in reference.labels]
            found[name]["in languages of the reference"] = {
                "ours": accuracy(model, both)["all"], "reference": accuracy(reference, both)["all"]
            }  # fmt: skip
    if reference is not None:
        found["English at 0.65 or more, raw web"] = {
            name: english_agreement(model, reference, untrained_pages(sources, name)) for name in RAW_WEB
        }
    return found


def main() -> None:
    """Print the measurements; with --card also put them into the model's card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--reference", type=Path, help="a fastText model whose labels are ISO codes, such as lid.176.ftz"
    )
    parser.add_argument("--card", action="store_true", help="write the measurements into the card beside the model")
    options = parser.parse_args()
    reference = classifiers.load(options.reference) if options.reference else None
    found = measure(Sources(options.data), classifiers.load(options.model), reference)
    print(json.dumps(found, indent=1))
    if options.card:
        write_card(options.model, read_card(options.model) | {"measured": found})


if __name__ == "__main__":
    main()
