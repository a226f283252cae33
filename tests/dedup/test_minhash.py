import datasketch
import dedup_naive as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.arrow import as_strings
from curate import dedup
from curate.kernels.minhash import EMPTY, band_keys, sketch
from curate.kernels.shingles import shingle_sets

ALPHABET = [*"abC_9 .-İKéЖ中字カ한ไท\u0301😀\n", " ", "  ", "word ", "longerthan8bytes", "Überlänge "]
TEXTS = st.lists(st.lists(st.sampled_from(ALPHABET), max_size=90).map("".join) | st.text(), max_size=8)
LONG = ["é" * 5000 + " a b c d e f", "a" * 9000, "a b " * 9000, "中" * 9001, " ".join(map(str, range(9000)))]


def sets_of(texts, ngram):
    values, offsets = shingle_sets(as_strings(texts), ngram)
    return [values[offsets[i] : offsets[i + 1]].tolist() for i in range(len(texts))]


@given(TEXTS, st.integers(1, 7))
def test_shingles_equal_the_plain_python_ones(texts, ngram):
    assert sets_of(texts, ngram) == [sorted(set(naive.shingles(text, ngram))) for text in texts]


COMBINATIONS = [
    {"shingle": shingle, "normalise": normalise, "fold_numbers": fold_numbers}
    for shingle in ("word", "char")
    for normalise in ("none", "lower", "fineweb")
    for fold_numbers in (False, True)
]


