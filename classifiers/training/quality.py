"""Train the shipped `quality` model: edited text (`hq`) against random web pages, advertising and spam (`lq`).

Run as `python -m classifiers.training.quality DATA -o FOLDER`; `classifiers.training.measure_quality` evaluates it.
In every language both labels get the same number of examples, so that the language itself says nothing.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from classifiers.card import write_card
from classifiers.training.augment import chunk, disturb, plain, spaced
from classifiers.training.fit import Example, fit
from classifiers.training.language import HELD_OUT_FROM, ntrex_line
from classifiers.training.sources import Record, Sources, held_out

SEED = 20261123
EDITED = {"IN", "NA", "NA ne", "IN en", "IN dtp", "IN ra", "D-Informational", "Narrative", "HI", "IN HI", "NA sr"}
"""Turku registers taken as edited text: informational, narrative (news), encyclopedic, how-to."""
SELLING = {"IP", "IP ds", "IP ed", "Info-Persuasion", "MT", "IP MT", "IN IP ds dtp", "SP MT"}
"""Turku registers taken as low quality: informational persuasion (advertising), machine translation."""
MOST_PER_DOCUMENT = 12

TRAIN = {
    "loss": "softmax",
    "dim": 8,
    "wordNgrams": 2,
    "bucket": 1 << 20,
    "minCount": 3,
    "lr": 0.1,
    "epoch": 3,
    "seed": 1,
}
QUANTISE = {"qnorm": True, "dsub": 2, "cutoff": 60000, "retrain": True, "lr": 0.1, "epoch": 1}
ENGLISH = 24000
OTHER = 2500
NEUTRAL = 3000
ABOUT = "Whether a text reads like edited prose (hq) or like unselected web text, advertising or spam (lq)."
LIMITS = [
    "Trained on English, Swedish, Indonesian, French, Finnish, Portuguese, Catalan, Hindi, Urdu and Arabic; on "
    "any other language the score means nothing.",
    "Scores rank texts of one language; they are no probabilities to compare between languages or with other models.",
    "It judges style, not truth: a well-written advertisement passes, a careful forum answer in the second person "
    "or a manual with commands (Pro Git: median 0.17) does not.",
    "Encyclopedic, literary and news prose is favoured; dialogue, instructions and personal pages score low.",
    "Program code and formulas score about 0.5 by design, because the web sample has next to none of either.",
    "Below about 50 words the score is noise in one case of six.",
]


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
        "news": (0.12, news(sources)),
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


def news(sources: Sources) -> list[str]:
    """Return English NTREX news, 12 lines in a row as one text; lines held out for the language model are left out."""
    found = [
        record["text"]
        for record in sources.training("lid/ntrex128")
        if record["lang"] == "eng" and ntrex_line(record) < HELD_OUT_FROM
    ]
    return ["\n".join(found[at : at + 12]) for at in range(0, len(found), 12)]


def neutral(sources: Sources) -> list[str]:
    """Return text that must not decide: code and formulas are rare in the web sample, which leaves out braces."""
    return texts(sources.training("code/code_mixed")) + texts(sources.training("math/stacks_hott_tex"))


def draw(pools: dict[str, tuple[float, list[str]]], count: int, rng: random.Random) -> list[str]:
    """Return about `count` chunks, shared out as the pools say; a small pool gives each text a dozen times at most."""
    drawn = []
    for _, (share, found) in sorted(pools.items()):
        wanted = min(int(count * share), MOST_PER_DOCUMENT * len(found))
        drawn += [spaced(disturb(chunk(plain(rng.choice(found), rng), rng), rng, 0.1), rng) for _ in range(wanted)]
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
    pool = {"neutral": (1.0, neutral(sources))}
    pairs.append((draw(pool, NEUTRAL, rng), draw(pool, NEUTRAL, rng)))
    for _, (edited, selling) in sorted(registers(sources).items()):
        count = min(OTHER, MOST_PER_DOCUMENT * len(selling))
        good = draw({"web": (1.0, edited)}, count, rng)
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
    write_card(
        model,
        {"name": "quality", "about": ABOUT, "positive": "hq", "sources": sources.used, "limits": LIMITS, **card},
    )


if __name__ == "__main__":
    main()
