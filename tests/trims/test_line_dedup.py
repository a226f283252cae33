"""Lines that many documents share go, and nothing else."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import trims_naive as naive
from hypothesis import given, settings
from hypothesis import strategies as st

import curate
from classifiers.arrow import as_strings
from curate.decide.trims import bucket_salts
from curate.kernels.text_lines import text_lines
from tests.corpora import prose

STEP = '[[steps]]\ndedup = "lines"\nmin_length = {min_length}\nmin_left = {min_left}\n'
MENU = "Share this page with your friends"


def recipe(
    extra: str = "", min_length: int = 1, min_left: int = 0, before: str = 'clean = ["unicode"]\n'
) -> curate.Recipe:
    return curate.Recipe.parse(before + STEP.format(min_length=min_length, min_left=min_left) + extra)


def trimmed(texts: list[str] | pl.DataFrame, chosen: curate.Recipe) -> list[str]:
    """The texts that are written, in order; every document has to stay."""
    decisions = curate.decide(texts, chosen)
    assert decisions["kept"].all()
    return curate.write(texts, decisions, chosen)["text"].to_list()


def test_a_line_goes_everywhere_when_it_is_seen_seven_times_and_stays_at_six() -> None:
    six = [f"{prose(i)}\n{MENU}" for i in range(6)]
    assert trimmed(six, recipe()) == six
    assert trimmed([*six, f"{prose(6)}\n{MENU}"], recipe()) == [prose(i) for i in range(7)]
    assert trimmed([f"{prose(0)}\n{MENU}\n{MENU}", *six[1:]], recipe()) == [prose(i) for i in range(6)]


def test_white_space_around_a_line_does_not_count_but_inside_it_does() -> None:
    texts = [f"{prose(i)}\n  {MENU}\u00a0\u3000\t\n{i}" for i in range(4)]
    texts += [f"{prose(i)}\n{MENU}\r\n{i}" for i in range(4, 7)] + [f"{prose(7)}\n{MENU.replace(' ', '  ')}\n7"]
    found = trimmed(texts, recipe("more_than = 6", before="clean = []\n"))
    assert found == [f"{prose(i)}\n{i}" for i in range(7)] + [texts[7]]


def test_code_is_neither_counted_nor_cut() -> None:
    fenced = "Text {0} before.\n\n```python\nreturn self.value\n\nreturn self.value\n```\nText {0} after."
    indented = "Text {0} before.\n\n    return self.value\n    return self.value\n\nText {0} after."
    texts = [shape.format(f"{i}-{j}") for i in range(8) for j, shape in enumerate((fenced, indented))]
    assert trimmed(texts, recipe("more_than = 1")) == texts
    prose_too = [*texts, "return self.value\nreturn self.value\nEnd."]
    assert trimmed(prose_too, recipe("more_than = 1")) == [*texts, "End."]


def test_where_keeps_documents_out_of_the_count_and_of_the_cut() -> None:
    frame = pl.DataFrame({"text": [f"{prose(i)}\n{MENU}" for i in range(10)], "kind": ["web"] * 6 + ["code"] * 4})
    assert trimmed(frame, recipe("where = \"kind = 'web'\"")) == frame["text"].to_list()
    assert trimmed(frame, recipe("where = \"kind <> 'x'\"")) == [prose(i) for i in range(10)]


def test_short_lines_are_not_looked_at_and_length_is_in_characters() -> None:
    texts = [f"{prose(i)}\n漢字漢字\n{prose(100 + i)}" for i in range(8)]
    assert trimmed(texts, recipe(min_length=5)) == texts
    assert trimmed(texts, recipe(min_length=4)) == [f"{prose(i)}\n{prose(100 + i)}" for i in range(8)]


def test_a_document_with_too_little_left_is_dropped_and_keeps_its_text_in_the_count() -> None:
    texts = [f"{prose(i)}\n{MENU}" for i in range(6)] + [f"{MENU}\nA little more."]
    decisions = curate.decide(texts, recipe(min_left=20))
    assert decisions["dropped_by"].to_list() == [None] * 6 + ["dedup_lines"]
    assert decisions["cuts"].to_list()[6] is None
    assert curate.write(texts, decisions, recipe(min_left=20))["text"].to_list() == [prose(i) for i in range(6)]


def test_a_short_document_that_nothing_is_cut_from_stays() -> None:
    assert curate.decide(["Short.", "", prose(1)], recipe(min_left=100))["kept"].all()


def test_paragraphs_and_runs_of_three_lines() -> None:
    three = "First line of three.\nSecond line of three.\nThird line of three."
    alone = "First line of three.\n\nSomething else here."
    texts = [f"{prose(i)}\n\n{three}\n\n{prose(50 + i)}" for i in range(4)]
    rest = [f"{prose(i)}\n\n{prose(50 + i)}" for i in range(4)]
    for unit in ("paragraph", "3-line"):
        assert trimmed([*texts, alone], recipe(f'unit = "{unit}"\nmore_than = 3')) == [*rest, alone], unit
        assert trimmed([*texts, alone], recipe(f'unit = "{unit}"\nmore_than = 4')) == [*texts, alone], unit
    longer = [f"Line {i} before.\n{three}\nLine {i} after." for i in range(4)]
    assert trimmed(longer, recipe('unit = "paragraph"\nmore_than = 3')) == longer
    assert trimmed(longer, recipe('unit = "3-line"\nmore_than = 3')) == [
        f"Line {i} before.\nLine {i} after." for i in range(4)
    ]


def test_lines_are_counted_inside_buckets_drawn_by_document_number() -> None:
    texts = [f"{prose(i)}\n{MENU}" for i in range(60)]
    chosen = recipe("more_than = 9\nbucket = 10")
    numbers = curate.decide(texts, chosen)["doc"].to_numpy()
    bucket = bucket_salts(numbers, 6)
    sizes = {salt: int((bucket == salt).sum()) for salt in set(bucket.tolist())}
    assert len(sizes) > 3 and min(sizes.values()) <= 9 < max(sizes.values())
    expected = [prose(i) if sizes[salt] > 9 else texts[i] for i, salt in enumerate(bucket.tolist())]
    assert trimmed(texts, chosen) == expected
    assert trimmed(texts[::-1], chosen) == expected[::-1]


def test_two_steps_compose_and_the_second_sees_what_the_first_left() -> None:
    head, tail = "A heading that everybody has", "A footer that everybody has"
    texts = [f"{head}\n{prose(i)}\n{tail}\n{i} is the number" for i in range(8)]
    second = '[[steps]]\ndedup = "lines"\nname = "pairs"\nunit = "paragraph"\nmin_length = 1\nmin_left = 0\n'
    same = [f"{text}\n\nOne thing.\n{MENU}\nOther thing." for text in texts]
    left = [f"{prose(i)}\n{i} is the number" for i in range(8)]
    found = trimmed(same, recipe("more_than = 6\n" + second + "more_than = 6"))
    assert found == left
    decisions = curate.decide(same, recipe("more_than = 6\n" + second + "more_than = 6"))
    for text, cuts, rest in zip(same, decisions["cuts"].to_list(), left, strict=True):
        starts = [cut["start"] for cut in cuts]
        assert starts == sorted(starts)
        raw = text.encode()
        assert (
            b"".join(
                raw[a:b] for a, b in zip([0, *(c["stop"] for c in cuts)], [*starts, len(raw)], strict=True)
            ).decode()
            == rest
        )


def test_later_steps_and_the_mix_see_the_sizes_of_the_trimmed_text() -> None:
    texts = [f"{prose(i)}\n{MENU * 40} " for i in range(8)] + [prose(20) + prose(21)]
    sizes = curate.measure([prose(i) for i in range(8)], ["char_count", "token_count"])
    limit = int(sizes["char_count"].max())
    later = f'[[steps]]\nname = "size"\nfilter = "char_count <= {limit}"\n'
    decisions = curate.decide(texts, recipe("more_than = 6\n" + later))
    assert decisions["dropped_by"].to_list() == [None] * 8 + ["size"]
    assert decisions["failed"].to_list() == [[]] * 8 + [["size"]]
    early = curate.Recipe.parse(later + STEP.format(min_length=1, min_left=0))
    assert curate.decide(texts, early)["kept"].sum() == 0
    budget = int(sizes["token_count"][:4].sum())
    mixed = curate.decide(texts[:8], recipe(f"more_than = 6\n[mix]\ntokens = {budget}\n"))
    assert 3 <= mixed["kept"].sum() <= 5


def test_one_huge_line_and_an_empty_corpus() -> None:
    huge = "long " * 400_000
    assert trimmed([huge + f"\n{prose(1)}"] * 1 + [huge] * 7 + ["x"], recipe())[0] == prose(1)
    assert len(curate.decide([], recipe())) == 0
    assert trimmed(["", "\n\n", " "], recipe()) == ["", "\n\n", " "]


LINE = st.one_of(
    st.sampled_from(["menu", "  menu", "menu\u00a0", "```", "~~~~", "```py", "``` a ` b", "\tcode", "    code", ""]),
    st.sampled_from(["é" * 3, "漢字", "\u2003", "a", "b", "c\r", "🙂🙂"]),
    st.text(alphabet=" \tab\r`~é\u3000\x85", max_size=6),
)
TEXT = st.lists(LINE, max_size=9).map("\n".join) | st.lists(LINE, max_size=9).map(lambda x: "\n".join([*x, ""]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(TEXT, max_size=7), st.sampled_from(["line", "paragraph", "3-line"]), st.integers(1, 4), st.integers(1, 4)
)
def test_lines_go_as_the_obvious_way_says(texts: list[str], unit: str, more_than: int, min_length: int) -> None:
    chosen = recipe(f'unit = "{unit}"\nmore_than = {more_than}', min_length=min_length, before="clean = []\n")
    assert trimmed(texts, chosen) == naive.trimmed_lines(texts, unit, more_than, min_length)


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_lines_and_code_are_told_apart_as_the_obvious_way_says(text: str) -> None:
    strings = as_strings([text])
    lines = text_lines(strings.data, strings.offsets)
    assert lines.kind.tolist() == naive.kinds(text)
    found = [text.encode()[a:b].decode() for a, b in zip(lines.begin, lines.end, strict=True)]
    assert found == [line.strip() for line in naive.raw_lines(text)]
    chars = [0 if kind != 1 else len(line) for line, kind in zip(found, lines.kind, strict=True)]
    assert lines.chars.tolist() == chars
    assert np.count_nonzero(lines.hash) == sum(kind == 1 for kind in lines.kind)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('unit = "lines"', 'unknown unit "lines"; did you mean "line"'),
        ("more_than = 0", "more_than must be a whole number of at least 1"),
        ('bucket = "many"', 'bucket is a number of documents, such as "30M"'),
        ("bucket = true", "bucket is a number of documents"),
        ("min_lenght = 5", 'unknown key "min_lenght"; did you mean "min_length"'),
        ('where = "nonsense ("', "where: "),
        ("ngram = 5", 'unknown key "ngram"'),
    ],
)
def test_a_wrong_key_says_what_was_meant(text: str, message: str) -> None:
    with pytest.raises(curate.RecipeError, match=message.replace("(", r"\(")):
        curate.Recipe.parse(f'[[steps]]\ndedup = "lines"\n{text}')