@pytest.mark.parametrize("options", COMBINATIONS, ids=str)
@settings(max_examples=25)
@given(TEXTS, st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_every_combination_equals_plain_python_and_datasketch(options, texts, ngram, seed):
    values, offsets = shingle_sets(as_strings(texts), ngram, **options)
    signatures = dedup.signatures(texts, num_perm=20, ngram=ngram, seed=seed, **options)
    short = sketch(as_strings(texts), ngram=ngram, bands=1, rows=1, **options).short_keys
    for i, text in enumerate(texts):
        expected = naive.shingles(text, ngram, **options)
        assert values[offsets[i] : offsets[i + 1]].tolist() == sorted(set(expected))
        theirs = datasketch.MinHash(20, seed=seed, hashfunc=int, scheme="affine32")
        theirs.update_batch(expected)
        assert np.array_equal(signatures[i], theirs.hashvalues)
        assert (short[i] != 0) == (0 < len(naive.units(text, **options)) < ngram)


@pytest.mark.parametrize("options", COMBINATIONS, ids=str)
def test_every_combination_takes_texts_longer_than_a_chunk(options):
    values, offsets = shingle_sets(as_strings(LONG), 5, **options)
    for i, text in enumerate(LONG):
        expected = sorted(set(naive.shingles(text, 5, **options)))
        assert values[offsets[i] : offsets[i + 1]].tolist() == expected


@given(TEXTS)
def test_short_texts_have_one_key_exactly_if_they_have_the_same_words(texts):
    keys = sketch(as_strings(texts), ngram=6, bands=1, rows=1).short_keys.tolist()
    words = [tuple(naive.units(text)) for text in texts]
    for i, key in enumerate(keys):
        for j in range(i):
            if key and keys[j]:
                assert (key == keys[j]) == (words[i] == words[j])


def test_short_texts_of_more_words_than_a_chunk_have_keys():
    texts = [" ".join(map(str, range(9000))), " ".join(map(str, range(9000))) + "!", " ".join(map(str, range(9001)))]
    first, second, third = sketch(as_strings(texts), ngram=9500, bands=1, rows=1).short_keys
    assert first == second != 0
    assert third not in (0, first)


def test_our_bands_find_the_candidates_that_datasketch_finds():
    rng = np.random.default_rng(2)
    base = [rng.integers(0, 3000, 80) for _ in range(40)]
    texts = []
    for words in base:
        for changes in (0, 1, 4, 12):
            edited = words.copy()
            edited[rng.integers(0, len(edited), changes)] = 9999
            texts.append(" ".join(map(str, edited)))
    bands, rows = 14, 8
    signatures = dedup.signatures(texts, num_perm=bands * rows, seed=3)
    index = datasketch.MinHashLSH(num_perm=bands * rows, params=(bands, rows))
    for i, signature in enumerate(signatures):
        index.insert(i, dedup.to_datasketch(signature, seed=3))
    keys = band_keys(signatures, bands, rows)
    ours = [set(np.flatnonzero((keys == keys[i]).any(axis=1)).tolist()) for i in range(len(texts))]
    theirs = [set(index.query(dedup.to_datasketch(signature, seed=3))) for signature in signatures]
    assert ours == theirs
    assert 1 < np.mean([len(found) for found in ours]) < 5


def test_an_unknown_choice_of_shingles_is_refused():
    for options in ({"shingle": "line"}, {"normalise": "upper"}, {"ngram": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
            shingle_sets(as_strings(["a"]), **options)


def test_shingles_of_texts_longer_than_a_chunk_equal_the_plain_python_ones():
    assert sets_of(LONG, 5) == [sorted(set(naive.shingles(text, 5))) for text in LONG]


def test_every_character_alone_and_between_letters_is_taken_as_in_plain_python():
    points = [cp for cp in range(0x3200) if not 0xD800 <= cp < 0xE000] + [
        0x4E00,
        0xAC00,
        0xFF21,
        0x10400,
        0x1F600,
    ]
    texts = [f"x{chr(cp)}y Z{chr(cp)}" for cp in points]
    assert sets_of(texts, 1) == [sorted(set(naive.shingles(text, 1))) for text in texts]


def test_words_are_lower_cased_and_separated_by_anything_that_is_not_a_word_character():
    one = dedup.shingles("Der Bär, ÉTÉ -- snake_case 42!")
    assert np.array_equal(one, dedup.shingles("der bär été\nsnake_case (42)"))
    assert not np.array_equal(one, dedup.shingles("der bar été snake_case 42"))


def test_each_ideograph_is_a_word_of_its_own():
    assert len(dedup.shingles("数据整理很重要", ngram=2)) == 6
    assert np.array_equal(dedup.shingles("数据整理很重要", 2), dedup.shingles("数 据 整 理 很 重 要", 2))


def test_a_text_shorter_than_an_n_gram_is_one_shingle_and_one_without_words_none():
    assert len(dedup.shingles("three short words", ngram=5)) == 1
    assert not np.array_equal(dedup.shingles("three short words"), dedup.shingles("three words short"))
    assert len(dedup.shingles("-- !", ngram=5)) == 0
    assert len(dedup.shingles("", ngram=5)) == 0


@settings(max_examples=30)
@given(TEXTS, st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_signatures_equal_datasketch_affine32(texts, num_perm, seed):
    ours = dedup.signatures(texts, num_perm=num_perm, ngram=3, seed=seed)
    for signature, text in zip(ours, texts, strict=True):
        theirs = datasketch.MinHash(num_perm, seed=seed, hashfunc=int, scheme="affine32")
        theirs.update_batch(naive.shingles(text, 3))
        assert np.array_equal(signature, theirs.hashvalues)


@pytest.mark.parametrize("num_perm", [1, 15, 16, 17, 100, 112, 128, 256])
def test_signatures_of_long_texts_equal_datasketch(num_perm):
    ours = dedup.signatures(LONG, num_perm=num_perm)
    for signature, text in zip(ours, LONG, strict=True):
        theirs = datasketch.MinHash(num_perm, seed=1, hashfunc=int, scheme="affine32")
        theirs.update_batch(np.unique(naive.shingles(text, 5)))
        assert np.array_equal(signature, theirs.hashvalues)


def test_a_signature_survives_the_way_to_datasketch_and_back():
    signature = dedup.signatures(["a text that goes to datasketch and comes back"])[0]
    wrapped = dedup.to_datasketch(signature)
    assert wrapped.scheme == "affine32"
    assert np.array_equal(dedup.from_datasketch(wrapped), signature)
    with pytest.raises(ValueError, match="affine32"):
        dedup.from_datasketch(datasketch.MinHash(112, scheme="legacy"))


def test_datasketch_lsh_finds_the_same_candidates_as_our_band_keys():
    rng = np.random.default_rng(5)
    base = [" ".join(map(str, rng.integers(0, 50, 60))) for _ in range(30)]
    texts = base + [text.replace(" 7", " 8", 1).replace(" 21", " x", 1) for text in base]
    found = sketch(as_strings(texts))
    lsh = datasketch.MinHashLSH(num_perm=112, params=(14, 8))
    for i, signature in enumerate(found.signatures):
        lsh.insert(i, dedup.to_datasketch(signature))
    pairs = 0
    for i in range(len(texts)):
        ours = np.flatnonzero((found.band_keys == found.band_keys[i]).any(axis=1)).tolist()
        assert sorted(lsh.query(dedup.to_datasketch(found.signatures[i]))) == ours
        pairs += len(ours) - 1
    assert pairs > 20


def test_band_keys_differ_between_bands_and_are_zero_only_without_shingles():
    same = np.full((1, 112), 7, np.uint32)
    assert len(np.unique(band_keys(same, 14, 8))) == 14
    empty = sketch(as_strings(["", "..."]))
    assert (empty.signatures == EMPTY).all()
    assert (empty.band_keys == 0).all()
    assert (empty.shingle_count == 0).all()
    assert (sketch(as_strings(["word"])).band_keys != 0).all()


def test_a_document_gets_the_same_sketch_in_any_company():
    texts = ["one text of several words here", "中文 and English mixed up", "", "x"]
    together = sketch(as_strings(texts))
    for i, text in enumerate(texts):
        alone = sketch(as_strings([text]))
        assert np.array_equal(alone.signatures[0], together.signatures[i])
        assert np.array_equal(alone.band_keys[0], together.band_keys[i])


def test_the_share_of_equal_values_estimates_the_jaccard_similarity():
    rng = np.random.default_rng(1)
    words = rng.integers(0, 10**6, 4000).astype(str).tolist()
    texts = [" ".join(words), " ".join(words[:3000] + rng.integers(0, 10**6, 1000).astype(str).tolist())]
    a, b = dedup.signatures(texts, num_perm=1024)
    exact = dedup.jaccard(dedup.shingles(texts[0]), dedup.shingles(texts[1]))
    assert abs((a == b).mean() - exact) < 0.05


def test_the_curve_is_the_one_that_fineweb_states():
    assert np.allclose(dedup.curve(14, 8)([0.7, 0.75, 0.8, 0.85]), [0.56, 0.77, 0.92, 0.988], atol=0.01)


@pytest.mark.parametrize("wrong", [{"ngram": 0}, {"bands": 0}, {"rows": -1}])
def test_sizes_below_one_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        sketch(as_strings(["text"]), **wrong)


def test_importing_the_package_loads_neither_numpy_nor_numba():
    import subprocess
    import sys

    code = "import sys, curate.dedup; sys.exit(not {'numba', 'numpy', 'datasketch'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
