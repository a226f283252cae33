"""The shipped models do what their cards say on texts written for this test, and are small."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import classifiers
from classifiers.card import MODELS
from classifiers.training.sources import read_jsonl

SENTENCES = {
    "en": "The library opens at nine and closes when the last reader has gone home.",
    "de": "Die Bibliothek öffnet um neun Uhr und schließt, wenn der letzte Leser gegangen ist.",
    "fr": "La bibliothèque ouvre à neuf heures et ferme quand le dernier lecteur est parti.",
    "es": "La biblioteca abre a las nueve y cierra cuando se ha ido el último lector.",
    "sv": "Biblioteket öppnar klockan nio och stänger när den sista läsaren har gått hem.",
    "fi": "Kirjasto avataan yhdeksältä ja suljetaan, kun viimeinen lukija on lähtenyt kotiin.",
    "ru": "Библиотека открывается в девять и закрывается, когда уходит последний читатель.",
    "el": "Η βιβλιοθήκη ανοίγει στις εννέα και κλείνει όταν φύγει ο τελευταίος αναγνώστης.",
    "zh": "图书馆九点开门，最后一位读者离开后才关门。",
    "ja": "図書館は九時に開き、最後の読者が帰ると閉まります。",
    "ko": "도서관은 아홉 시에 열고 마지막 독자가 돌아가면 닫습니다.",
    "hi": "पुस्तकालय नौ बजे खुलता है और अंतिम पाठक के जाने पर बंद होता है।",
    "ar": "تفتح المكتبة في التاسعة وتغلق عندما يغادر آخر قارئ.",
    "tr": "Kütüphane saat dokuzda açılır ve son okuyucu gidince kapanır.",
}


def test_all_three_ship_with_cards_and_stay_small() -> None:
    assert classifiers.shipped() == ["domain", "language", "quality"]
    assert sum(path.stat().st_size for path in MODELS.iterdir()) < 8_000_000
    for name in classifiers.shipped():
        card = classifiers.load(name).card
        assert card["name"] == name
        assert {"sources", "parameters", "measured", "limits", "versions", "date"} <= set(card)
        assert all(source["licence"] for source in card["sources"])
        assert card["model_sha256"] == hashlib.sha256((MODELS / f"{name}.ftz").read_bytes()).hexdigest()


def test_language_knows_the_large_languages() -> None:
    model = classifiers.load("language")
    labels, _ = model.predict(list(SENTENCES.values()))
    assert dict(zip(SENTENCES, labels[:, 0], strict=True)) == {code: code for code in SENTENCES}
    assert len(model.labels) >= 100


def test_english_keeps_its_score_through_web_clutter() -> None:
    page = "Home | About | Contact © 2019\n" + SENTENCES["en"] + "\nhttps://www.example.com/a?b=1 Share 12 Comments"
    codes, scores = classifiers.load("language").predict([page, page.upper(), page.lower()])
    assert codes[:, 0].tolist() == ["en"] * 3 and (scores > 0.65).all()


def test_quality_prefers_an_article_to_an_advertisement() -> None:
    article = (
        "The river rises in the northern hills and flows south for three hundred kilometres before it reaches the sea. "
        "Its valley was settled in the ninth century, and the oldest bridge, built of sandstone, dates from 1346."
    )
    advert = (
        "BUY NOW!!! Best cheap deals online, click here to order today and get FREE shipping on all our products. "
        "Contact us for a quote, we are the best company for your needs, satisfaction guaranteed, limited offer!"
    )
    good, poor = classifiers.load("quality").score([article, advert])
    assert good > 0.8 and poor < 0.2


def test_domain_tells_code_and_mathematics_from_prose() -> None:
    code = (
        "import os\n\ndef main(argv):\n    for path in argv[1:]:\n        print(os.path.getsize(path))\n    return 0\n"
    )
    proof = (
        r"Let $f : X \to Y$ be a continuous map. By Lemma \ref{lemma-one} the image $f(K)$ is compact, hence closed."
    )
    labels, _ = classifiers.load("domain").predict([SENTENCES["en"], code, proof, SENTENCES["fr"]])
    assert labels[:, 0].tolist() == ["general", "code", "math", "general"]


@pytest.fixture(scope="module")
def data() -> Path:
    folder = Path(os.environ.get("CURATE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}; set CURATE_DATA")
    return folder


@pytest.mark.data
def test_lid176_gives_what_fasttext_gives_on_real_pages(data: Path) -> None:
    import fasttext

    path = data / "models" / "lid.176.ftz"
    names = ("raw_web/cc_text", "raw_web/turku_registers_multiling", "lid/udhr")
    texts = [r["text"] for name in names for r in read_jsonl(data / f"{name}.jsonl.zst")][::3]
    reference = fasttext.load_model(str(path))
    want = [reference.predict(text.replace("\n", " ")) for text in texts]
    labels, scores = classifiers.load(path).predict(pa.array(texts))
    assert len(texts) > 2000
    assert labels[:, 0].tolist() == [label.removeprefix("__label__") for (label,), _ in want]
    np.testing.assert_allclose(scores[:, 0], [min(p, 1) for _, (p,) in want], atol=1e-4)
