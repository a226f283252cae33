"""Train the shipped `quality` model: edited text (`hq`) against random web pages, advertising and spam (`lq`).

Run as `python -m classifiers.training.quality DATA -o FOLDER`; `classifiers.training.measure_quality` evaluates it.
In every language both labels get the same number of examples, so that the language itself says nothing.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from classifiers.training.augment import chunk, disturb, plain
from classifiers.training.fit import Example, fit, write_card
from classifiers.training.language import NTREX_CODES, ntrex_line
from classifiers.training.sources import Record, Sources, held_out

SEED = 20261123
EDITED = {"IN", "NA", "NA ne", "IN en", "IN dtp", "IN ra", "D-Informational", "Narrative", "HI", "IN HI", "NA sr"}
"""Turku registers taken as edited text: informational, narrative (news), encyclopedic, how-to."""
SELLING = {"IP", "IP ds", "IP ed", "Info-Persuasion", "MT", "IP MT", "IN IP ds dtp", "SP MT"}
"""Turku registers taken as low quality: informational persuasion (advertising), machine translation."""
WORDS_PER_CHUNK = 150
MOST_PER_DOCUMENT = 12

Pool = list[tuple[str, float]]
"""Texts with the share of their label's examples that should come from each."""

TRAIN = {"loss": "softmax", "dim": 8, "wordNgrams": 2, "bucket": 1 << 20, "minCount": 3, "lr": 0.3, "epoch": 4, "seed": 1}
QUANTISE = {"qnorm": True, "dsub": 2, "cutoff": 60000, "retrain": True, "lr": 0.2, "epoch": 2}
ENGLISH = 24000
OTHER = 2500


def good_english(sources: Sources) -> dict[str, tuple[float, list[str]]]:
    """Return edited English text by source, with the share that each should have."""
    wiki = [r for r in sources.training("high_quality/wikipedia_misc") if r.get("lang") == "en"]
    docs = [r for r in sources.training("high_quality/debian_docs_multiling") if "anarchism" in r["source"]]
    return {
        "wikipedia": (0.26, texts(wiki)),
        "xquad": (0.10, texts(r for r in sources.training("lid/xquad_contexts") if r["lang"] == "en")),
        "books": (0.16, texts(sources.training("high_quality/books_standardebooks"))),
        "essays": (0.06, texts(docs)),
        "foldoc": (0.08, texts(sources.training("high_quality/foldoc_dict"))),
        "technical": (0.08, texts(sources.training("high_quality/peps_rustbook_progit"))),
        "news, simplified": (0.08, texts(sources.training("quality_labels/onestopenglish_levels"))),
        "news": (0.12, news(sources)["en"]),
        "headlines": (
            0.06, texts(r for r in sources.training("quality_labels/clickbait_headlines") if r["label"] == "news")
        ),
    }  # fmt: skip


def poor_english(sources: Sources) -> dict[str, tuple[float, list[str]]]:
    """Return unselected and low-quality English text by source, with the share that each should have."""
    web = [r for r in sources.training("raw_web/cc_text") if "c4" in r["source"] and "guardian" not in r["source"]]
    spam = [r for r in sources.training("quality_labels/spam_assassin") if r["label"] == "spam"]
    bait = [r for r in sources.training("quality_labels/clickbait_headlines") if r["label"] == "clickbait"]
    return {"web": (0.78, texts(web)), "spam": (0.16, texts(spam)), "clickbait": (0.06, texts(bait))}


def texts(records: object) -> list[str]:
    """Return the texts of records that are not held out."""
    return [record["text"] for record in records if not held_out(record)]  # type: ignore[attr-defined]


def news(sources: Sources) -> dict[str, list[str]]:
    """Return NTREX by language, 12 lines in a row as one text; lines held out for the language model are left out."""
    lines: dict[str, list[str]] = defaultdict(list)
    for record in sources.training("lid/ntrex128"):
        if record["lang"] in ("eng", "swe", "ind", "fra", "fin", "por", "cat", "hin", "urd", "arb"):
            if ntrex_line(record) < 1800:
                lines[NTREX_CODES[record["lang"]]].append(record["text"])
    return {code: ["\n".join(found[at : at + 12]) for at in range(0, len(found), 12)] for code, found in lines.items()}


def draw(pools: dict[str, tuple[float, list[str]]], count: int, rng: random.Random) -> list[str]:
    """Return about `count` chunks, shared out as the pools say; a small pool gives each text a dozen times at most."""
    drawn = []
    for _, (share, found) in sorted(pools.items()):
        wanted = min(int(count * share), MOST_PER_DOCUMENT * len(found))
        drawn += [disturb(chunk(plain(rng.choice(found), rng), rng), rng, 0.1) for _ in range(wanted)]
    return drawn


def registers(sources: Sources) -> dict[str, tuple[list[str], list[str]]]:
    """Return (edited, selling) web texts of the Turku register corpora by language; rejected annotations left out."""
    found: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for record in sources.training("raw_web/turku_registers_multiling"):
        if record.get("annot_status") == "reject" or held_out(record, 0.2) or not record["text"].strip():
            continue
        if record["label"] in EDITED:
            found[record["lang"]][0].append(record["text"])
        elif is_selling(record):
            found[record["lang"]][1].append(record["text"])
    return found


def is_selling(record: Record) -> bool:
    """Whether a register record counts as low quality."""
    return record["label"] in SELLING or record["label"].startswith("IP")


def examples(sources: Sources) -> list[Example]:
    """Return the shuffled training examples."""
    rng = random.Random(SEED)
    good, poor = draw(good_english(sources), ENGLISH, rng), draw(poor_english(sources), ENGLISH, rng)
    size = min(len(good), len(poor))
    pairs = [(rng.sample(good, size), rng.sample(poor, size))]
    by_language = news(sources)
    for code, (edited, selling) in sorted(registers(sources).items()):
        count = min(OTHER, MOST_PER_DOCUMENT * len(selling))
        good = draw({"web": (0.8, edited), "news": (0.2, by_language[code])}, count, rng)
        poor = draw({"web": (1.0, selling)}, count, rng)
        size = min(len(good), len(poor))
        pairs.append((good[:size], poor[:size]))
    made = [("hq", text) for good, _ in pairs for text in good] + [("lq", text) for _, poor in pairs for text in poor]
    rng.shuffle(made)
    return made


def main() -> None:
    """Train and write quality.ftz and its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for quality.ftz and quality.json")
    options = parser.parse_args()
    sources = Sources(options.data)
    model = options.out / "quality.ftz"
    card = fit(examples(sources), model, TRAIN, QUANTISE)
    write_card(model, {"name": "quality", "positive": "hq", "sources": sources.used, **card})


if __name__ == "__main__":
    main()
