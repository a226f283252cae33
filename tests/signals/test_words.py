"""Unicode words, stop words, kinds of characters and scripts: on small texts, random ones, and real languages."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.characters import SCRIPTS, build, characters, decompose
from curate.signals import Documents, compute
from curate.signals.stop_words import stop_words, table
from tests import naive_words
from tests.signals.texts import TEXTS

DATA = Path(os.environ.get("CURATE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


def words_of(texts: list[str]) -> list[list[str]]:
    documents = Documents(texts)
    data, found = documents.strings.data.tobytes(), documents.unicode_words
    words = [data[a:b].decode() for a, b in zip(found.start.tolist(), found.stop.tolist(), strict=True)]
    return [words[a:b] for a, b in zip(found.first[:-1].tolist(), found.first[1:].tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop: 3.14!", ["Don", "t", "stop", "3", "14"]),
        ("e\u0301te\u0301 naïve", ["e\u0301te\u0301", "naïve"]),
        ("漢字かな", ["漢", "字", "か", "な"]),
        ("か\u3099く", ["か\u3099", "く"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ភាសាខ្មែរ", ["ភា", "សា", "ខ្", "មែ", "រ"]),
        ("हिन्दी है।", ["हिन्दी", "है"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("👩\u200d🚀 a\u200bb", ["a", "b"]),
        ("漢字abc漢", ["漢", "字", "abc", "漢"]),
        ("\u0301 x", ["\u0301", "x"]),
        ("", []),
    ],
)
def test_words_in_every_language(text: str, words: list[str]) -> None:
    assert words_of([text]) == [words]


_PIECES = st.sampled_from(
    [
        "a",
        "É",
        "漢",
        "か",
        "\u3099",
        "ท",
        "ี",
        "่",
        "\u0301",
        "ン",
        "ー",
        "한",
        "م",
        " ",
        "_",
        "-",
        "9",
        "𠀀",
        "𝐀",
        "👍",
        "abcdefgh",
    ]
)
_MIXED = st.lists(_PIECES, max_size=60).map("".join)


@settings(max_examples=300)
@given(st.lists(st.one_of(_MIXED, TEXTS), max_size=4))
def test_words_agree_with_plain_python(texts: list[str]) -> None:
    assert words_of(texts) == [naive_words.unicode_words(text) for text in texts]


@pytest.mark.parametrize("piece", ["ที่", "a", "漢", "word ", "か\u3099 ", "\u0e31", "é1 _"])
@pytest.mark.parametrize("times", [4000, 5000])
def test_words_of_a_long_text_agree_with_plain_python(piece: str, times: int) -> None:
    text = "-" + piece * times
    assert words_of(["x", text, piece]) == [naive_words.unicode_words(part) for part in ("x", text, piece)]


@settings(max_examples=200)
@given(_MIXED)
def test_words_have_one_hash_in_any_case(text: str) -> None:
    found, words = Documents([text]).unicode_words, [naive_words.lower(word) for word in words_of([text])[0]]
    same = {(word, hashed) for word, hashed in zip(words, found.hash.tolist(), strict=True)}
    assert len(same) == len(set(words)) == len(set(found.hash.tolist()))


@pytest.mark.parametrize(
    ("piece", "words", "megabytes"),
    [("ab ", 1, 50), ("漢", 1, 50), ("x", 0, 5), ("ที่", 1, 5), ("!", 0, 5), ("É", 0, 5), ("http://a.b/", 3, 5),
     ("a.\n", 1, 5)],
)  # fmt: skip
def test_one_line_of_many_megabytes_is_measured(piece: str, words: int, megabytes: int) -> None:
    times = megabytes * 1_000_000 // len(piece.encode())
    names = ["unicode_word_count", "stop_word_ratio", "script_latin", "url_ratio", "char_count", "word_count"]
    found = compute(Documents([piece * times]), names)
    assert found["char_count"] == times * len(piece)
    assert found["unicode_word_count"] == (times * words or int(piece.isalpha()))


def test_every_stop_word_is_one_word_in_lower_case() -> None:
    for language, words in stop_words().items():
        assert len(words) >= 25, language
        assert len(set(words)) == len(words) <= 64, language
        assert words_of(list(words)) == [[naive_words.lower(word)] for word in words], language
        assert all(unicodedata.is_normalized("NFC", word) for word in words), language


def test_there_are_lists_for_the_thirty_languages_with_most_web_text() -> None:
    most = "en ru de ja es zh fr it pt nl pl tr cs id vi fa ko ar hu uk el sv ro da fi th sk nb bg he hi ca lt hr"
    assert set(most.split()) <= set(stop_words())
    assert len(table().key) >= 2 * len({word for words in stop_words().values() for word in words})


def test_the_best_fitting_language_counts_and_no_other() -> None:
    assert value("stop_word_ratio", "the der die das") == 0.75
    assert value("stop_words_distinct", "The THE the end") == 1
    assert value("stop_word_ratio", "zxqv 12") == 0


def real_texts(file: str, languages: set[str]) -> dict[str, str]:
    path = DATA / f"{file}.jsonl.zst"
    if not path.is_file():
        pytest.skip(f"{path} is absent; set CURATE_DATA")
    with pa.CompressedInputStream(str(path), "zstd") as stream:
        records = [json.loads(line) for line in stream.read().decode().split("\n") if line]
    return {record["bcp47"]: record["text"] for record in records if record["bcp47"] in languages}


@pytest.mark.data
def test_the_declaration_of_human_rights_has_the_stop_words_of_its_language() -> None:
    least = {
        "en": 0.35, "ru": 0.2, "de-1996": 0.3, "fr": 0.35, "es": 0.3, "it": 0.3, "nl": 0.35, "pl": 0.2, "sv": 0.25,
        "el-monoton": 0.3, "ar": 0.15, "he": 0.1, "hi": 0.3, "tr": 0.12, "fi": 0.15, "hu": 0.2, "cs": 0.2,
        "ja": 0.4, "th": 0.6, "zh-Hans": 0.25, "ko": 0.06, "fa": 0.25, "id": 0.25, "uk": 0.18, "ro": 0.25, "da": 0.3,
    }  # fmt: skip
    texts = real_texts("lid/udhr", set(least))
    assert len(texts) >= 20
    documents = Documents(list(texts.values()))
    found = compute(documents, ["stop_word_ratio", "stop_words_distinct"])
    lists = list(stop_words())
    for name, ratio, distinct, best in zip(
        texts, found["stop_word_ratio"], found["stop_words_distinct"], documents.stop_words[:, 2], strict=True
    ):
        fits = {"id": {"id", "ms"}, "zh-Hans": {"zh"}, "da": {"da", "nb"}}.get(name, {name.split("-")[0]})
        assert lists[best] in fits, name
        assert ratio > least[name], name
        assert distinct >= 10, name


_URLS = st.sampled_from(
    ["http://", "https://", "ftp://", "HTTPS://", "www.", "WWW.", "://", "s", "h", "a.b/c?d=e", "é", " ", "\n", '"',
     "<", ">", "w", "ww.", "x", "漢", ".", "http:/", "file://", "1", "-"]
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.lists(_URLS, max_size=12).map("".join), max_size=3))
def test_urls_are_found_as_a_regular_expression_finds_them(texts: list[str]) -> None:
    expected = [naive_words.SIGNALS["url_ratio"](text) for text in texts]
    np.testing.assert_allclose(compute(Documents(texts), ["url_ratio"])["url_ratio"], expected, rtol=1e-6)


def test_script_shares_add_up_to_one() -> None:
    names = [f"script_{script}" for script in SCRIPTS]
    found = compute(Documents(["Aбγ漢かア한ไअ𐎀"]), names)
    assert sum(float(values[0]) for values in found.values()) == pytest.approx(1)


def test_tables_built_by_this_python_are_the_shipped_ones_for_characters_of_unicode_3() -> None:
    every = np.array([cp for cp in range(sys.maxunicode + 1) if unicodedata.ucd_3_2_0.category(chr(cp)) != "Cn"])
    shipped, built = characters(), build()
    at, there = (tables.index[every >> 7].astype(np.int64) * 128 + (every & 127) for tables in (shipped, built))
    for name in ("script", "kind", "combining"):
        differ = every[getattr(shipped, name)[at] != getattr(built, name)[there]]
        assert [f"U+{cp:04X}" for cp in differ if unicodedata.category(chr(cp)) == "Cn"] == []
        assert len(differ) < 50, name  # Unicode itself corrects a few


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=12))
def test_decomposition_is_normal_form_d(text: str) -> None:
    out, at = np.zeros(200, np.int64), 0
    for char in text:
        at = decompose(ord(char), characters(), out, at)
    assert "".join(map(chr, out[:at].tolist())) == unicodedata.normalize("NFD", text)
