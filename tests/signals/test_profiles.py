"""Profiles: documents on which toolkits disagree, with the values that each toolkit gives, and recipes that use them.

A to H follow a published comparison: B and D to H have its values, A and C its shape. Values of dolma and datatrove
were read off their own code (dolma 1.2.1, datatrove 0.10.1), those of DCLM worked out by hand.
"""

from __future__ import annotations

import polars as pl
import pytest

import curate
from curate.errors import RecipeError
from curate.kernels.spacy_words import HAS_LETTER
from curate.predicates import columns_of
from curate.recipe import Recipe
from curate.recipe.toml_steps import group_filters
from curate.signals import Documents, compute, registry
from curate.signals.datatrove import tokens
from tests.signals import profile_twins, texts

A = texts.FOUR_OF_TEN_LINES
B = "a first one\n\nthe second\n\na first one\n\nthe third\n\nthe last"  # one paragraph twice of five
C = texts.SIX_TIMES_A_PHRASE


def _made_up(number: int, letters: int) -> str:
    return "".join(chr(97 + (number // 20**k) % 20) for k in range(3)) + "z" * (letters - 3)


# "of the" thirty times, each time with three words of its own and a full stop: 761 characters in 150 words.
D = " ".join(
    f"of the {_made_up(3 * i, 6)} {_made_up(3 * i + 1, 6)} {_made_up(3 * i + 2, 8 if i < 11 else 7)}."
    for i in range(30)
)
E = "\n\n\n".join(f"line number {i}" for i in range(6)) + "\n"  # lines separated by blank lines
F = "the other four words"
G = "read more...\nall of it.\nand so on...\nthe end."
H = "  * one\n  * two\n  * three"


_GOOD = """Last spring the town council asked people what they would like to see on the old railway line, and most
of them answered that a path with trees and benches would be enough. Nobody wanted another road.

Work began in June. Volunteers carried stones away, cut back the brambles that had grown over the platforms, and found
a rusty lamp, two coins and the name of a stationmaster scratched into a wall. His granddaughter still lives nearby.

By autumn children could cycle from the harbour to the school without meeting a single car. Shops along the way have
opened their back doors, and the bakery now sells coffee through a window to those who walk past early.
"""
GOOD = "\n".join(" ".join(part.split()) for part in _GOOD.split("\n\n"))  # three lines


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


GOLDEN = [
    ("datatrove_dup_lines", A, 0.3), ("dolma_v1_dup_lines", A, 0.4), ("gopher_dup_lines", A, 0.4),
    ("dolma_v1_dup_line_chars", A, 76 / 146), ("datatrove_dup_5gram", A, 0.217877), ("dolma_dup_5gram", A, 0.368664),
    ("dclm_dup_5gram", A, 64 / 146), ("datatrove_top_4gram", A, 0.424581), ("dolma_top_4gram", A, 0.438356),
    ("datatrove_dup_paragraphs", B, 0.2), ("dclm_dup_paragraphs", B, 0.4), ("dolma_v1_dup_lines", B, 6 / 9),
    ("dolma_v2_dup_lines", B, 0.4),
    ("datatrove_dup_5gram", C, 0.110843), ("dolma_dup_5gram", C, 0.100282), ("dclm_dup_5gram", C, 0.160839),
    ("datatrove_dup_10gram", C, 0.110843), ("dolma_dup_10gram", C, 0.016476), ("dclm_dup_10gram", C, 0.160839),
    ("datatrove_top_2gram", D, 180 / 910), ("dolma_top_2gram", D, 150 / 761), ("dclm_top_2gram", D, 150 / 731),
    ("datatrove_dup_lines", E, 0), ("dolma_v1_dup_lines", E, 11 / 17), ("dolma_v2_dup_lines", E, 0),
    ("gopher_dup_lines", E, 0),
    ("datatrove_top_2gram", F, 0.45), ("dolma_top_2gram", F, 8 / 17), ("dclm_top_2gram", F, 0),
    ("datatrove_ellipsis_lines", G, 0.5), ("dolma_v1_ellipsis_lines", G, 0), ("dclm_ellipsis_lines", G, 0.5),
    ("datatrove_bullet_lines", H, 0), ("dolma_v1_bullet_lines", H, 0), ("dclm_bullet_lines", H, 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), GOLDEN)
def test_a_document_has_the_value_of_the_toolkit(name: str, text: str, expected: float) -> None:
    assert value(name, text) == pytest.approx(expected, abs=1e-6)


def drops(group: str, profile: str, text: str) -> set[str]:
    """Names of the filters of a profile that would drop the text."""
    filters = group_filters(group)[profile]
    names = sorted({column for sql in filters.values() for column in columns_of(sql)})
    frame = pl.DataFrame(compute(Documents([text]), names))
    return {name for name, sql in filters.items() if not frame.select(pl.sql_expr(sql).alias("kept"))["kept"][0]}


@pytest.mark.parametrize(
    ("text", "filter_name", "dropped_by"),
    [
        (A, "gopher_dup_lines", {"paper", "dolma", "dclm"}),  # .400 with the first copies, .300 without
        (B, "gopher_dup_paragraphs", {"paper", "dclm"}),  # dolma has no rule for paragraphs
        (E, "gopher_dup_lines", {"dolma"}),  # blank lines are lines to gopher_v1
        (F, "gopher_top_2gram", {"datatrove", "dolma"}),  # an n-gram that occurs once is the most frequent one
        (G, "gopher_ellipsis_lines", {"paper", "datatrove", "dclm"}),  # "..." is no ellipsis to dolma
        (H, "gopher_bullet_lines", {"paper", "dclm"}),  # only indented bullets; and "*" is none to datatrove
    ],
)
def test_toolkits_disagree_about_a_document(text: str, filter_name: str, dropped_by: set[str]) -> None:
    profiles = ("paper", "datatrove", "dolma", "dclm")
    assert {profile for profile in profiles if filter_name in drops("gopher", profile, text)} == dropped_by


@pytest.mark.parametrize("text", ["", "word", F, "one line\n", "\n\n", "a\n\n\nb\n \nb", "…", "• a\n• a\n\n"])
def test_texts_at_the_edges_of_the_rules_have_the_value_of_the_twin(text: str) -> None:
    found = compute(Documents([text]), profile_twins.SIGNALS)
    for name, twin in profile_twins.SIGNALS.items():
        assert found[name][0] == pytest.approx(twin(text), rel=1e-6), name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, they'll've gone.", ["Do", "n't", "stop", ",", "they", "'ll", "'ve", "gone", "."]),
        ("(see https://example.com/a,b?c=d).", ["(", "see", "https://example.com/a,b?c=d", ")", "."]),
        ("mail jo.doe@example.org, please", ["mail", "jo.doe@example.org", ",", "please"]),
        ("At 5pm, 10km for $20... or 3+4", ["At", "5", "pm", ",", "10", "km", "for", "$", "20", "...", "or", "3", "+",
                                            "4"]),
        ("The U.S. and Mr. O'Neil's e-mail", ["The", "U.S.", "and", "Mr.", "O'Neil", "'s", "e", "-", "mail"]),
        ("well-known/also a=b x:)", ["well", "-", "known", "/", "also", "a", "=", "b", "x", ":)"]),
        ("end.Start 3.14 file.txt v2.0", ["end", ".", "Start", "3.14", "file.txt", "v2.0"]),
        ("漢字。「你好」", ["漢字。「你好", "」"]),
        ("👍🏽ok", ["👍", "🏽ok"]),
    ],
)  # fmt: skip
def test_tokens_are_those_of_spacy(text: str, words: list[str]) -> None:
    assert [token for word in text.split() for token in profile_twins.cut(word)] == words
    found = Documents([text]).once(tokens)
    assert found.chars.tolist() == [len(word) for word in words]
    assert (found.kind & HAS_LETTER > 0).tolist() == [any(map(str.isalpha, word)) for word in words]


@pytest.mark.parametrize("piece", ["x", "漢", "a@b.c", ".", "don't", "1.", "e-", "(", "a\u0301", ":)"])
def test_one_word_of_megabytes_takes_no_longer_than_many(piece: str) -> None:
    found = Documents([piece * (2_000_000 // len(piece.encode()))])
    assert found.once(tokens).chars.sum() == found.words.characters[0]
    assert value("dclm_word_count", piece * 1000) >= 0


def test_no_text_of_a_batch_changes_the_tokens_of_another() -> None:
    alone = [Documents([text]).once(tokens).chars.tolist() for text in (A, "", H, "it's", "its")]
    together = Documents([A, "", H, "it's", "its"]).once(tokens)
    assert [together.chars[a:b].tolist() for a, b in zip(together.first, together.first[1:], strict=False)] == alone


@pytest.mark.parametrize(
    ("group", "profiles"),
    [
        ("gopher", {"paper", "datatrove", "dolma", "dclm"}),
        ("c4", {"paper", "arxiv", "datatrove", "dolma", "dclm"}),
        ("fineweb", {"paper", "code", "datatrove"}),
    ],
)
def test_every_profile_reads_signals_that_exist(group: str, profiles: set[str]) -> None:
    found = group_filters(group)
    assert set(found) == profiles
    assert {column for filters in found.values() for sql in filters.values() for column in columns_of(sql)} <= {
        *registry()
    }


@pytest.mark.parametrize("profile", ["paper", "datatrove", "dolma", "dclm"])
def test_a_recipe_with_a_profile_gives_the_answer_of_the_toolkit(profile: str) -> None:
    recipe = Recipe.parse(f'[[steps]]\nuse = "gopher"\nprofile = "{profile}"\n')
    decided = curate.decide([GOOD, A, F], recipe)
    assert decided["kept"].to_list() == [True, False, False]
    assert decided["dropped_by"][2] == "gopher_word_count"
    assert ("gopher_top_2gram" in decided["failed"][2]) == (profile in ("datatrove", "dolma"))


def test_groups_in_different_profiles_stand_in_one_recipe() -> None:
    steps = (("gopher", "dolma"), ("c4", "datatrove"), ("fineweb", "datatrove"))
    recipe = "".join(f'[[steps]]\nuse = "{group}"\nprofile = "{profile}"\n' for group, profile in steps)
    decided = curate.decide([GOOD, "if (x) {\nThis line holds a { in it."], Recipe.parse(recipe))
    assert "c4_curly_bracket" in decided["failed"][1]
    assert decided["kept"].to_list() == [True, False]


def test_an_unknown_profile_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match=r'"gopher" has no profile "dolmo"; did you mean "dolma"\?'):
        Recipe.parse('[[steps]]\nuse = "gopher"\nprofile = "dolmo"\n')
